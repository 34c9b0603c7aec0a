import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { SluiceError } from '#lib/errors'
import { newId } from '#lib/ids'
import { isBilled, shapeOf } from '../../../src/llm/money/estimate.ts'
import type { Candidate } from '../../../src/llm/money/money.ts'
import { periodEnd, periodStart } from '../../../src/llm/money/period.ts'
import { type TestDatabase, testDatabase } from '../../support/postgres.ts'
import { actualOf, callOf, plantBudget, plantPrice, testMoney, tried, usageOf } from './support.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await testDatabase()
  await plantPrice(database.sql)
})

afterAll(() => database.drop())

const local = { provider: 'ollama', model: 'llama', dialect: 'openai-chat', local: true }
const nameless = { provider: 'penny', model: 'two', dialect: 'openai-chat', local: false }

describe('M4: a spent budget', () => {
  test('does not block what costs nothing: free local models, reading, counting tokens', async () => {
    await plantBudget(database.sql, { limit_micros: 0, subject: 'spent' })
    const money = await testMoney(database.sql)
    const call = callOf(10, { tenant: 'spent' })
    expect(await tried(money, call)).toBe('budget-exhausted')
    expect(await tried(money, { ...call, candidates: [local] })).toBeObject()
    expect(await tried(money, { ...call, method: 'GET', path: '/v1/models' })).toBeObject()
    expect(await tried(money, { ...call, path: '/v1/messages/count_tokens' })).toBeObject()
    const mixed = await tried(money, { ...call, candidates: [...call.candidates, local] })
    expect(mixed).toMatchObject({ freeOnly: true, metered: false })
    await money.close()
  })

  test('blocks a local model that has a price', async () => {
    const { sql } = database
    await sql`insert into price_overrides (id, provider, model, input, output) values (${newId()}, 'vllm', 'big', 0, 1000000)`
    await plantBudget(sql, { limit_micros: 0, subject: 'own prices' })
    const money = await testMoney(sql)
    const candidates = [{ ...local, provider: 'vllm', model: 'big' }]
    expect(await tried(money, callOf(10, { tenant: 'own prices', candidates }))).toBe('budget-exhausted')
    await money.close()
  })
})

test('a WebSocket is not opened where a budget or a limit is about its calls, and is for others', async () => {
  await plantBudget(database.sql, { limit_micros: 1_000, subject: 'budgeted' })
  await database.sql`insert into rate_limits ${database.sql({
    ...{ id: newId(), name: 'few', scope: 'tenant', subject: 'limited', window_seconds: 60, requests: 1 },
  })}`
  const money = await testMoney(database.sql)
  const { candidates } = callOf(1)
  const opened = (tenant: string, of: readonly Candidate[] = candidates) => {
    try {
      money.admitSocket({ tenant, keyId: null, candidates: of })
      return 'opened'
    } catch (error) {
      return error instanceof SluiceError ? `${error.status} ${error.code}` : error
    }
  }
  expect(opened('nobody')).toBe('opened')
  expect(opened('budgeted')).toBe('426 budget-needs-http')
  expect(opened('budgeted', [local])).toBe('opened')
  expect(opened('limited')).toBe('426 limit-needs-http')
  expect(opened('limited', [local])).toBe('426 limit-needs-http')
  await money.close()
})

describe('a call without a price', () => {
  test('is refused under a budget, unless that allows it, and passes without one', async () => {
    await plantBudget(database.sql, { limit_micros: 1_000, subject: 'strict' })
    await plantBudget(database.sql, { limit_micros: 1_000, subject: 'lenient', unknown_price: 'allow' })
    const money = await testMoney(database.sql)
    const call = (tenant: string) => callOf(10, { tenant, candidates: [nameless] })
    expect(await tried(money, call('strict'))).toBe('price-unknown')
    expect(await tried(money, call('unbudgeted'))).toBeObject()
    const admitted = await tried(money, call('lenient'))
    if (typeof admitted === 'string') throw new Error(admitted)
    expect(admitted.settle({ ...actualOf(null), costMicros: 12 })).toBe(12)
    await money.close()
  })
})

describe('a budget of everything', () => {
  test('counts beside those of the key, the tenant and the route; the tightest decides', async () => {
    const { sql } = database
    const keyId = newId()
    for (const row of [
      { scope: 'key', subject: keyId, limit_micros: 30_000 },
      { scope: 'tenant', subject: 'four', limit_micros: 20_000 },
      { scope: 'route', subject: 'fast', limit_micros: 10_000 },
      { scope: 'global', subject: null, limit_micros: 40_000 },
    ] as const) {
      await plantBudget(sql, row)
    }
    const money = await testMoney(sql)
    const call = (output: number, changes: object) => tried(money, callOf(output, changes))
    expect(await call(11, { tenant: 'four', keyId, route: 'fast' })).toBe('budget-exhausted')
    const first = await call(10, { tenant: 'four', keyId, route: 'fast' })
    if (typeof first === 'string') throw new Error(first)
    expect(first.settle(actualOf(10))).toBe(10_000)
    expect(await call(1, { tenant: 'four', keyId, route: 'fast' })).toBe('budget-exhausted')
    expect(await call(11, { tenant: 'four', keyId })).toBe('budget-exhausted')
    expect(await call(10, { tenant: 'four', keyId })).toBeObject()
    expect(await call(10, { tenant: 'else', keyId })).toBeObject()
    expect(await call(11, { tenant: 'else' })).toBe('budget-exhausted')
    expect(await call(10, { tenant: 'else' })).toBeObject()
    await money.close()
    await sql`delete from budgets where scope = 'global'`
  })
})

describe('a call that tells no usage', () => {
  async function charged(actual: Parameters<Awaited<ReturnType<typeof admit>>['settle']>[0]) {
    const admission = await admit()
    return admission.settle(actual)
  }

  async function admit() {
    const money = await testMoney(database.sql)
    const admission = await tried(money, callOf(100, { tenant: 'silent' }))
    await money.close()
    if (typeof admission === 'string') throw new Error(admission)
    return admission
  }

  test('is charged by the bytes of its answer, and never more than was reserved', async () => {
    await plantBudget(database.sql, { limit_micros: 1e9, subject: 'silent' })
    expect(await charged(actualOf(null, 'completed', 40))).toBe(10_000)
    expect(await charged({ ...actualOf(null, 'client_gone', 600), streamed: true })).toBe(10_000)
    expect(await charged(actualOf(null, 'client_gone', 1e6))).toBe(100_000)
    expect(await charged(actualOf(null, 'upstream_unreachable', 0))).toBe(0)
    expect(await charged(actualOf(null, 'upstream_error', 1_000))).toBe(0)
    const cut = { ...actualOf(1, 'client_gone', 40), usage: usageOf(1, { final: false }) }
    expect(await charged(cut)).toBe(10_000)
    expect(await charged(actualOf(300, 'completed', 40))).toBe(300_000)
  })
})

describe('what is reserved', () => {
  const shape = (body: string, packed = false) => {
    const bytes = Buffer.from(body)
    return shapeOf({ body: bytes, bodyBytes: bytes.byteLength, packed })
  }

  test('is the largest limit that the body names, times the answers', () => {
    expect(shape('{"max_tokens": 17}').outputTokens).toBe(17)
    expect(shape('{"max_completion_tokens":5,"n" : 3}').outputTokens).toBe(15)
    expect(shape('{"generationConfig":{"maxOutputTokens":9,"candidateCount":2}}').outputTokens).toBe(18)
    expect(shape('{"tools":[{"max_tokens":1}],"max_output_tokens":800}').outputTokens).toBe(800)
    expect(shape('{"messages":["\\"max_tokens\\":9999999"],"max_tokens":4}').outputTokens).toBe(4)
    expect(shape('{}').outputTokens).toBe(4_096)
    expect(shape('{"max_tokens":1}', true)).toMatchObject({ inputTokens: 54, outputTokens: 4_096 })
    expect(shapeOf({ body: null, bodyBytes: null, packed: false }).inputTokens).toBe(349_526)
  })

  test('is more where the body asks to write to the cache', () => {
    expect(shape('{"cache_control":{"type":"ephemeral"}}').writes).toBe('minutes')
    expect(shape('{"cache_control":{"type":"ephemeral","ttl":"1h"}}').writes).toBe('hour')
    expect(shape('{}').writes).toBe('none')
  })

  test('is nothing for what no vendor bills', () => {
    expect(isBilled('POST', '/v1/messages')).toBe(true)
    expect(isBilled('POST', '/v1beta/models/gemini-2.5-pro:generateContent')).toBe(true)
    expect(isBilled('POST', '/v1/messages/batches')).toBe(true)
    for (const path of [
      '/v1/messages/count_tokens?beta=true',
      '/v1/files',
      '/v1beta/models/x:countTokens',
      '/v1/responses/a/cancel',
    ])
      expect([path, isBilled('POST', path)]).toEqual([path, false])
  })
})

describe('a period', () => {
  test('is one of UTC, leap days and ends of years among them', () => {
    const at = Date.UTC(2028, 1, 29, 23, 59, 59, 999)
    expect(periodStart('day', at)).toBe(Date.UTC(2028, 1, 29))
    expect(periodEnd('day', periodStart('day', at))).toBe(Date.UTC(2028, 2, 1))
    expect(periodEnd('month', periodStart('month', at))).toBe(Date.UTC(2028, 2, 1))
    expect(periodStart('month', Date.UTC(2026, 11, 31))).toBe(Date.UTC(2026, 11, 1))
    expect(periodEnd('month', Date.UTC(2026, 11, 1))).toBe(Date.UTC(2027, 0, 1))
    expect([periodStart('total', at), periodEnd('total', 0)]).toEqual([0, null])
  })

  test('that begins anew lets calls pass again', async () => {
    await plantBudget(database.sql, { limit_micros: 10_000, subject: 'daily' })
    const money = await testMoney(database.sql)
    const today = Date.now()
    const first = await tried(money, callOf(10, { tenant: 'daily', at: today }))
    if (typeof first === 'string') throw new Error(first)
    first.settle(actualOf(10))
    expect(await tried(money, callOf(10, { tenant: 'daily', at: today }))).toBe('budget-exhausted')
    expect(await tried(money, callOf(10, { tenant: 'daily', at: today + 86_400_000 }))).toBeObject()
    await money.close()
  })
})
