import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { until } from '../support/until.ts'
import { type JobsApp, openJobsApp } from './http.ts'
import { engines, openRig, type Rig } from './support.ts'

describe.each(engines)('bulk operations on %s', (engine) => {
  // The case says ten thousand; once is enough.
  const many = engine === 'redis' ? 10_000 : 2_000
  let rig: Rig
  let one: JobsApp
  let runs = 0

  beforeAll(async () => {
    rig = await openRig(engine, async () => void runs++)
    one = await openJobsApp({ database: rig.database })
    await Promise.all([rig.worker({ concurrency: 8 }), rig.worker({ concurrency: 8 })])
  }, 60_000)
  afterAll(async () => {
    await one.close()
    await rig.close()
  })

  type Bulk = { id: string; state: string; changed: number; total: number; progress: number }
  const bulk = async (body: Record<string, unknown>) =>
    (await one.ask('POST', '/api/jobs/bulk', { body })).json as Bulk
  const show = async (id: string) => (await one.ask('GET', `/api/jobs/bulk/${id}`)).json as Bulk
  const act = async (id: string, move: string) => await one.ask('POST', `/api/jobs/bulk/${id}/${move}`)

  async function plant(count: number, tag: string, state: string): Promise<void> {
    await rig.database.sql`
      insert into jobs (id, tenant, kind, state, backoff, tags, run_at)
      select gen_random_uuid(), 'default', 'scripted', ${state}, '{"type":"fixed","ms":1,"max_ms":1}', array[${tag}],
        now() + case when ${state} = 'scheduled' then interval '1 day' else interval '0' end
      from generate_series(1, ${count})`
    // As ids are now: those of today are below the operation's.
    await rig.database.sql`
      update jobs set id = overlay(id::text placing '01900000-0000-7000-8000' from 1)::uuid where tags = array[${tag}]`
  }
  const counted = async (tag: string, state: string) => {
    const [row] = await rig.database.sql<[{ n: number }]>`
      select count(*)::int as n from jobs where tags = array[${tag}] and state = ${state}`
    return row.n
  }

  test(`Q6: ${many} failed jobs are tried again by filter, at a rate, with a pause, each once`, async () => {
    await plant(many, 'many', 'failed')
    await plant(5, 'others', 'failed')
    const filter = { tag: 'many', state: 'failed' }
    const dry = (
      await one.ask('POST', '/api/jobs/bulk', { body: { action: 'retry', filter, dry_run: true } })
    ).json
    expect(dry).toMatchObject({ dry_run: true, count: many })
    expect(await counted('many', 'failed')).toBe(many)
    const { id, total } = await bulk({ action: 'retry', filter, per_second: many / 2.5 })
    expect(total).toBe(many)
    await until('it has begun', async () => (await show(id)).changed > many / 20)
    expect((await act(id, 'pause')).json).toMatchObject({ state: 'paused' })
    const paused = await show(id)
    expect(paused.changed).toBeLessThan(many * 0.9)
    expect(paused.progress).toBeCloseTo(paused.changed / many)
    expect((await act(id, 'pause')).status).toBe(409)
    await act(id, 'resume')
    await until('it is done', async () => (await show(id)).state === 'done', { ms: 30_000 })
    expect(await show(id)).toMatchObject({ changed: many, progress: 1 })
    await until('all have run', async () => (await counted('many', 'succeeded')) === many, { ms: 60_000 })
    expect(runs).toBe(many)
    expect(await counted('others', 'failed')).toBe(5)
  }, 120_000)

  test('an operation keeps to its rate', async () => {
    await plant(100, 'slow', 'scheduled')
    const began = performance.now()
    const { id } = await bulk({ action: 'cancel', filter: { tag: 'slow' }, per_second: 20 })
    await until('some are cancelled', async () => (await show(id)).changed >= 20)
    expect(performance.now() - began).toBeGreaterThan(500)
    expect((await act(id, 'cancel')).json).toMatchObject({ state: 'cancelled' })
    // It may begin with those of a second.
    const most = 20 + ((performance.now() - began) / 1_000) * 20
    expect(100 - (await counted('slow', 'scheduled'))).toBeLessThanOrEqual(most)
  }, 60_000)

  test('what it must not do it does not', async () => {
    const key = await one.key({ scopes: ['call', 'read'] })
    const body = { action: 'cancel', filter: {} }
    expect((await one.ask('POST', '/api/jobs/bulk', { body, key })).status).toBe(403)
    const operator = await one.key({ scopes: ['operator'] })
    const other = { action: 'cancel', filter: { tenant: 'apart' } }
    expect((await one.ask('POST', '/api/jobs/bulk', { body: other, key: operator })).status).toBe(403)
    for (const bad of [
      { action: 'forget', filter: {} },
      { action: 'retry' },
      { action: 'retry', filter: { state: 'x' } },
    ])
      expect((await one.ask('POST', '/api/jobs/bulk', { body: bad })).status).toBe(422)
  })
})
