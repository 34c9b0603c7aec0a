import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { SluiceError } from '#lib/errors'
import { newId } from '#lib/ids'
import type { RateLimit } from '../../../src/llm/money/budget.ts'
import { type Limiter, openLimiter } from '../../../src/llm/money/limiter.ts'
import { type TestDatabase, testDatabase } from '../../support/postgres.ts'
import { until } from '../../support/until.ts'
import { actualOf, callOf, plantPrice, quiet, testMoney, tried } from './support.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await testDatabase()
  await plantPrice(database.sql)
})

afterAll(() => database.drop())

function limitOf(changes: Partial<RateLimit>): RateLimit {
  return {
    ...{ id: newId(), name: 'team', scope: 'tenant', subject: 'acme', window_seconds: 60 },
    ...{ requests: null, tokens: null },
    ...changes,
  }
}

/** The start of a window of a minute. */
const start = Math.ceil(Date.now() / 60_000) * 60_000

function refusal(limiter: Limiter, limit: RateLimit, at: number): SluiceError | null {
  try {
    limiter.count([limit], { requests: 1, tokens: 0, at })
    return null
  } catch (error) {
    if (error instanceof SluiceError) return error
    throw error
  }
}

describe('a rate limit', () => {
  test('lets so many requests pass in a window, and says with 429 when there is room again', async () => {
    const limiter = openLimiter({ sql: database.sql, log: quiet })
    const limit = limitOf({ requests: 10 })
    const answers = Array.from({ length: 14 }, () => refusal(limiter, limit, start + 15_000))
    expect(answers.filter((answer) => answer === null).length).toBe(10)
    const last = answers.at(-1)
    expect([last?.status, last?.code]).toEqual([429, 'rate-limited'])
    // 45 s to the window's end, then a tenth of a window until one of ten lies too far back.
    expect(last?.headers['retry-after']).toBe('51')
    expect(last?.headers['ratelimit-policy']).toBe('"team-requests";q=10;w=60')
    expect(last?.headers.ratelimit).toBe('"team-requests";r=0;t=45')
    expect(refusal(limiter, limit, start + 15_000 + 50_000)).not.toBeNull()
    expect(refusal(limiter, limit, start + 15_000 + 51_000)).toBeNull()
    expect(refusal(limiter, limit, start + 15_000 + 51_000)).not.toBeNull()
    expect(refusal(limiter, limit, start + 180_000)).toBeNull()
    await limiter.close()
  })

  test('on tokens counts what was sent at once, and what came back at the end', async () => {
    const limiter = openLimiter({ sql: database.sql, log: quiet })
    const limit = limitOf({ tokens: 100 })
    const first = limiter.count([limit], { requests: 1, tokens: 60, at: start })
    expect(first.headers.ratelimit).toBe('"team-tokens";r=40;t=60')
    expect(refusal(limiter, limit, start)).toBeNull()
    first.add(40)
    expect(refusal(limiter, limit, start)?.code).toBe('rate-limited')
    first.add(-1)
    expect(refusal(limiter, limit, start)).toBeNull()
    await limiter.close()
  })

  test('is shared by gateways as soon as they have exchanged their counts', async () => {
    const limit = limitOf({ requests: 10 })
    const [one, other] = [1, 2].map(() => openLimiter({ sql: database.sql, log: quiet, tickMs: 20 }))
    if (one === undefined || other === undefined) throw new Error('no limiter')
    for (let index = 0; index < 6; index++) expect(refusal(one, limit, start)).toBeNull()
    expect(refusal(other, limit, start)).toBeNull()
    await until(
      'the other knows',
      () => other.count([], { requests: 1, tokens: 0, at: start }) && leftAt(other, limit) <= 3,
    )
    let passed = 0
    while (refusal(other, limit, start) === null) passed += 1
    expect(passed).toBeLessThanOrEqual(3)
    await Promise.all([one.close(), other.close()])
  })

  test('of a key is told in the answer’s headers, and refused before any budget is touched', async () => {
    const { sql } = database
    const key = newId()
    await sql`insert into rate_limits (id, name, scope, subject, tenant, window_seconds, requests)
      values (${newId()}, 'key', 'key', ${key}, 'acme', 60, 1)`
    const money = await testMoney(sql)
    const admitted = await tried(money, callOf(1, { keyId: key, at: start }))
    if (typeof admitted === 'string') throw new Error(admitted)
    expect(admitted.headers['ratelimit-policy']).toBe('"key-requests";q=1;w=60')
    expect(admitted.settle(actualOf(1))).toBeNull()
    expect(await tried(money, callOf(1, { keyId: key, at: start }))).toBe('rate-limited')
    expect(await tried(money, callOf(1, { keyId: newId(), at: start }))).toBeObject()
    await money.close()
  })
})

/** What a look at the headers says is left, without a count. */
function leftAt(limiter: Limiter, limit: RateLimit): number {
  const counted = limiter.count([{ ...limit, requests: 1_000 }], { requests: 1, tokens: 0, at: start })
  const left = Number(/r=(\d+)/.exec(counted.headers.ratelimit ?? '')?.[1])
  return 10 - (1_000 - left)
}
