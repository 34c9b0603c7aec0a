import { afterEach, expect, test } from 'bun:test'
import { newId } from '#lib/ids'
import { guard } from '../../../src/llm/cache/guard.ts'
import { memoryStore } from '../../../src/llm/cache/memory-store.ts'
import { openResponseCache } from '../../../src/llm/cache/response-cache.ts'
import { pruneLadders } from '../../../src/llm/ladder/upkeep.ts'
import type { OpenMoney } from '../../../src/llm/money/open-money.ts'
import { type TestDatabase, testDatabase } from '../../support/postgres.ts'
import { until } from '../../support/until.ts'
import { quiet, testMoney } from '../money/support.ts'
import { type LadderGateway, openLadderGateway } from './support.ts'

/** Cache, limits and retention, as a ladder has them. */
let on: LadderGateway | null = null
let purse: { money: OpenMoney; database: TestDatabase } | null = null
afterEach(async () => {
  await on?.close()
  await purse?.money.close()
  await purse?.database.drop()
  on = null
  purse = null
})

const rungs = ['deepseek/cheap', 'openai/middle'].map((model) => ({ model, retries: 0 }))
const ladder = { rungs, judges: [{ kind: 'regex', pattern: '^good' }] }
const climbing = { cheap: ['bad'], middle: ['good'] }

test('a route with a cache climbs once for equal requests, and a changed ladder climbs again', async () => {
  let stored = 0
  const store = guard(memoryStore({ maxBytes: 1e6 }), { log: quiet })
  const cache = openResponseCache({
    store,
    observe: (state) => {
      if (state === 'stored') stored += 1
    },
  })
  on = await openLadderGateway({ cache })
  await on.ladder(ladder, climbing, { cache: {} })
  const first = await on.say('Hi')
  expect([first.said, first.headers.get('sluice-cache')]).toEqual(['good', 'miss'])
  await until('it is stored', () => stored === 1)
  const second = await on.say('Hi')
  expect([second.said, second.headers.get('sluice-cache'), on.asked.length]).toEqual(['good', 'hit', 2])
  expect((await on.gateway.record(second.response)).end.cache).toBe('hit')

  await on.ladder({ ...ladder, rungs: [{ model: 'openai/middle' }] }, climbing, { cache: {} })
  expect((await on.say('Hi')).headers.get('sluice-cache')).toBe('miss')
  expect(on.asked.map(({ model }) => model)).toEqual(['middle'])
})

test('a climb counts as one request, and its rungs with their tokens', async () => {
  const database = await testDatabase()
  const limit = { scope: 'tenant', subject: 'acme', tenant: 'acme', window_seconds: 3_600 }
  await database.sql`insert into rate_limits ${database.sql({ id: newId(), name: 'few', requests: 2, tokens: 4_000, ...limit })}`
  const money = await testMoney(database.sql)
  purse = { money, database }
  on = await openLadderGateway({ money })
  await on.ladder(ladder, climbing)
  const { headers, status } = await on.say('Hi')
  expect([status, on.asked.length]).toEqual([200, 2])
  expect(headers.get('ratelimit')).toContain('"few-requests";r=1')
  // Two rungs of 1,100 tokens each were asked.
  const second = await on.say('Hi')
  expect(second.status).toBe(200)
  expect(second.headers.get('ratelimit')).toMatch(/"few-requests";r=0;.*"few-tokens";r=1800/)
  expect((await on.say('Hi')).status).toBe(429)
})

test('climbs and answered tasks go after their keep; a question that waits stays, with its climb', async () => {
  const database = await testDatabase()
  const { sql } = database
  await sql`insert into tenants (id, name) values ('acme', 'Acme')`
  const days = (count: number) => newId(Date.now() - count * 86_400_000)
  const names: Record<string, string> = {}
  for (const [name, age, status] of [
    ['old and answered', 40, 'answered'],
    ['old and waiting', 40, 'waiting'],
    ['new', 1, 'answered'],
  ] as const) {
    const [climb, task] = [days(age), days(age)]
    names[climb] = name
    names[task] = name
    await sql`insert into climbs ${sql({
      ...{ id: climb, tenant: 'acme', exchange_id: newId(), outcome: 'human', steps: sql.json([]) },
      ...{ cost_micros: 0, unpriced: 0, task_id: task },
    })}`
    await sql`insert into human_tasks ${sql({
      ...{ id: task, tenant: 'acme', climb_id: climb, exchange_id: newId(), request_hash: Buffer.from(task) },
      ...{ status, instructions: '', question: '', proposals: sql.json([]) },
      answer: status === 'answered' ? 'yes' : null,
    })}`
  }
  await pruneLadders(sql, 30)
  await pruneLadders(sql, 30)
  const left = (rows: readonly { id: string }[]) => rows.map(({ id }) => names[id] ?? '').sort()
  expect(left(await sql<{ id: string }[]>`select id from climbs`)).toEqual(['new', 'old and waiting'])
  expect(left(await sql<{ id: string }[]>`select id from human_tasks`)).toEqual(['new', 'old and waiting'])
  await database.drop()
})
