import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { LoggingHandler } from '../../../src/capture/consumers.ts'
import { moneyUpkeep } from '../../../src/llm/money/bookkeeping.ts'
import { reconcile } from '../../../src/llm/money/reconcile.ts'
import { report } from '../../../src/llm/money/report.ts'
import { recordSpend } from '../../../src/llm/money/spend.ts'
import { called, handlerOn, stored } from '../../capture/store-support.ts'
import { type TestDatabase, testDatabase } from '../../support/postgres.ts'
import { until } from '../../support/until.ts'
import { actualOf, callOf, plantBudget, plantPrice, standing, testMoney, tried } from './support.ts'

let database: TestDatabase
let handler: LoggingHandler

beforeAll(async () => {
  database = await testDatabase()
  await plantPrice(database.sql)
  handler = handlerOn(database.sql, { account: recordSpend })
})

afterAll(async () => {
  await handler.close()
  await database.drop()
})

/** Of the scripted client each exchange costs 7 micro-units: 10 tokens in, 5 out, 2 read, 1 written, 3 reasoned. */
function exchange(
  tenant: string,
  changes: { charged?: number; tags?: string[]; model?: string; at?: number } = {},
) {
  // Now, unless said otherwise: a budget of a day counts nothing of the hour before midnight.
  const { charged, tags = [], model = 'scripted-1', at = Date.now() } = changes
  return called(
    { messages: [`user: ${crypto.randomUUID()}`], model },
    {
      at,
      open: { tenant, tags, key_id: `key of ${tenant}` },
      end: charged === undefined ? {} : { charged_micros: charged },
    },
  )
}

const range = { since: 0, until: Date.now() + 3_600_000 }

describe('the sums of spend', () => {
  test('are made with the record: once, however often a batch comes', async () => {
    const batch = [
      exchange('summed'),
      exchange('summed', { model: 'scripted-2' }),
      exchange('summed', { tags: ['a', 'b'] }),
    ]
    await stored(handler, batch)
    await stored(handler, [...batch.slice(0, 2), exchange('summed')])
    const { sql } = database
    const { rows, total } = await report(sql, ['model'], { ...range, tenant: 'summed' })
    expect(total).toMatchObject({
      calls: 4,
      cost_micros: 28,
      input_tokens: 40,
      reasoning_tokens: 12,
      unpriced: 0,
    })
    expect(rows.map(({ model, calls }) => [model, calls])).toEqual([
      ['scripted-1', 3],
      ['scripted-2', 1],
    ])
    const [record] = await sql`select sum(cost_micros)::int as micros from exchanges where tenant = 'summed'`
    expect(record?.micros).toBe(28)
  })

  test('are the same after upkeep has added them up, by the hour and by the day', async () => {
    const { sql } = database
    const old = Date.now() - 5 * 3_600_000
    for (let index = 0; index < 3; index++)
      await stored(handler, [exchange('merged', { at: old, tags: ['x'] })])
    await sql`insert into spend select date_trunc('day', now(), 'UTC') - interval '1080 hours' + make_interval(hours => n), 'merged', 'key of merged', null, 'mock', 'm',
      '{}', 1, 0, 1, 1, 0, 0, 0, 7, 7 from generate_series(0, 23) n`
    const sum = async () => (await report(sql, ['tenant'], { ...range, tenant: 'merged' })).total
    const before = await sum()
    expect(before.calls).toBe(27)
    await Promise.all([moneyUpkeep(sql), moneyUpkeep(sql)])
    expect(await sum()).toEqual(before)
    const [rows] = await sql`select count(*)::int as n from spend where tenant = 'merged'`
    expect(rows?.n).toBe(2)
  })

  test('by tag count an exchange under each of its tags, and in total once', async () => {
    await stored(handler, [exchange('tagged', { tags: ['a', 'b'] }), exchange('tagged')])
    const { rows, total } = await report(database.sql, ['tag'], { ...range, tenant: 'tagged' })
    expect(rows.map(({ tag, calls }) => [tag, calls]).sort()).toEqual([
      [null, 1],
      ['a', 1],
      ['b', 1],
    ])
    expect(total.calls).toBe(2)
  })
})

describe('M3: the record has the last word on what was spent', () => {
  test('a budget set in mid-period counts what was spent before', async () => {
    await stored(handler, [exchange('before', { charged: 600_000 })])
    await plantBudget(database.sql, { limit_micros: 1_000_000, subject: 'before' })
    const money = await testMoney(database.sql)
    expect(await tried(money, callOf(401, { tenant: 'before' }))).toBe('budget-exhausted')
    expect(await tried(money, callOf(400, { tenant: 'before' }))).toBeObject()
    await money.close()
  })

  test('what a gateway that died could not settle counts as soon as it is stored', async () => {
    const { sql } = database
    const budget = await plantBudget(sql, { limit_micros: 1_000_000, subject: 'crashed' })
    const money = await testMoney(sql, { upkeepMs: 50 })
    const settled = await tried(money, callOf(300, { tenant: 'crashed' }))
    if (typeof settled === 'string') throw new Error(settled)
    settled.settle(actualOf(300))
    // On record: that call, and one of a gateway that died before it could tell.
    await stored(handler, [
      exchange('crashed', { charged: 300_000 }),
      exchange('crashed', { charged: 500_000 }),
    ])
    await until('the record is heard', async () => (await standing(sql, budget)).spent === 800_000)
    await until(
      'calls feel it',
      async () => (await tried(money, callOf(201, { tenant: 'crashed' }))) === 'budget-exhausted',
    )
    expect(await tried(money, callOf(200, { tenant: 'crashed' }))).toBeObject()
    await money.close()
  })

  test('a settlement that is not stored yet is not forgotten', async () => {
    const { sql } = database
    const budget = await plantBudget(sql, { limit_micros: 1_000_000, subject: 'ahead' })
    const money = await testMoney(sql)
    const call = await tried(money, callOf(300, { tenant: 'ahead' }))
    if (typeof call === 'string') throw new Error(call)
    call.settle(actualOf(300))
    await money.close()
    await reconcile(sql)
    expect((await standing(sql, budget)).spent).toBe(300_000)
  })
})
