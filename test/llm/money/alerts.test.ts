import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { Webhook } from 'standardwebhooks'
import { FinalJobError } from '#broker'
import { isPrivate, safeRequest } from '#lib/safe-request'
import { openVault } from '#lib/vault'
import { overdueAlerts, webhookHandler } from '../../../src/llm/money/alerts.ts'
import { openedSecret, sealBudgetSecrets } from '../../../src/llm/money/secrets.ts'
import { job } from '../../capture/store-support.ts'
import { type TestDatabase, testDatabase } from '../../support/postgres.ts'
import { until } from '../../support/until.ts'
import { actualOf, callOf, plantBudget, plantPrice, quiet, testMoney, tried } from './support.ts'

let database: TestDatabase
const vault = openVault('a secret of the tests, long enough for all')
const secret = `whsec_${btoa('a secret of twenty-four!')}`

beforeAll(async () => {
  database = await testDatabase()
  await plantPrice(database.sql)
})

afterAll(() => database.drop())

/** Spends so much of a budget with thresholds; the ids of the alerts that came due. */
async function spend(subject: string, parts: number[], webhook_url: string) {
  const { sql } = database
  const budget = await plantBudget(sql, {
    limit_micros: 100_000,
    subject,
    thresholds: [50, 80, 100],
    webhook_url,
  })
  await sql`update budgets set webhook_secret = ${secret} where id = ${budget}`
  const due: string[] = []
  const money = await testMoney(sql, { onAlerts: (ids) => due.push(...ids) })
  for (const part of parts) {
    const call = await tried(money, callOf(part, { tenant: subject }))
    if (typeof call === 'string') throw new Error(call)
    call.settle(actualOf(part))
  }
  await money.close()
  return { due, budget }
}

describe('an alert', () => {
  test('is told once a threshold and period, signed so that the receiver can check it', async () => {
    const seen: { headers: Record<string, string>; body: string }[] = []
    const receiver = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      async fetch(request) {
        seen.push({ headers: Object.fromEntries(request.headers), body: await request.text() })
        return new Response(null, { status: seen.length === 1 ? 500 : 204 })
      },
    })
    const { due } = await spend('alerted', [40, 20, 25], `http://127.0.0.1:${receiver.port}/hook`)
    expect(due.length).toBe(2)
    const handler = webhookHandler({ sql: database.sql, vault, log: quiet, allowPrivate: true })
    const [id = ''] = due
    const payload = { v: 1, kind: 'budget-alert', id } as const
    await expect(handler(payload, job)).rejects.toThrow('answered 500')
    await until('the first try', () => seen.length === 1)
    expect(await handler(payload, job)).toEqual({ sent: true, status: 204 })
    expect(await handler(payload, job)).toEqual({ sent: false })
    const [, last] = seen
    const told = new Webhook(secret).verify(last?.body ?? '', last?.headers ?? {}) as { data: object }
    expect(told).toMatchObject({
      type: 'budget.threshold',
      data: {
        subject: 'alerted',
        spent: '0.060000',
        threshold_percent: 50,
        limit: '0.100000',
        currency: 'USD',
        period: 'day',
      },
    })
    expect(() => new Webhook(secret).verify(`${last?.body} `, last?.headers ?? {})).toThrow()
    await receiver.stop(true)
  })

  test('to an address of this machine or its network is refused for good, unless the operator allows it', async () => {
    const { due } = await spend('inside', [60], 'http://127.0.0.1:9/')
    const handler = webhookHandler({ sql: database.sql, vault, log: quiet, allowPrivate: false })
    await expect(handler({ v: 1, kind: 'budget-alert', id: due[0] ?? '' }, job)).rejects.toBeInstanceOf(
      FinalJobError,
    )
  })

  test('to a receiver that is gone is the last one, and a secret that was in clear is sealed', async () => {
    const { sql } = database
    let asked = 0
    const receiver = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch() {
        asked += 1
        return new Response(null, { status: 410 })
      },
    })
    const { due, budget } = await spend('left', [60], `http://127.0.0.1:${receiver.port}/`)
    await sealBudgetSecrets(sql, vault)
    const [row] = await sql<
      [{ sealed: string }]
    >`select webhook_secret as sealed from budgets where id = ${budget}`
    expect([row.sealed.startsWith('v1.'), openedSecret(vault, budget, row.sealed)]).toEqual([true, secret])
    const handler = webhookHandler({ sql, vault, log: quiet, allowPrivate: true })
    for (let tries = 0; tries < 2; tries += 1) {
      const tried = handler({ v: 1, kind: 'budget-alert', id: due[0] ?? '' }, job)
      await expect(tried).rejects.toBeInstanceOf(FinalJobError)
    }
    const [after] = await sql<
      [{ error: string }]
    >`select webhook_error as error from budgets where id = ${budget}`
    expect([asked, after.error]).toEqual([1, 'its receiver answered 410: it is gone'])
    await receiver.stop(true)
  })

  test('that nobody passed on is found again', async () => {
    const { due } = await spend('forgotten', [60], 'http://127.0.0.1:9/')
    expect(await overdueAlerts(database.sql)).not.toContain(due[0] ?? '')
    await database.sql`update budget_alerts set created_at = now() - interval '2 minutes' where id = ${due[0] ?? ''}`
    expect(await overdueAlerts(database.sql)).toContain(due[0] ?? '')
  })
})

describe('a request to an address that a user gave', () => {
  test('never goes to this machine or its network, by whatever name', async () => {
    const receiver = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response('inside') })
    for (const host of [
      '127.0.0.1',
      'localhost',
      '[::1]',
      '0.0.0.0',
      '2130706433',
      '0x7f.1',
      '[::ffff:127.0.0.1]',
      '169.254.169.254',
    ]) {
      const url = `http://${host}:${receiver.port}/`
      const code = await safeRequest({ url, method: 'GET', allowPrivate: false }).then(
        () => 'answered',
        (error) => error.code,
      )
      expect([host, code]).toEqual([host, 'address-refused'])
    }
    const allowed = { url: `http://localhost:${receiver.port}/`, method: 'GET', allowPrivate: true } as const
    expect(await safeRequest(allowed)).toMatchObject({ status: 200, text: 'inside' })
    await receiver.stop(true)
  })

  test('takes no redirect, no flood, no endless wait, no password', async () => {
    const server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch(request) {
        const { pathname } = new URL(request.url)
        if (pathname === '/away') return Response.redirect('http://127.0.0.1:1/')
        if (pathname === '/flood') return new Response('x'.repeat(100_000))
        return new Promise<Response>(() => {})
      },
    })
    const to = (path: string) => ({
      ...{
        url: `http://127.0.0.1:${server.port}${path}`,
        method: 'GET' as const,
        allowPrivate: true,
        timeoutMs: 300,
      },
    })
    expect((await safeRequest(to('/away'))).status).toBe(302)
    await expect(safeRequest(to('/flood'))).rejects.toMatchObject({ code: 'no-answer' })
    await expect(safeRequest(to('/never'))).rejects.toMatchObject({ code: 'no-answer' })
    const named = { ...to('/'), url: 'http://user:password@127.0.0.1/' }
    await expect(safeRequest(named)).rejects.toMatchObject({ code: 'bad-url' })
    await server.stop(true)
  })

  test('knows what is private', () => {
    for (const address of [
      '10.1.2.3',
      '172.31.0.1',
      '192.168.0.1',
      '100.64.0.1',
      'fd00::1',
      'fe80::1',
      '::1',
      '::',
      '224.0.0.1',
      '2002:7f00:1::',
    ])
      expect([address, isPrivate(address)]).toEqual([address, true])
    for (const address of ['1.1.1.1', '172.32.0.1', '2606:4700::1111', '8.8.8.8'])
      expect([address, isPrivate(address)]).toEqual([address, false])
  })
})
