import { afterAll, beforeAll, expect, test } from 'bun:test'
import { timesAfter } from '../../src/jobs/schedules/times.ts'
import { until } from '../support/until.ts'
import { type JobsApp, openJobsApp } from './http.ts'
import { openRig, type Rig } from './support.ts'

/** Two workers with their clocks, and an app on the same database. */
let rig: Rig
let one: JobsApp
let gate = Promise.resolve()

beforeAll(async () => {
  rig = await openRig('postgres', async () => await gate)
  one = await openJobsApp({ database: rig.database })
  await Promise.all([rig.worker(), rig.worker()])
}, 60_000)
afterAll(async () => {
  await one.close()
  await rig.close()
})

type Schedule = {
  id: string
  upcoming: string[]
  next_at: string | null
  error: string | null
  fired: number
}
const echo = { kind: 'echo', input: { text: 'again' } }

async function schedule(body: Record<string, unknown>, key?: string): Promise<Schedule> {
  const answer = await one.ask('POST', '/api/schedules', {
    body: { name: 'a test', job: echo, ...body },
    ...(key ? { key } : {}),
  })
  if (answer.status !== 201) throw new Error(answer.text)
  return answer.json as Schedule
}
const show = async (id: string) => (await one.ask('GET', `/api/schedules/${id}`)).json as Schedule
const made = (id: string) =>
  rig.database.sql<{ late: number; state: string }[]>`
    select (extract(epoch from created_at) * 1000 % 1000)::float8 as late, state from jobs
    where schedule_id = ${id} order by id`

test('Q10: a cron submits on time, once a time, although two workers look', async () => {
  const { id } = await schedule({ cron: '* * * * * *' })
  await until('three times have come', async () => (await made(id)).length >= 3)
  await one.ask('PATCH', `/api/schedules/${id}`, { body: { enabled: false } })
  const jobs = await made(id)
  // A busy machine may hold one up; not all.
  expect(Math.min(...jobs.map(({ late }) => late))).toBeLessThan(300)
  const [row] = await rig.database.sql<[{ n: number }]>`
    select count(distinct date_trunc('second', created_at))::int as n from jobs where schedule_id = ${id}`
  expect(row.n).toBe(jobs.length)
  expect((await show(id)).fired).toBe(jobs.length)
}, 20_000)

test('one of a single time submits once, and then has no further time', async () => {
  const { id } = await schedule({ at: new Date(Date.now() + 1_500).toISOString() })
  await until('it has come', async () => (await made(id)).length === 1)
  expect(await show(id)).toMatchObject({ next_at: null, upcoming: [], fired: 1 })
})

test('with overlap skip a time is passed over while the last job runs, and the reason is told', async () => {
  const held = Promise.withResolvers<void>()
  gate = held.promise
  const { id } = await schedule({ every: 1, overlap: 'skip', job: { kind: 'scripted', input: {} } })
  await until('a time was passed over', async () => (await show(id)).error?.includes('is still') ?? false)
  expect((await made(id)).length).toBe(1)
  held.resolve()
  await until('it goes on', async () => (await made(id)).length > 1)
  expect((await one.ask('DELETE', `/api/schedules/${id}`)).status).toBe(204)
}, 20_000)

test('times that were missed are made up for by one job, or not at all', async () => {
  const { sql } = rig.database
  // Half a day from now, so that none of its own times comes meanwhile.
  const cron = `0 ${(new Date().getUTCHours() + 12) % 24} * * *`
  const once = await schedule({ cron })
  const skip = await schedule({ cron, missed: 'skip' })
  await sql`update job_schedules set next_at = now() - interval '3 days' where id in (${once.id}, ${skip.id})`
  await until('both were seen to', async () => {
    const both = await Promise.all([show(once.id), show(skip.id)])
    return both.every(({ next_at }) => Date.parse(next_at ?? '') > Date.now())
  })
  expect([(await made(once.id)).length, (await made(skip.id)).length]).toEqual([1, 0])
  expect((await show(skip.id)).error).toContain('missed')
})

test('a schedule ends with the key that made it', async () => {
  const key = await one.key()
  const { id } = await schedule({ every: 1 }, key)
  await until('it has come', async () => (await made(id)).length > 0)
  await rig.database.sql`
    update access_keys set revoked_at = now() where id = (select key_id::uuid from job_schedules where id = ${id})`
  await until('it tells why not', async () => (await show(id)).error?.includes('no longer good') ?? false)
}, 20_000)

test('its job can be submitted now, and another key must not touch it', async () => {
  const { id } = await schedule({ cron: '0 3 1 1 *' })
  const { job_id } = (await one.ask('POST', `/api/schedules/${id}/run`)).json as { job_id: string }
  await rig.becomes(job_id, 'succeeded')
  const key = await one.key()
  for (const [method, path] of [
    ['PATCH', ''],
    ['DELETE', ''],
    ['POST', '/run'],
  ] as const)
    expect((await one.ask(method, `/api/schedules/${id}${path}`, { key })).status).toBe(403)
  const operator = await one.key({ scopes: ['call', 'operator'] })
  expect(
    (await one.ask('PATCH', `/api/schedules/${id}`, { key: operator, body: { name: 'x' } })).status,
  ).toBe(200)
})

test.each([
  [{ cron: 'every day' }, '/cron'],
  [{ cron: '61 * * * *' }, '/cron'],
  [{ cron: '* * * * * * *' }, '/cron'],
  [{ cron: '0 0 30 2 *' }, '/cron'],
  [{ cron: '* * * * *', time_zone: 'Mars/Olympus' }, '/time_zone'],
  [{ cron: '* * * * *', every: 5 }, '/cron'],
  [{}, '/cron'],
  [{ every: 0.1 }, '/every'],
  [{ at: '2020-01-01T00:00:00Z' }, '/at'],
  [{ every: 5, job: { kind: 'http-request', input: { path: '/x' } } }, '/job/input/path'],
  [{ every: 5, job: { ...echo, run_at: '2120-01-01T00:00:00Z' } }, '/job/run_at'],
  [{ every: 5, job: { ...echo, webhook: '01900000-0000-7000-8000-000000000000' } }, '/job/webhook'],
  [{ every: 5, job: { ...echo, webhook: { url: 'http://a:b@example.org/' } } }, '/job/webhook/url'],
  [{ every: 5, job: { ...echo, kind: 'ecco' } }, '/job/kind'],
  [
    { every: 5, job: { ...echo, webhook: { url: 'https://example.org/', secret: 'x' } } },
    '/job/webhook/secret',
  ],
])('%j is refused', async (body, pointer) => {
  const answer = await one.ask('POST', '/api/schedules', { body: { name: 'bad', job: echo, ...body } })
  expect(answer.status).toBe(422)
  expect((answer.json as { errors: { pointer: string }[] }).errors.map((error) => error.pointer)).toEqual([
    pointer,
  ])
})

test('times are those of the zone, over the days that clocks are changed', () => {
  const timing = { type: 'cron' as const, cron: '30 2 * * *', timeZone: 'Europe/Berlin' }
  const iso = (from: string) =>
    timesAfter(timing, Date.parse(from), 3).map((ms) => new Date(ms).toISOString())
  const [before, changed, after] = iso('2027-03-26T12:00:00Z')
  expect([before, after]).toEqual(['2027-03-27T01:30:00.000Z', '2027-03-29T00:30:00.000Z'])
  expect(changed).toMatch(/^2027-03-28T01:[03]0:00/)
  expect(iso('2027-10-30T12:00:00Z').length).toBe(3)
  expect(new Set(iso('2027-10-30T12:00:00Z').map((time) => time.slice(0, 10))).size).toBe(3)
})
