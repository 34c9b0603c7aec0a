import { afterAll, beforeAll, expect, test } from 'bun:test'
import { timesAfter } from '../../src/jobs/schedules/times.ts'
import { adminKey } from '../access/support.ts'
import { type JobsApp, openJobsApp } from './http.ts'

let one: JobsApp

beforeAll(async () => {
  one = await openJobsApp()
}, 60_000)
afterAll(() => one.close())

type Schedule = {
  id: string
  type: string
  cron: string | null
  every: number | null
  time_zone: string
  upcoming: string[]
  key_id: string | null
  job: { kind: string; input?: unknown; tags?: string[]; webhook?: string }
  webhook?: { id: string; secret: string | null }
}
type Problem = { errors: { pointer: string; detail: string }[] }

async function made(body: Record<string, unknown> = {}, key = adminKey): Promise<Schedule> {
  const job = { kind: 'echo', input: { text: 'again' }, tags: ['nightly'] }
  const whole = { name: 'a test', cron: '0 3 * * *', job, ...body }
  const answer = await one.ask('POST', '/api/schedules', { body: whole, key })
  if (answer.status !== 201) throw new Error(answer.text)
  return answer.json
}
async function change(id: string, body: unknown, key = adminKey): Promise<Schedule> {
  const answer = await one.ask('PATCH', `/api/schedules/${id}`, { body, key })
  if (answer.status !== 200) throw new Error(answer.text)
  return answer.json
}
const pointers = async (method: string, path: string, body: unknown) => {
  const { status, json } = await one.ask(method, path, { body })
  return [status, ...(json as Problem).errors.map(({ pointer }) => pointer)]
}

test('a schedule can be given other times: by cron and zone, at an interval, once', async () => {
  const { id } = await made()
  const zoned = await change(id, { time_zone: 'Asia/Tokyo' })
  expect(zoned.upcoming.map((time) => time.slice(11, 16))).toEqual(Array(5).fill('18:00'))
  const later = await change(id, { cron: '30 4 * * *' })
  expect(later.upcoming.map((time) => time.slice(11, 16))).toEqual(Array(5).fill('19:30'))
  const often = await change(id, { every: 3_600 })
  expect([often.type, often.cron, often.every]).toEqual(['interval', null, 3_600])
  const at = new Date(Date.now() + 3_600_000).toISOString()
  const once = await change(id, { at })
  expect([once.type, once.every, once.upcoming]).toEqual(['once', null, [at]])
  const [row] = await one.database.sql<
    [{ next_at: Date }]
  >`select next_at from job_schedules where id = ${id}`
  expect(row.next_at.toISOString()).toBe(at)
})

test('one that is started again makes up for nothing, also where its zone is changed with that', async () => {
  for (const zone of [{}, { time_zone: 'Asia/Tokyo' }]) {
    const { id } = await made({ cron: undefined, every: 3_600 })
    await change(id, { enabled: false })
    await one.database.sql`update job_schedules set next_at = now() - interval '2 hours' where id = ${id}`
    const { upcoming } = await change(id, { enabled: true, ...zone })
    expect(Date.parse(upcoming[0] ?? '')).toBeGreaterThan(Date.now())
  }
})

test('its job can be changed; what is refused changes nothing, and says where it is wrong', async () => {
  const { id } = await made()
  const job = { kind: 'echo', input: { text: 'otherwise' }, tags: ['weekly'] }
  expect((await change(id, { job })).job).toMatchObject(job)
  const path = `/api/schedules/${id}`
  expect(await pointers('PATCH', path, { cron: '99 * * * *', name: 'lost' })).toEqual([422, '/cron'])
  expect(await pointers('PATCH', path, { time_zone: 'Mars/Olympus' })).toEqual([422, '/time_zone'])
  expect(await pointers('PATCH', path, { cron: '* * * * *', every: 5 })).toEqual([422, '/cron'])
  const wrong = { kind: 'http-request', input: { path: 5 } }
  expect(await pointers('PATCH', path, { job: wrong })).toEqual([422, '/job/input/path'])
  const gone = { kind: 'echo', webhook: '0197e5a0-1c2d-7000-8000-000000000000' }
  expect(await pointers('PATCH', path, { job: gone })).toEqual([422, '/job/webhook'])
  const { json } = await one.ask('GET', path)
  expect(json as unknown).toMatchObject({ name: 'a test', cron: '0 3 * * *', job })
})

test('whose job it becomes: that of the key that changed it, with the webhook that it had', async () => {
  const key = await one.key()
  const webhook = {
    url: 'http://127.0.0.1:9/told',
    secret: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
  }
  const first = await made({ job: { kind: 'echo', webhook } }, key)
  const operator = await one.key({ scopes: ['call', 'read', 'operator'] })
  expect((await change(first.id, { name: 'renamed' }, operator)).key_id).toBe(first.key_id)
  const after = await change(first.id, { job: { kind: 'echo', webhook: first.job.webhook } }, operator)
  expect(after.key_id).not.toBe(first.key_id)
  expect(after.job.webhook).toBe(first.webhook?.id)
  const moved = await change(first.id, { job: { kind: 'echo', webhook: { url: webhook.url } } }, operator)
  expect(moved.webhook?.secret).toStartWith('whsec_')
  const deeds = await one.database.sql<{ detail: unknown }[]>`
    select detail from audit_log where action = 'schedule.change' and subject = ${`schedule:${first.id}`} order by id`
  expect(deeds.map(({ detail }) => detail)).toEqual([
    { changed: ['name'] },
    { changed: ['job'] },
    { changed: ['job'] },
  ])
})

test('the times of one that is not made yet are those that it would have', async () => {
  const preview = async (body: unknown) =>
    ((await one.ask('POST', '/api/schedules/preview', { body })).json as Schedule).upcoming
  const cron = { cron: '15 2 * * 1-5', time_zone: 'America/New_York' }
  const [first, ...rest] = (await preview(cron)).map(Date.parse)
  const timing = { type: 'cron', cron: cron.cron, timeZone: cron.time_zone } as const
  expect(rest).toEqual(timesAfter(timing, first ?? 0, 4))
  expect(await preview(cron)).toEqual((await made(cron)).upcoming)
  const path = '/api/schedules/preview'
  expect(await pointers('POST', path, { cron: '61 * * * *' })).toEqual([422, '/cron'])
  expect(await pointers('POST', path, { cron: '0 0 30 2 *' })).toEqual([422, '/cron'])
  expect(await pointers('POST', path, { cron: '* * * * *', time_zone: 'x' })).toEqual([422, '/time_zone'])
  expect(await pointers('POST', path, { at: '2001-01-01T00:00:00Z' })).toEqual([422, '/at'])
  expect(await pointers('POST', path, {})).toEqual([422, '/cron'])
})
