import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { openAnnouncer } from '../../src/jobs/events/announce.ts'
import { openFeeder } from '../../src/jobs/feeding/feeder.ts'
import { type Begun, begin } from '../../src/jobs/running/begin.ts'
import { until } from '../support/until.ts'
import { type JobsApp, openJobsApp } from './http.ts'
import { engines, openRig, quiet, type Rig } from './support.ts'

const over = ['succeeded', 'failed', 'cancelled', 'expired']

describe.each(engines)('races on %s', (engine) => {
  let rig: Rig
  /** Two gateways. */
  let apps: JobsApp[]
  const runs = new Map<string, number>()

  beforeAll(async () => {
    rig = await openRig(engine, async (_, { id }) => void runs.set(id, (runs.get(id) ?? 0) + 1))
    const { database } = rig
    apps = await Promise.all([openJobsApp({ database }), openJobsApp({ database })])
  }, 60_000)
  afterAll(async () => {
    for (const one of apps) await one.close()
    await rig.close()
  })
  const ask = (turn: number, method: string, path: string) => {
    const app = apps[turn % apps.length]
    if (app === undefined) throw new Error('no app')
    return app.ask(method, path)
  }

  test('all that can be done to a job at the same instant, by two gateways and two workers, leaves it whole', async () => {
    const workers = await Promise.all([rig.worker(), rig.worker()])
    const { sql } = rig.database
    const ids = await Promise.all(
      Array.from({ length: 60 }, (_, n) =>
        rig.add({ kind: 'scripted', input: {}, tags: ['race'], ...(n % 2 === 0 ? { delay: 0.05 } : {}) }),
      ),
    )
    const answers = await Promise.all(
      ids.flatMap((id, n) => [
        ask(n, 'POST', `/api/jobs/${id}/cancel`),
        ask(n + 1, 'POST', `/api/jobs/${id}/retry`),
        ask(n, 'POST', `/api/jobs/${id}/promote`),
        ask(n + 1, 'POST', `/api/jobs/${id}/cancel`),
        ask(n, 'POST', `/api/jobs/${id}/retry`),
        n % 3 === 0 ? ask(n + 1, 'DELETE', `/api/jobs/${id}`) : ask(n, 'POST', `/api/jobs/${id}/retry`),
      ]),
    )
    expect([...new Set(answers.map(({ status }) => status))].filter((status) => status >= 500)).toEqual([])
    await until(
      'all have ended',
      async () => {
        const [row] = await sql<[{ n: number }]>`
          select count(*)::int as n from jobs where tags = '{race}' and state <> all(${over}::text[])`
        return row.n === 0
      },
      { ms: 20_000 },
    )
    const rows = await sql<
      { id: string; state: string; ended: boolean; open: number; wins: number; torn: number }[]
    >`
      select id, state, ended_at is not null as ended,
        (select count(*)::int from job_attempts a where a.job_id = j.id and a.ended_at is null) as open,
        (select count(*)::int from job_attempts a where a.job_id = j.id and a.outcome = 'succeeded') as wins,
        (select count(*)::int from job_events e where e.job_id = j.id and e.n > j.version) as torn
      from jobs j where tags = '{race}'`
    for (const { state, wins, ...row } of rows) {
      expect(row).toMatchObject({ ended: true, open: 0, torn: 0 })
      expect([state, wins]).toEqual([state, state === 'succeeded' ? 1 : 0])
    }
    await Promise.all(workers.map((worker) => worker.close()))
  }, 60_000)

  test('a job that is cancelled between its admission and its start never runs; one that is run again then runs once', async () => {
    const { sql } = rig.database
    const id = await rig.add({ kind: 'scripted', input: {} })
    const handed: { id: string }[] = []
    const announcer = openAnnouncer(sql)
    // An engine that takes it, and gives it to nobody yet.
    const producer = { enqueueMany: async (jobs: readonly { id: string }[]) => void handed.push(...jobs) }
    await sql`insert into job_workers (worker, host, pid, kinds, concurrency) values ('late', 'x', 1, '{}', 4)`
    const feeder = openFeeder({ sql, producer: producer as never, announcer, log: quiet })
    await until('it is admitted', async () => (await rig.row(id)).state === 'admitted')
    await feeder.stop()
    await sql`delete from job_workers`
    expect((await ask(0, 'POST', `/api/jobs/${id}/cancel`)).json).toMatchObject({ state: 'cancelled' })
    expect(await begin(sql, { v: 1, id, admission: 1 }, 'late')).toBeNull()
    expect(await rig.row(id)).toMatchObject({ state: 'cancelled', attempt: 0 })
    await ask(1, 'POST', `/api/jobs/${id}/retry`)
    const worker = await rig.worker()
    await rig.becomes(id, 'succeeded')
    expect(await begin(sql, { v: 1, id, admission: 1 }, 'late')).toBeNull()
    expect(runs.get(id)).toBe(1)
    await worker.close()
    await announcer.close()
  }, 30_000)

  test('two workers are given the same admission at the same moment: the row is that of one, the other cannot write', async () => {
    const { sql } = rig.database
    const id = await rig.add({ kind: 'scripted', input: {} })
    await sql`update jobs set state = 'admitted', admitted_at = now(), admission = 1 where id = ${id}`
    const both: Promise<Begun | null>[] = []
    // Both have begun to look before either writes, so neither snapshot shows the other's attempt.
    await sql.begin(async (held) => {
      await held`select 1 from jobs where id = ${id} for update`
      both.push(...['a', 'b'].map((name) => begin(sql, { v: 1, id, admission: 1 }, name)))
      await until('both wait for the row', async () => {
        const [row] = await sql<[{ n: number }]>`
          select count(*)::int as n from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock' and query like '%with taken as%'`
        return row.n === 2
      })
    })
    const begun = (await Promise.all(both)).sort((a, b) => (a?.attempt ?? 0) - (b?.attempt ?? 0))
    expect(begun).toMatchObject([
      { attempt: 1, spared: 0, deaths: 0 },
      { attempt: 2, spared: 1, deaths: 1 },
    ])
    const rows = await sql<{ attempt: number; outcome: string | null }[]>`
      select attempt, outcome from job_attempts where job_id = ${id} order by attempt`
    expect([...rows]).toEqual([
      { attempt: 1, outcome: 'lost' },
      { attempt: 2, outcome: null },
    ])
    expect(await rig.row(id)).toMatchObject({ state: 'running', attempt: 2, spared: 1 })
    await sql`delete from jobs where id = ${id}`
  })

  test('a worker that stops while jobs are being admitted loses none of them, and each runs once', async () => {
    const stays = await rig.worker({ concurrency: 2 })
    runs.clear()
    const ids: string[] = []
    for (let turn = 0; turn < 5; turn += 1) {
      const leaves = await rig.worker({ concurrency: 8 })
      const added = Array.from({ length: 20 }, () => rig.add({ kind: 'scripted', input: {} }))
      const [, ...more] = await Promise.all([leaves.close(), ...added])
      ids.push(...more)
    }
    for (const id of ids) await rig.becomes(id, 'succeeded', 20_000)
    const [row] = await rig.database.sql<[{ wins: number; most: number }]>`
      select count(*)::int as wins, max(n)::int as most from (
        select count(*) as n from job_attempts where job_id = any(${ids}::uuid[]) and outcome = 'succeeded' group by job_id) x`
    expect(row).toEqual({ wins: ids.length, most: 1 })
    await stays.close()
  }, 60_000)
})
