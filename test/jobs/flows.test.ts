import { afterAll, beforeAll, expect, test } from 'bun:test'
import { cancelMany } from '../../src/jobs/control/many.ts'
import { dependantsOf, settleDependants } from '../../src/jobs/dependencies.ts'
import { openMender } from '../../src/jobs/feeding/sweep.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
}, 60_000)
afterAll(() => database.drop())

const many = 10_000
/** A link at a time a deep one took 15 s on the same machine; it takes 1 s. */
const patienceMs = 6_000

/** The n-th job of a flow, from 0. */
const idOf = (flow: number, n: number) => `0190000${flow}-0000-7000-8000-${n.toString(16).padStart(12, '0')}`

/** Jobs from 0 on, of which each waits for some before it. `needs`: SQL over n. */
async function plant(flow: number, needs: string, count = many): Promise<string> {
  const { sql } = database
  const id = (n: string) => `('0190000${flow}-0000-7000-8000-' || lpad(to_hex(${n}), 12, '0'))::uuid`
  await sql.unsafe(`
    insert into jobs (id, tenant, kind, state, backoff, pending)
    select ${id('n')}, 'default', 'echo', case when n = 0 then 'queued' else 'waiting' end,
      '{"type":"fixed","ms":1,"max_ms":1}', 1 from generate_series(0, ${count}) n`)
  await sql.unsafe(`
    insert into job_dependencies (job_id, needs)
    select distinct ${id('n')}, ${id('need')} from generate_series(1, ${count}) n, lateral (${needs}) as x (need)`)
  await sql`analyze jobs, job_dependencies`
  return idOf(flow, 0)
}

const states = async (flow: number) => {
  const rows = await database.sql<{ state: string; n: number }[]>`
    select state, count(*)::int as n from jobs where id between ${idOf(flow, 1)} and ${idOf(flow, 0xffffffff)} group by 1`
  return Object.fromEntries(rows.map(({ state, n }) => [state, n]))
}

async function cancel(root: string): Promise<string[]> {
  await cancelMany(database.sql, [root], null)
  return await settleDependants(database.sql, await dependantsOf(database.sql, [root]))
}

test.each([
  ['deep', 1, 'select n - 1'],
  ['wide', 2, 'select 0'],
  ['a lattice', 3, 'select greatest(0, n - d) from generate_series(1, 4) d'],
])(
  'a flow of ten thousand that is %s falls with its first in bounded time',
  async (_, flow, needs) => {
    const root = await plant(flow, needs)
    const from = performance.now()
    const moved = await cancel(root)
    expect(performance.now() - from).toBeLessThan(patienceMs)
    expect(new Set(moved).size).toBe(many)
    expect(await states(flow)).toEqual({ failed: many })
    const [told] = await database.sql<[{ n: number; first: string; last: string }]>`
    select (select count(*)::int from job_events where job_id between ${idOf(flow, 1)} and ${idOf(flow, many)}) as n,
      (select error from jobs where id = ${idOf(flow, 1)}) as first,
      (select error from jobs where id = ${idOf(flow, many)}) as last`
    expect(told.n).toBe(many)
    expect(told.first).toContain(`${root} cancelled`)
    expect(told.last).toContain(flow === 2 ? `${root} cancelled` : ' failed')
  },
  60_000,
)

test('what may go on without goes on, and holds what waits for it from falling', async () => {
  const root = await plant(4, 'select n - 1', 20)
  await database.sql`update jobs set dependency_policy = 'continue' where id = ${idOf(4, 10)}`
  await cancel(root)
  expect(await states(4)).toEqual({ failed: 9, queued: 1, waiting: 10 })
})

test('two who settle the same flow at once do not wait for each other for ever, and each job falls once', async () => {
  const root = await plant(5, 'select greatest(0, n - d) from generate_series(1, 3) d', 2_000)
  await cancelMany(database.sql, [root], null)
  const settled = await Promise.all(
    Array.from({ length: 4 }, async () =>
      settleDependants(database.sql, await dependantsOf(database.sql, [root])),
    ),
  )
  expect(settled.flat().length).toBe(2_000)
  expect(await states(5)).toEqual({ failed: 2_000 })
}, 60_000)

test('one whose end was never told is found, though much else waits', async () => {
  const root = await plant(6, 'select 0', 12_000)
  const hidden = await plant(7, 'select n - 1', 50)
  await database.sql`update jobs set state = 'failed' where id = ${hidden}`
  const mend = openMender(database.sql)
  const moved: string[] = []
  for (let sweep = 0; sweep < 4; sweep += 1) moved.push(...(await mend()))
  expect(moved.length).toBe(50)
  expect(await states(7)).toEqual({ failed: 50 })
  expect((await states(6)).waiting).toBe(12_000)
  expect(root).toBe(idOf(6, 0))
}, 60_000)
