import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { openMender } from '../../src/jobs/feeding/sweep.ts'
import { begin } from '../../src/jobs/running/begin.ts'
import { until } from '../support/until.ts'
import { engines, openRig, type Rig } from './support.ts'
import { openWorkers, type Workers } from './workers.ts'

describe.each(engines)('workers that die, on %s', (engine) => {
  let rig: Rig
  let workers: Workers
  beforeAll(async () => {
    rig = await openRig(engine)
    workers = openWorkers(rig)
  }, 60_000)
  afterAll(() => rig.close())
  afterEach(() => workers.end())
  const worker = (name: string) => workers.start(name)
  const takes = (ms: number, how: Record<string, unknown> = {}) =>
    rig.add({ kind: 'scripted', input: { n: ms }, ...how })
  const history = (id: string) =>
    rig.database.sql<{ attempt: number; outcome: string | null }[]>`
      select attempt, outcome from job_attempts where job_id = ${id} order by attempt`
  const resultOf = async (id: string) => {
    const [row] = await rig.database.sql<{ body: Uint8Array }[]>`
      select body from job_bodies where job_id = ${id} and part = 'result'`
    return JSON.parse(Bun.zstdDecompressSync(row?.body ?? new Uint8Array()).toString())
  }

  test('Q4: a job whose worker is killed runs again within 15 s, and is counted once', async () => {
    const first = await worker('first')
    const id = await takes(2_000)
    await first.line(new RegExp(`begun ${id}`))
    await first.kill('SIGKILL')
    const killed = performance.now()
    const second = await worker('second')
    await second.line(new RegExp(`begun ${id}`), 20_000)
    expect(performance.now() - killed).toBeLessThan(15_000)
    const row = await rig.becomes(id, 'succeeded')
    // One attempt was all that it had: the one that its worker did not survive does not count.
    expect(row).toMatchObject({ attempt: 2, spared: 1 })
    expect((await history(id)).map(({ outcome }) => outcome)).toEqual(['lost', 'succeeded'])
    expect(await resultOf(id)).toBe('second')
    await second.kill()
  }, 60_000)

  test('a job that is to be cancelled does not begin anew when its worker dies', async () => {
    const { sql } = rig.database
    const handed = await takes(60_000)
    const swept = await takes(60_000)
    for (const [id, silence] of [
      [handed, '0 s'],
      [swept, '1 minute'],
    ] as const) {
      await sql`
        update jobs set state = 'running', worker = 'dead', attempt = 1, admission = 1, cancel_requested_at = now(),
          heartbeat_at = now() - ${silence}::interval where id = ${id}`
      await sql`insert into job_attempts (job_id, attempt, worker, started_at, wait_ms) values (${id}, 1, 'dead', now(), 0)`
    }
    // The engine hands the one to the next worker; of the other it knows nothing any more.
    expect(await begin(sql, { v: 1, id: handed, admission: 1 }, 'next')).toBeNull()
    const mend = openMender(sql)
    expect(await mend()).toEqual([])
    expect(await mend()).toEqual([swept])
    for (const id of [handed, swept]) {
      expect(await rig.row(id)).toMatchObject({ state: 'cancelled', attempt: 1 })
      expect((await history(id)).map(({ outcome }) => outcome)).toEqual(['lost'])
    }
  })

  test('a worker that was silent as its database was away, or clocks jumped, keeps its job', async () => {
    const { sql } = rig.database
    const id = await takes(60_000)
    await sql`
      update jobs set state = 'running', worker = 'slow', attempt = 1, heartbeat_at = now() - interval '1 minute'
      where id = ${id}`
    const mend = openMender(sql)
    expect(await mend()).toEqual([])
    await sql`update jobs set heartbeat_at = now() - interval '50 s' where id = ${id}`
    expect(await mend()).toEqual([])
    expect(await rig.row(id)).toMatchObject({ state: 'running', attempt: 1 })
    await sql`update jobs set state = 'cancelled' where id = ${id}`
  })

  test('Q4: a worker that comes back from a long silence cannot write the end of what another one has', async () => {
    const asleep = await worker('asleep')
    const id = await takes(1_500)
    await asleep.line(new RegExp(`begun ${id}`))
    process.kill(asleep.pid, 'SIGSTOP')
    const awake = await worker('awake')
    await awake.line(new RegExp(`begun ${id}`), 30_000)
    process.kill(asleep.pid, 'SIGCONT')
    await rig.becomes(id, 'succeeded')
    expect(await resultOf(id)).toBe('awake')
    expect((await history(id)).map(({ outcome }) => outcome)).toEqual(['lost', 'succeeded'])
    await Promise.all([asleep.kill(), awake.kill()])
    expect(await resultOf(id)).toBe('awake')
  }, 60_000)

  test('a worker that is told to stop hands its job on, which costs no attempt', async () => {
    const leaving = await worker('leaving')
    const id = await takes(3_000)
    await leaving.line(new RegExp(`begun ${id}`))
    const staying = await worker('staying')
    const told = performance.now()
    await leaving.kill('SIGTERM')
    expect(leaving.lines.join('\n')).toContain(`stopped ${id} StoppedError`)
    await staying.line(new RegExp(`begun ${id}`), 10_000)
    expect(performance.now() - told).toBeLessThan(5_000)
    expect(await rig.becomes(id, 'succeeded')).toMatchObject({ spared: 1 })
    expect((await history(id)).at(-1)?.outcome).toBe('succeeded')
    await staying.kill()
  }, 60_000)

  test('a job over which ten workers died is a dead letter, whoever was the reason, and may be tried again by hand', async () => {
    const { sql } = rig.database
    const id = await takes(1)
    await sql`
      insert into job_attempts (job_id, attempt, worker, started_at, ended_at, outcome, wait_ms)
      select ${id}, n, 'dead', now(), case when n < 10 then now() end, case when n < 10 then 'lost' end, 0
      from generate_series(1, 10) n`
    await sql`
      update jobs set state = 'running', attempt = 10, spared = 9, admission = 10, worker = 'dead', started_at = now(),
        heartbeat_at = now() - interval '1 minute' where id = ${id}`
    const last = await worker('last')
    expect(await rig.becomes(id, 'failed', 15_000)).toMatchObject({ error_class: 'WorkerDiedError' })
    await last.kill()
  }, 60_000)
})

describe.skipIf(!engines.includes('redis'))('an engine that forgets', () => {
  test('Q10: Redis loses all its data under load, and every job runs', async () => {
    let ran = 0
    const forgotten = Promise.withResolvers<void>()
    const rig = await openRig('redis', async () => {
      ran += 1
      if (ran > 10) await forgotten.promise
    })
    const worker = await rig.worker({ concurrency: 2 })
    const add = (n: number) =>
      Promise.all(Array.from({ length: n }, () => rig.add({ kind: 'scripted', input: {} })))
    const before = await add(100)
    await until('some have run', () => ran > 10)
    Bun.spawnSync(['redis-cli', '-u', rig.queueUrl, 'flushall'])
    forgotten.resolve()
    const after = await add(20)
    for (const id of [...before, ...after]) await rig.becomes(id, 'succeeded', 30_000)
    await worker.close()
    await rig.close()
  }, 60_000)

  test('Q1, Q2: Redis is killed ten times under load: submissions go on, and every job runs once', async () => {
    const ran = new Map<string, number>()
    const rig = await openRig('redis', async (_, { id }) => void ran.set(id, (ran.get(id) ?? 0) + 1))
    const { redis } = rig
    await rig.worker({ concurrency: 4 })
    const ids: string[] = []
    let loading = true
    const slowest: number[] = []
    const load = (async () => {
      while (loading) {
        const asked = performance.now()
        ids.push(await rig.add({ kind: 'scripted', input: {} }))
        slowest.push(performance.now() - asked)
        await Bun.sleep(5) // the pace of the load
      }
    })()
    for (let outage = 0; outage < 10; outage += 1) {
      const so = ids.length
      await until('jobs are taken', () => ids.length > so + 5)
      await redis?.kill()
      await Bun.sleep(30 * outage) // each outage is longer than the one before
      await redis?.restart()
    }
    loading = false
    await load
    expect(Math.max(...slowest)).toBeLessThan(1_000)
    for (const id of ids) await rig.becomes(id, 'succeeded', 30_000)
    const [attempts] = await rig.database
      .sql`select count(*)::int as n from job_attempts where outcome = 'succeeded'`
    expect(attempts?.n).toBe(ids.length)
    await rig.close()
  }, 90_000)
})
