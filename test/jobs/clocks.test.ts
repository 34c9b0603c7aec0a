import { afterAll, afterEach, beforeAll, expect, setSystemTime, test } from 'bun:test'
import { openRegistry } from '#jobs'
import { fireDue } from '../../src/jobs/schedules/fire.ts'
import { type JobsApp, openJobsApp } from './http.ts'
import { testKinds } from './support.ts'

let one: JobsApp
beforeAll(async () => {
  one = await openJobsApp()
}, 60_000)
afterEach(() => setSystemTime())
afterAll(() => one.close())

const registry = openRegistry(testKinds())
const hourMs = 3_600_000
type Row = { fired: number; ahead: number }
const row = async (id: string) => {
  const [found] = await one.database.sql<[Row]>`
    select fired::int, extract(epoch from next_at - now())::float8 * 1000 as ahead
    from job_schedules where id = ${id}`
  return found
}
async function due(): Promise<string> {
  const body = { name: 'a', every: 60, missed: 'skip', job: { kind: 'echo' } }
  const { id } = (await one.ask('POST', '/api/schedules', { body })).json as { id: string }
  await one.database.sql`update job_schedules set next_at = now() where id = ${id}`
  return id
}

test.each([
  ['ahead by an hour', hourMs],
  ['behind by an hour', -hourMs],
  ['behind by a day', -24 * hourMs],
])('a worker whose clock is %s submits each time once, and leaves none out', async (_, skew) => {
  const id = await due()
  setSystemTime(new Date(Date.now() + skew))
  expect((await fireDue(one.database.sql, registry)).fired).toBe(1)
  expect((await fireDue(one.database.sql, registry)).fired).toBe(0)
  setSystemTime()
  expect((await fireDue(one.database.sql, registry)).fired).toBe(0)
  const { fired, ahead } = await row(id)
  expect([fired, ahead > 0 && ahead <= 60_000]).toEqual([1, true])
})

test('of twenty workers that look at the same moment one submits', async () => {
  const id = await due()
  const looks = await Promise.all(Array.from({ length: 20 }, () => fireDue(one.database.sql, registry)))
  expect(looks.reduce((sum, { fired }) => sum + fired, 0)).toBe(1)
  const [made] = await one.database.sql<[{ n: number }]>`
    select count(*)::int as n from jobs where schedule_id = ${id}`
  expect(made.n).toBe(1)
})
