import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AnyElysia } from 'elysia'
import type { Access } from '#access'
import { openReading, type Reading } from '#capture'
import { openVault } from '#lib/vault'
import { type MoneyRoutesOptions, moneyRoutes } from '#routes/llm'
import type { OpenMoney } from '../../../src/llm/money/open-money.ts'
import { openedSecret } from '../../../src/llm/money/secrets.ts'
import { adminKey, plantKey, testAccess } from '../../access/support.ts'
import { ask, testApp } from '../../processes/support.ts'
import { temporaryFolder } from '../../support/folder.ts'
import { type TestDatabase, testDatabase } from '../../support/postgres.ts'
import { until } from '../../support/until.ts'
import { actualOf, callOf, quiet, testMoney, tried, usageOf } from './support.ts'

let database: TestDatabase
let access: Access
let reading: Reading
let money: OpenMoney
/** Another gateway, which nobody tells anything. */
let other: OpenMoney
let app: AnyElysia
const folder = temporaryFolder()

const vault = openVault('a secret of the tests, long enough for all')

beforeAll(async () => {
  database = await testDatabase()
  const { sql, url } = database
  access = await testAccess(sql)
  reading = openReading(url, { log: quiet })
  money = await testMoney(sql)
  other = await testMoney(sql)
  const options: MoneyRoutesOptions = {
    ...{ sql, vault, reading, authorise: access.authorise, refresh: money.refresh, book: money.book },
    ...{ allowPrivate: false, pricesFolder: folder },
  }
  app = testApp(access, { routes: [moneyRoutes(options)] })
})

afterAll(async () => {
  await Promise.all([money.close(), other.close(), reading.close(), access.close()])
  await database.drop()
})

async function admin(method: string, path: string, body?: unknown) {
  const init = { method, headers: { authorization: `Bearer ${adminKey}` } }
  return await ask(app, path, body === undefined ? init : { ...init, body: JSON.stringify(body) })
}

const usage = usageOf(1_000_000, { input: 0 })
const priceOf = (of: OpenMoney, model: string) =>
  of.book().price({ provider: 'penny', model, usage, at: Date.now() })

describe('a price', () => {
  test('set is in force on every gateway, changed too, and gone when it is taken away', async () => {
    const set = await admin('PUT', '/api/prices', { provider: 'penny', model: 'one', input: 0, output: 1e9 })
    expect(set.status).toBe(200)
    expect(priceOf(money, 'one')).toMatchObject({
      micros: 1e9,
      price_version: `override/${set.json.id} penny/one`,
    })
    await until('the other gateway knows', () => priceOf(other, 'one')?.micros === 1e9, { ms: 1_000 })
    const changed = await admin('PUT', '/api/prices', {
      provider: 'penny',
      model: 'one',
      input: 0,
      output: 5,
    })
    expect(changed.json.id).not.toBe(set.json.id)
    expect(priceOf(money, 'one')?.micros).toBe(5)
    expect((await admin('GET', '/api/prices')).json.items.length).toBe(1)
    expect((await admin('DELETE', `/api/prices/${changed.json.id}`)).status).toBe(204)
    expect(priceOf(money, 'one')).toBeNull()
    expect((await admin('DELETE', `/api/prices/${changed.json.id}`)).status).toBe(404)
  })

  test('list is loaded anew from a file in its folder, from nowhere else, and only if it is one', async () => {
    const gpt = {
      usage: usageOf(0, { input: 1_000_000 }),
      provider: 'openai',
      model: 'gpt-5',
      at: Date.now(),
    }
    const list = [
      {
        id: 'openai',
        name: 'OpenAI',
        api_pattern: 'x',
        models: [{ id: 'gpt-5', match: { equals: 'gpt-5' }, prices: { input_mtok: 9, output_mtok: 1 } }],
      },
    ]
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'new.json'), JSON.stringify(list))
    await writeFile(join(folder, 'bad.json'), '[{"id":"openai","models":[]}]')
    await symlink('/etc/passwd', join(folder, 'link.json'))
    expect(money.book().price(gpt)?.micros).toBe(1_250_000)
    for (const source of ['../../etc/passwd', '/etc/passwd', 'link.json', 'missing.json', 'bad.json'])
      expect([source, (await admin('POST', '/api/prices/refresh', { source })).status]).toEqual([source, 422])
    const inside = await admin('POST', '/api/prices/refresh', { source: 'http://127.0.0.1:1/list.json' })
    expect([inside.status, inside.json.title]).toEqual([422, 'address refused'])
    const loaded = await admin('POST', '/api/prices/refresh', { source: 'new.json' })
    expect(loaded.json).toMatchObject({ source: 'new.json', providers: 1, models: 1 })
    expect(money.book().price(gpt)).toMatchObject({ micros: 9_000_000 })
    expect(money.book().price(gpt)?.price_version).toStartWith(`${loaded.json.name} openai/gpt-5 `)
    await until('the other gateway knows', () => other.book().price(gpt)?.micros === 9_000_000, { ms: 1_000 })
    // What is not on the new list has no price any more.
    expect(money.book().price({ ...gpt, model: 'gpt-4o' })).toBeNull()
    await database.sql`delete from price_lists`
    await money.refresh()
    expect(money.book().price(gpt)?.micros).toBe(1_250_000)
  })
})

describe('a budget', () => {
  test('keeps the secret of its webhook sealed, and shows why its receiver is not asked any more', async () => {
    const { sql } = database
    const hook = { webhook_url: 'https://hooks.example/budget' }
    const body = {
      name: 'told',
      scope: 'tenant',
      subject: 'default',
      period: 'day',
      limit_micros: 1,
      ...hook,
    }
    const made = await admin('POST', '/api/budgets', body)
    const path = `/api/budgets/${made.json.id}`
    const stored = async () => {
      const [row] = await sql<[{ secret: string }]>`
        select webhook_secret as secret from budgets where id = ${made.json.id}`
      return row.secret
    }
    expect([made.status, openedSecret(vault, made.json.id, await stored())]).toEqual([
      201,
      made.json.webhook_secret,
    ])
    expect(await stored()).not.toContain(made.json.webhook_secret)
    await sql`update budgets set webhook_error = 'gone' where id = ${made.json.id}`
    expect((await admin('GET', path)).json.webhook_error).toBe('gone')
    const kept = await admin('PATCH', path, hook)
    expect([kept.json.webhook_error, kept.json.webhook_secret]).toEqual([null, null])
    await admin('DELETE', path)
  })

  test('is set, seen with its state, changed, reset and taken away, in force at once', async () => {
    await admin('PUT', '/api/prices', { provider: 'penny', model: null, input: 0, output: 1e9 })
    const { id: key } = await plantKey(database.sql)
    const body = { name: 'ours', scope: 'key', subject: key, period: 'month', limit_micros: 100_000 }
    const made = await admin('POST', '/api/budgets', body)
    expect([made.status, made.json.webhook_secret, made.json.tenant]).toEqual([201, null, 'default'])
    const path = `/api/budgets/${made.json.id}`
    const state = async () => (await admin('GET', path)).json.state
    const call = await tried(money, callOf(60, { keyId: key, tenant: 'default' }))
    if (typeof call === 'string') throw new Error(call)
    expect(await tried(money, callOf(60, { keyId: key }))).toBe('budget-exhausted')
    expect((await admin('GET', path)).json.state).toMatchObject({ spent_micros: 0, limit: '0.100000' })
    expect((await admin('GET', path)).json.state.reserved_micros).toBeGreaterThanOrEqual(60_000)
    call.settle(actualOf(60))
    await until('it is told', async () => (await admin('GET', path)).json.state.spent_micros === 60_000)
    await until('what was leased ahead is back', async () => (await state()).reserved_micros === 0)
    expect(await state()).toMatchObject({ spent: '0.060000', remaining_micros: 40_000 })
    await admin('PATCH', path, { limit_micros: 130_000 })
    await until(
      'the change is felt',
      async () => (await tried(money, callOf(60, { keyId: key }))) !== 'budget-exhausted',
    )
    expect((await admin('POST', `${path}/reset`)).json.state).toMatchObject({ spent_micros: 0 })
    expect((await admin('GET', path)).json.state.reset_at).not.toBeNull()
    await until(
      'so is the reset',
      async () => (await tried(money, callOf(60, { keyId: key }))) !== 'budget-exhausted',
    )
    expect((await admin('DELETE', path)).status).toBe(204)
    expect(await tried(money, callOf(10_000, { keyId: key }))).toMatchObject({ metered: false })
    expect((await admin('GET', path)).status).toBe(404)
  })

  test('that makes no sense is refused with the place that is wrong', async () => {
    const good = { scope: 'tenant', subject: 'default', period: 'day', limit_micros: 1 }
    const wrong: [object, string][] = [
      [{ subject: 'no such tenant' }, '/subject'],
      [{ scope: 'global' }, '/subject'],
      [{ subject: null }, '/subject'],
      [{ scope: 'key', subject: 'x' }, '/subject'],
      [{ limit_micros: -1 }, '/limit_micros'],
      [{ limit_micros: 1.5 }, '/limit_micros'],
      [{ period: 'week' }, '/period'],
      [{ thresholds: [0] }, '/thresholds/0'],
      [{ webhook_url: 'ftp://x' }, '/webhook_url'],
      [{ wekhook_url: 'http://x' }, '/wekhook_url'],
    ]
    for (const [changes, pointer] of wrong) {
      const { status, json } = await admin('POST', '/api/budgets', { ...good, ...changes })
      expect([changes, status, json.errors[0].pointer]).toEqual([changes, 422, pointer])
    }
  })

  test('list goes on from page to page', async () => {
    for (let index = 0; index < 3; index++)
      await admin('POST', '/api/budgets', { scope: 'global', period: 'day', limit_micros: 1e12 })
    const first = await admin('GET', '/api/budgets?limit=2')
    const second = await admin('GET', `/api/budgets?limit=2&cursor=${first.json.next_cursor}`)
    const ids = [...first.json.items, ...second.json.items].map(({ id }: { id: string }) => id)
    expect([new Set(ids).size, second.json.next_cursor]).toEqual([3, null])
  })
})

describe('a report', () => {
  test('gives decimal strings by model, provider, key, tenant, tag and day', async () => {
    await database.sql`insert into spend select date_trunc('hour', now(), 'UTC'), 'default', 'k', 'r', 'openai', m, '{t}', 2, 1, 10, 5, 2, 1, 3, c, c
      from (values ('gpt-5', 1234567), ('gpt-4o', 1)) v (m, c)`
    const { json } = await admin('GET', '/api/cost-report')
    expect(json.items.map(({ model, cost }: { model: string; cost: string }) => [model, cost])).toEqual([
      ['gpt-5', '1.234567'],
      ['gpt-4o', '0.000001'],
    ])
    expect(json.total).toMatchObject({
      cost: '1.234568',
      currency: 'USD',
      calls: 4,
      unpriced_calls: 2,
      total_tokens: 36,
    })
    for (const [by, value] of [
      ['provider', 'openai'],
      ['key', 'k'],
      ['tenant', 'default'],
      ['route', 'r'],
      ['tag', 't'],
      ['day', new Date().toISOString().slice(0, 10)],
    ] as const) {
      const { items } = (await admin('GET', `/api/cost-report?by=${by}`)).json
      expect(items).toMatchObject([{ [by]: value, cost: '1.234568' }])
    }
    const two = (await admin('GET', '/api/cost-report?by=day,model&model=gpt-5')).json
    expect(two.items.length).toBe(1)
    expect((await admin('GET', '/api/cost-report?by=task_type')).status).toBe(200)
    expect((await admin('GET', '/api/cost-report?by=colour')).status).toBe(400)
    const stats = (await admin('GET', '/api/token-stats')).json
    expect(stats.items[0]).toMatchObject({ input_tokens: 10, output_tokens: 5, total_tokens: 18 })
    expect(stats.total.calls).toBe(4)
  })
})
