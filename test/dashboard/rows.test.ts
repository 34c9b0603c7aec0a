import { afterAll, beforeAll, expect, test } from 'bun:test'
import { adminKey, bearer } from '../access/support.ts'
import { ask } from '../processes/support.ts'
import { plantJob } from './rows.ts'
import { type TestBoard, testBoard } from './support.ts'

let one: TestBoard

beforeAll(async () => {
  one = await testBoard()
  await one.sql`insert into tenants (id, name) values ('apart', 'Apart')`
})
afterAll(() => one[Symbol.asyncDispose]())

const get = (path: string, key = adminKey) => ask(one.app, path, { headers: bearer(key) })
const idsOf = async (query: string, key = adminKey) =>
  (await get(`/api/queues/jobs/rows?${query}`, key)).json.items.map(({ id }: { id: string }) => id)

test('jobs are found by state, kind, tag, tenant, time, words and id', async () => {
  const { sql } = one
  const failed = await plantJob(sql, {
    kind: 'export',
    state: 'failed',
    error: 'no luck',
    words: 'weekly report',
  })
  const queued = await plantJob(sql, { kind: 'replay', tags: ['nightly'] })
  const theirs = await plantJob(sql, { kind: 'replay', tenant: 'apart' })
  expect(await idsOf('')).toEqual([theirs, queued, failed])
  expect(await idsOf('state=failed,cancelled')).toEqual([failed])
  expect(await idsOf('kind=replay&tenant=default')).toEqual([queued])
  expect(await idsOf('tag=nightly')).toEqual([queued])
  expect(await idsOf('q=report')).toEqual([failed])
  expect(await idsOf('q=%22weekly%20report%22%20-monthly')).toEqual([failed])
  expect(await idsOf(`q=${queued}`)).toEqual([queued])
  expect(await idsOf('until=2020-01-01T00:00:00Z')).toEqual([])
  expect(await idsOf('since=2020-01-01T00:00:00Z&limit=1')).toEqual([theirs])
  const own = await one.keyWith(['read'], 'apart')
  expect(await idsOf('', own)).toEqual([theirs])
  expect((await get('/api/queues/jobs/rows?tenant=default', own)).status).toBe(403)
  expect((await get(`/api/queues/jobs/rows/${queued}`, own)).status).toBe(404)
  expect((await get('/api/queues/jobs/rows?state=odd')).status).toBe(400)
})

test('a list goes on from its cursor and says how many there are', async () => {
  const first = await get('/api/queues/jobs/rows?limit=2')
  expect(first.json).toMatchObject({ total: 3, total_is_least: false })
  const second = await get(`/api/queues/jobs/rows?limit=2&cursor=${first.json.next_cursor}`)
  expect(second.json).toMatchObject({ items: [{ kind: 'export' }], next_cursor: null, total: null })
})

test('Q7: of a job of 5 MB a page gets the beginning, and a download all of it', async () => {
  const text = 'ä'.repeat(2_500_000)
  const id = await plantJob(one.sql, { state: 'succeeded', input: { text }, result: { ok: true } })
  const shown = await get(`/api/queues/jobs/rows/${id}`)
  expect(shown.text.length).toBeLessThan(80_000)
  expect(shown.json.input).toMatchObject({ bytes: 5_000_011, cut: true })
  expect(shown.json.input.text).toMatch(/^\{"text":"ä+$/)
  expect(shown.json.result).toEqual({ text: '{"ok":true}', bytes: 11, cut: false })
  const whole = await get(`/api/queues/jobs/rows/${id}/input`)
  expect(whole.headers.get('content-disposition')).toBe(`attachment; filename="${id}-input.json"`)
  expect(whole.json).toEqual({ text })
  const list = await get('/api/queues/jobs/rows?limit=200')
  expect(list.text.length).toBeLessThan(5_000)
  expect((await get(`/api/queues/jobs/rows/${id}/stack`)).status).toBe(404)
  expect((await get(`/api/queues/jobs/rows/${id}/%00`)).status).toBe(404)
  expect((await get('/api/queues/logging/jobs/%00')).status).toBe(404)
})

test('a job comes with its attempts, its log and its relatives', async () => {
  const { sql } = one
  const before = await plantJob(sql, { state: 'succeeded' })
  const id = await plantJob(sql, { state: 'running', kind: 'export' })
  const child = await plantJob(sql)
  await sql`update jobs set parent_id = ${id} where id = ${child}`
  await sql`insert into job_dependencies (job_id, needs) values (${id}, ${before})`
  await sql`insert into job_attempts (job_id, attempt, worker, started_at, outcome, error, wait_ms)
    values (${id}, 1, 'w1', now(), 'failed', 'no luck', 12), (${id}, 2, 'w2', now(), null, null, 3)`
  await sql`insert into job_events (job_id, n, kind, data) values (${id}, 1, 'state', '{"state":"queued"}'),
    (${id}, 2, 'log', '{"line":"hello"}')`
  const { json } = await get(`/api/queues/jobs/rows/${id}`)
  expect(json).toMatchObject({
    attempt_list: [
      { attempt: 1, outcome: 'failed', wait_ms: 12 },
      { attempt: 2, outcome: null },
    ],
    events: [{ n: 1 }, { kind: 'log', data: { line: 'hello' } }],
    needs: [{ id: before, state: 'succeeded' }],
    children: [{ id: child }],
  })
})

test('dead letters are grouped by kind and reason', async () => {
  for (const row of [1, 2, 30])
    await plantJob(one.sql, { kind: 'export', state: 'failed', error: `row ${row} is bad` })
  const { json } = await get('/api/queues/jobs/dead-letters')
  expect(json.items[0]).toMatchObject({ kind: 'export', count: 3, error: 'row 30 is bad' })
})
