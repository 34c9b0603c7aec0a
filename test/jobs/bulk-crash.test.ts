import { afterAll, beforeAll, expect, test } from 'bun:test'
import { removeMany } from '../../src/jobs/control/many.ts'
import { spawnProcess } from '../support/process.ts'
import { until } from '../support/until.ts'
import { type JobsApp, openJobsApp } from './http.ts'
import { engines, openRig, type Rig } from './support.ts'

let rig: Rig
let one: JobsApp

beforeAll(async () => {
  rig = await openRig(engines.at(-1) ?? 'postgres')
  one = await openJobsApp({ database: rig.database })
}, 60_000)
afterAll(async () => {
  await one.close()
  await rig.close()
})

type Bulk = { id: string; state: string; changed: number; total: number; error: string | null }
const start = async (body: Record<string, unknown>) =>
  (await one.ask('POST', '/api/jobs/bulk', { body })).json as Bulk
const show = async (id: string) => (await one.ask('GET', `/api/jobs/bulk/${id}`)).json as Bulk

async function plant(count: number, tag: string, tenant = 'default'): Promise<void> {
  await rig.database.sql`
    insert into jobs (id, tenant, kind, state, backoff, tags)
    select overlay(gen_random_uuid()::text placing '01900000-0000-7000-8000' from 1)::uuid, ${tenant}, 'scripted', 'failed',
      '{"type":"fixed","ms":1,"max_ms":1}', array[${tag}]
    from generate_series(1, ${count})`
}

test('Q6: workers that are killed in the middle of a bulk operation do nothing twice and leave nothing out', async () => {
  const { sql } = rig.database
  const path = new URL('./worker-process.ts', import.meta.url).pathname
  const worker = async (name: string) => {
    // Of no engine: what is handed over stays as it is, and can be counted.
    const started = spawnProcess(['bun', path, rig.database.url, 'redis://127.0.0.1:9', name])
    await started.line(/^ready/, 20_000)
    return started
  }
  await plant(2_000, 'crash')
  const { id } = await start({ action: 'retry', filter: { tag: 'crash' }, per_second: 1_000 })
  for (const [turn, enough] of [200, 900, 1_500].entries()) {
    const [a, b] = await Promise.all([worker(`a${turn}`), worker(`b${turn}`)])
    await until('it has gone on', async () => (await show(id)).changed >= enough, { ms: 20_000 })
    await Promise.all([a.kill('SIGKILL'), b.kill('SIGKILL')])
  }
  const last = await worker('last')
  await until('it is done', async () => (await show(id)).state === 'done', { ms: 20_000 })
  await last.kill('SIGKILL')
  expect(await show(id)).toMatchObject({ changed: 2_000, total: 2_000, error: null })
  const [row] = await sql<[{ jobs: number; most: number }]>`
    select count(*)::int as jobs, max(n)::int as most from (
      select count(*) as n from job_events e join jobs j on j.id = e.job_id
      where j.tags = '{crash}' and e.data->>'retried' = 'true' group by e.job_id) each`
  expect(row).toEqual({ jobs: 2_000, most: 1 })
}, 90_000)

test('what has ended is removed, unless others wait for it; other tenants’ jobs stay', async () => {
  const { sql } = rig.database
  await sql`insert into tenants (id, name) values ('beside', 'Beside')`
  await plant(20, 'old')
  await plant(5, 'old', 'beside')
  const needed = await rig.add({ kind: 'echo', tags: ['old'] })
  await rig.add({ kind: 'echo', depends_on: [needed] })
  await sql`update jobs set state = 'failed' where id = ${needed}`
  expect(await removeMany(sql, [needed])).toEqual([])
  const worker = await rig.worker({ kinds: [] })
  const operator = await one.key({ scopes: ['operator', 'read'] })
  const body = { action: 'remove', filter: { tag: 'old', state: 'failed' } }
  const { json } = await one.ask('POST', '/api/jobs/bulk', { body, key: operator })
  await until('it is done', async () => (await show((json as Bulk).id)).state === 'done')
  const left = await sql<{ tenant: string; n: number }[]>`
    select tenant, count(*)::int as n from jobs where tags = '{old}' group by 1 order by 1`
  expect(left.find(({ tenant }) => tenant === 'beside')?.n).toBe(5)
  expect(left.find(({ tenant }) => tenant === 'default')?.n ?? 0).toBeLessThanOrEqual(1)
  await worker.close()
}, 30_000)

test('one that cannot go on says why, and holds up no other', async () => {
  const { sql } = rig.database
  await plant(10, 'fine')
  const bad = await start({ action: 'retry', filter: { tag: 'fine' } })
  await sql`update job_bulks set filter = filter || '{"state": ["failed"], "among": ["no id"]}' where id = ${bad.id}`
  const good = await start({ action: 'retry', filter: { tag: 'fine' }, per_second: 100 })
  const worker = await rig.worker({ kinds: [] })
  await until('the other is done', async () => (await show(good.id)).state === 'done')
  await until('it says why', async () => (await show(bad.id)).error !== null)
  expect(await show(bad.id)).toMatchObject({ state: 'running', changed: 0 })
  expect((await one.ask('POST', `/api/jobs/bulk/${bad.id}/cancel`)).json).toMatchObject({
    state: 'cancelled',
  })
  await worker.close()
}, 30_000)

test('one ends with the key that ordered it, says why, and cannot be gone on with', async () => {
  const { sql } = rig.database
  await plant(200, 'keyed')
  const worker = await rig.worker({ kinds: [] })
  for (const change of [sql`revoked_at = now()`, sql`expires_at = now()`]) {
    const key = await one.key({ scopes: ['operator', 'read'] })
    const body = { action: 'remove', filter: { tag: 'keyed' }, per_second: 5 }
    const { id } = (await one.ask('POST', '/api/jobs/bulk', { body, key })).json as Bulk
    await until('it has begun', async () => (await show(id)).changed > 0)
    await sql`update access_keys set ${change} where id = (select key_id::uuid from job_bulks where id = ${id})`
    await until('it has ended', async () => (await show(id)).state === 'cancelled')
    expect((await show(id)).error).toBe('the key that ordered it is no longer good')
    expect((await show(id)).changed).toBeLessThan(100)
    expect((await one.ask('POST', `/api/jobs/bulk/${id}/resume`)).status).toBe(409)
  }
  await worker.close()
}, 30_000)
