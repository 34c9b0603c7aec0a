import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Interpret } from '#capture'
import { rebuild } from '../../../src/capture/storing/rebuild.ts'
import { report } from '../../../src/llm/money/report.ts'
import { resumSpend } from '../../../src/llm/money/resum.ts'
import { compactSpend, recordSpend } from '../../../src/llm/money/spend.ts'
import { called, handlerOn, interpretCall, quiet, stored } from '../../capture/store-support.ts'
import { type TestDatabase, testDatabase } from '../../support/postgres.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

const dayMs = 86_400_000
const now = Date.now()
const range = { since: now - 100 * dayMs, until: now + 3_600_000, tenant: null }

/** A reader with faults: wrong counts, a wrong model. */
const faulty: Interpret = (exchange) => {
  const means = interpretCall(exchange)
  const usage = means.usage === null ? null : { ...means.usage, input: 999 }
  return { ...means, usage, model_served: 'wrong' }
}

test('R5: after a rebuild the reports agree with the record, and budgets keep what was charged', async () => {
  const { sql } = database
  const handler = handlerOn(sql, { interpret: faulty, account: recordSpend })
  const call = (at: number, tags: string[] = []) =>
    called(
      { messages: [`user: ${crypto.randomUUID()}`] },
      { at, open: { tags }, end: { charged_micros: 50 } },
    )
  await stored(handler, [call(now - 60_000), call(now - dayMs, ['b', 'a']), call(now - 45 * dayMs)])
  await handler.close()
  await compactSpend(sql)
  // What is past retention has sums and no exchanges.
  await sql`
    insert into spend (hour, tenant, model, calls, unpriced, input_tokens, output_tokens, cache_read_tokens,
      cache_write_tokens, reasoning_tokens, cost_micros, charged_micros)
    select date_trunc('day', now() - interval '80 days', 'UTC'), 'default', 'old', 5, 0, 50, 0, 0, 0, 0, 70, 70`

  await rebuild({ sql, interpret: interpretCall, log: quiet })
  expect(await resumSpend(sql, {})).toBe(46)
  expect(await resumSpend(sql, {})).toBe(46)

  const { rows, total } = await report(sql, ['model'], range)
  expect(rows.map(({ model, calls, input_tokens }) => [model, calls, input_tokens])).toEqual([
    ['old', 5, 50],
    ['scripted-1', 3, 30],
  ])
  expect(total).toMatchObject({ calls: 8, cost_micros: 91 })
  const tagged = await report(sql, ['tag'], { ...range, since: now - 10 * dayMs })
  expect(tagged.rows.map(({ tag, calls }) => [tag, calls])).toContainEqual(['a', 1])
  const [row] = await sql<{ charged: number }[]>`select sum(charged_micros)::bigint as charged from spend`
  expect(row?.charged).toBe(220)
})
