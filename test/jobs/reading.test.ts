import { afterAll, beforeAll, expect, test } from 'bun:test'
import { newId } from '#lib/ids'
import { type JobsApp, openJobsApp } from './http.ts'

let one: JobsApp
beforeAll(async () => {
  one = await openJobsApp()
  await one.database.sql`insert into tenants (id, name) values ('apart', 'Apart')`
}, 60_000)
afterAll(() => one.close())

async function submit(body: Record<string, unknown>, key?: string): Promise<string> {
  const answer = await one.ask('POST', '/api/jobs', {
    body: { kind: 'echo', ...body },
    ...(key ? { key } : {}),
  })
  return (answer.json as { id: string }).id
}

type Page = { items: { id: string; tenant: string }[]; next_cursor: string | null }
const list = async (query: string, key?: string) =>
  (await one.ask('GET', `/api/jobs${query}`, key ? { key } : {})).json as Page
const ids = async (query: string, key?: string) => (await list(query, key)).items.map(({ id }) => id)

test('a list is narrowed by everything, and goes on where it ended', async () => {
  const key = await one.key({ tenant: 'apart' })
  const a = await submit({ tags: ['red', 'big'], input: { text: 'find the needle here' } }, key)
  const b = await submit({ tags: ['red'], delay: 60 }, key)
  const c = await submit({ kind: 'scripted', input: {} }, key)
  expect(await ids('', key)).toEqual([c, b, a])
  expect(await ids('?tag=red', key)).toEqual([b, a])
  expect(await ids('?tag=red,big', key)).toEqual([a])
  expect(await ids('?state=scheduled', key)).toEqual([b])
  expect(await ids('?state=scheduled,queued', key)).toEqual([c, b, a])
  expect(await ids('?kind=scripted', key)).toEqual([c])
  expect(await ids('?q=needle', key)).toEqual([a])
  expect(await ids('?q="the needle" -red', key)).toEqual([])
  expect(await ids(`?since=${Date.now() + 1_000}`, key)).toEqual([])
  const first = await list('?limit=2', key)
  expect(first.items.map(({ id }) => id)).toEqual([c, b])
  expect(await ids(`?limit=2&cursor=${first.next_cursor}`, key)).toEqual([a])
})

test('a key sees its own tenant, an admin all or one', async () => {
  const key = await one.key({ tenant: 'apart' })
  const mine = await submit({}, key)
  const other = await submit({})
  expect(await ids('', key)).not.toContain(other)
  expect((await one.ask('GET', '/api/jobs?tenant=default', { key })).status).toBe(403)
  expect(await ids('')).toEqual(expect.arrayContaining([mine, other]))
  expect(await ids('?tenant=apart')).not.toContain(other)
  for (const path of ['', '/input', '/events', '/file']) {
    expect((await one.ask('GET', `/api/jobs/${other}${path}`, { key })).status).toBe(404)
  }
  expect((await one.ask('POST', `/api/jobs/${other}/cancel`, { key })).status).toBe(404)
})

test.each(['?state=done', '?limit=0', '?cursor=x', '?q=', '?colour=red', '?since=yesterday'])(
  'a list refuses %s',
  async (query) => expect((await one.ask('GET', `/api/jobs${query}`)).status).toBe(400),
)

test('Q7: a list never has bodies, and a detail cuts a large one short and says where it is', async () => {
  const text = 'x'.repeat(5 * 1024 * 1024)
  const id = await submit({ input: { text } })
  const page = await one.ask('GET', '/api/jobs?limit=1')
  expect(page.text.length).toBeLessThan(2_000)
  const shown = await one.ask('GET', `/api/jobs/${id}`)
  expect(shown.text.length).toBeLessThan(5_000)
  const { input } = shown.json as { input: { truncated: boolean; bytes: number; link: string } }
  expect(input).toMatchObject({ truncated: true, bytes: text.length + 11 })
  const whole = await one.ask('GET', input.link)
  expect(whole.headers.get('content-disposition')).toContain('attachment')
  expect(whole.json).toEqual({ text } as never)
})

test('a detail that has not changed is 304', async () => {
  const id = await submit({})
  const etag = (await one.ask('GET', `/api/jobs/${id}`)).headers.get('etag') ?? ''
  const headers = { 'if-none-match': etag }
  const same = await one.ask('GET', `/api/jobs/${id}`, { headers })
  expect([same.status, same.text]).toEqual([304, ''])
  // What it hangs together with is part of the detail, and changes without the job.
  await submit({ depends_on: [id] })
  expect((await one.ask('GET', `/api/jobs/${id}`, { headers })).status).toBe(200)
  await one.ask('POST', `/api/jobs/${id}/cancel`)
  expect((await one.ask('GET', `/api/jobs/${id}`, { headers })).status).toBe(200)
})

test('a key does not have a job run again that it may not submit', async () => {
  const id = await submit({ kind: 'replay', input: { exchange_id: '01900000-0000-7000-8000-000000000000' } })
  await one.database.sql`update jobs set state = 'failed' where id = ${id}`
  const retry = async (key: string) => (await one.ask('POST', `/api/jobs/${id}/retry`, { key })).status
  expect(await retry(await one.key({ scopes: ['call'] }))).toBe(403)
  expect(await retry(await one.key({ scopes: ['call', 'replay'] }))).toBe(202)
})

test('a detail adds up what the job’s calls cost', async () => {
  const id = await submit({})
  for (const cost of [7, 35]) await plantExchange(`job:${id}`, cost)
  await plantExchange('job:another', 1_000)
  expect((await one.ask('GET', `/api/jobs/${id}`)).json).toMatchObject({
    exchanges: { count: 2, cost_micros: 42 },
  })
})

test('a file comes in one piece', async () => {
  const id = await submit({})
  const { sql } = one.database
  const pieces = ['{"a":1}\n', '{"b":2}\n']
  for (const [n, piece] of pieces.entries())
    await sql`insert into job_files (job_id, n, data) values (${id}, ${n}, ${Bun.zstdCompressSync(piece)})`
  await sql`update jobs set file_bytes = 16 where id = ${id}`
  expect((await one.ask('GET', `/api/jobs/${id}/file`)).text).toBe(pieces.join(''))
})

test('a job that does not run is cancelled at once, with those that depend on it', async () => {
  const id = await submit({ delay: 60 })
  const after = await submit({ depends_on: [id] })
  const cancelled = await one.ask('POST', `/api/jobs/${id}/cancel`, { body: { reason: 'a mistake' } })
  expect(cancelled.json).toEqual({ id, state: 'cancelled' } as never)
  expect((await one.ask('GET', `/api/jobs/${id}`)).json).toMatchObject({ cancel_reason: 'a mistake' })
  expect((await one.ask('GET', `/api/jobs/${after}`)).json).toMatchObject({
    state: 'failed',
    error_class: 'DependencyFailed',
  })
  expect((await one.ask('POST', `/api/jobs/${id}/cancel`)).status).toBe(409)
  const again = await one.ask('POST', `/api/jobs/${id}/retry`)
  expect(again.json).toEqual({ id, state: 'queued' } as never)
  expect((await one.ask('POST', `/api/jobs/${id}/retry`)).status).toBe(409)
})

test('a scheduled job can be run now, and an ended one removed', async () => {
  const id = await submit({ delay: 60 })
  expect((await one.ask('DELETE', `/api/jobs/${id}`)).status).toBe(409)
  expect((await one.ask('POST', `/api/jobs/${id}/promote`)).json).toEqual({ id, state: 'queued' } as never)
  expect((await one.ask('POST', `/api/jobs/${id}/promote`)).status).toBe(409)
  await one.ask('POST', `/api/jobs/${id}/cancel`)
  expect((await one.ask('DELETE', `/api/jobs/${id}`)).status).toBe(204)
  expect((await one.ask('GET', `/api/jobs/${id}`)).status).toBe(404)
})

test('what is no job is 404', async () => {
  for (const id of [newId(), 'nonsense']) expect((await one.ask('GET', `/api/jobs/${id}`)).status).toBe(404)
})

async function plantExchange(tag: string, cost_micros: number): Promise<void> {
  const { sql } = one.database
  const day = new Date()
  const [made] = await sql`select to_regclass('exchanges_test') as name`
  if (made?.name === null) await sql.unsafe('create table exchanges_test partition of exchanges default')
  const row = {
    id: newId(day.getTime() + 5),
    tenant: 'default',
    tags: sql.array([tag]),
    mode: 'full',
    protocol: 'http',
  }
  const rest = { method: 'POST', path: '/v1/messages', outcome: 'completed', started_at: day, ended_at: day }
  const sizes = { request_bytes: 1, response_bytes: 1, spool: 's', seq: 1, cost_micros }
  await sql`insert into exchanges ${sql({ ...row, ...rest, ...sizes } as never)}`
}
