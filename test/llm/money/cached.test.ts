import { afterAll, beforeAll, expect, test } from 'bun:test'
import { newId } from '#lib/ids'
import { guard } from '../../../src/llm/cache/guard.ts'
import { memoryStore } from '../../../src/llm/cache/memory-store.ts'
import { openResponseCache } from '../../../src/llm/cache/response-cache.ts'
import type { OpenMoney } from '../../../src/llm/money/open-money.ts'
import { type TestDatabase, testDatabase } from '../../support/postgres.ts'
import { until } from '../../support/until.ts'
import { type TestGateway, testGateway } from '../proxy-support.ts'
import { plantBudget, quiet, testMoney } from './support.ts'

/** What budgets and limits are to a call that the cache answers. */
let database: TestDatabase
let money: OpenMoney
let gateway: TestGateway
let stored = 0

beforeAll(async () => {
  database = await testDatabase()
  money = await testMoney(database.sql)
  const store = guard(memoryStore({ maxBytes: 1e6 }), { log: quiet })
  const cache = openResponseCache({
    store,
    observe: (state) => {
      if (state === 'stored') stored += 1
    },
  })
  gateway = await testGateway(
    (reply) =>
      reply.answer(
        200,
        { 'content-type': 'application/json' },
        JSON.stringify({
          ...{ id: 'a', type: 'message', role: 'assistant', model: 'claude-haiku-4-5', content: [] },
          ...{ stop_reason: 'end_turn', usage: { input_tokens: 100, output_tokens: 40 } },
        }),
      ),
    { money, cache },
  )
})

afterAll(async () => {
  await gateway.stop()
  await money.close()
  await database.drop()
})

function ask(content: string): Promise<Response> {
  return fetch(`${gateway.url}/v1/messages`, {
    method: 'POST',
    headers: { 'sluice-cache': 'on' },
    body: JSON.stringify({
      ...{ model: 'claude-haiku-4-5', max_tokens: 40, messages: [{ role: 'user', content }] },
    }),
  })
}

test('a spent budget refuses what would cost, not what the cache knows, and that is charged nothing', async () => {
  // The first call costs 100 + 40 × 5 micro-units.
  await plantBudget(database.sql, { limit_micros: 300 })
  await money.refresh()
  await (await ask('one')).text()
  await until('it is stored', () => stored === 1)
  expect((await ask('two')).status).toBe(402)
  const hit = await ask('one')
  expect([hit.status, hit.headers.get('sluice-cache')]).toEqual([200, 'hit'])
  expect((await gateway.record(hit)).end.charged_micros).toBeUndefined()
  await database.sql`delete from budgets`
})

test('a rate limit counts whatever is asked, though the cache answers; its tokens are none', async () => {
  await database.sql`insert into rate_limits ${database.sql({
    ...{ id: newId(), name: 'few', scope: 'tenant', subject: 'acme', tenant: 'acme' },
    ...{ window_seconds: 3_600, requests: 2, tokens: 1_000 },
  })}`
  await money.refresh()
  const hit = await ask('one')
  expect(hit.headers.get('ratelimit')).toContain('"few-requests";r=1')
  const last = await ask('one')
  expect(last.headers.get('ratelimit')).toMatch(/"few-requests";r=0;.*"few-tokens";r=(9\d\d|1000)/)
  expect((await ask('one')).status).toBe(429)
})
