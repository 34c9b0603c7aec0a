import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { openMender } from '../../src/jobs/feeding/sweep.ts'
import { begin } from '../../src/jobs/running/begin.ts'
import type { TestProcess } from '../support/process.ts'
import { until } from '../support/until.ts'
import { engines, openRig } from './support.ts'
import { openWorkers, type Workers } from './workers.ts'

/** A job of so many ms and two workers, of which one has begun it. */
async function begunByOne({ start, takes }: Workers, ms: number) {
  const [one, two] = await Promise.all([start('one'), start('two')])
  const id = await takes(ms)
  const begun = async (worker: TestProcess) => {
    await worker.line(new RegExp(`begun ${id}`))
    return worker
  }
  const its = await Promise.any([begun(one), begun(two)])
  return { id, its, ...(its === one ? { other: two, otherName: 'two' } : { other: one, otherName: 'one' }) }
}

async function resultOf({ rig }: Workers, id: string): Promise<unknown> {
  const [row] = await rig.database.sql<{ body: Uint8Array }[]>`
    select body from job_bodies where job_id = ${id} and part = 'result'`
  return JSON.parse(Bun.zstdDecompressSync(row?.body ?? new Uint8Array()).toString())
}

// All at once: what takes the time is that an engine gives a dead worker up after some 10 s.
describe('workers that die', () => {
  test.concurrent.each(engines)(
    'Q4: a job whose worker is killed runs again within 15 s, and is counted once, on %s',
    async (engine) => {
      await using workers = await openWorkers(engine)
      const { id, its, other, otherName } = await begunByOne(workers, 3_000)
      await its.kill('SIGKILL')
      const killed = performance.now()
      await other.line(new RegExp(`begun ${id}`), 60_000)
      expect(performance.now() - killed).toBeLessThan(15_000)
      const row = await workers.rig.becomes(id, 'succeeded')
      // One attempt was all that it had: the one that its worker did not survive does not count.
      expect(row).toMatchObject({ attempt: 2, spared: 1 })
      expect(await workers.outcomes(id)).toEqual(['lost', 'succeeded'])
      expect(await resultOf(workers, id)).toBe(otherName)
    },
    120_000,
  )

  test.concurrent.each(engines)(
    'Q4: a worker that comes back from a long silence cannot write the end of what another one has, on %s',
    async (engine) => {
      await using workers = await openWorkers(engine)
      const { id, its, other, otherName } = await begunByOne(workers, 3_000)
      process.kill(its.pid, 'SIGSTOP')
      await other.line(new RegExp(`begun ${id}`), 60_000)
      process.kill(its.pid, 'SIGCONT')
      await workers.rig.becomes(id, 'succeeded')
      expect(await resultOf(workers, id)).toBe(otherName)
      expect(await workers.outcomes(id)).toEqual(['lost', 'succeeded'])
      await Promise.all([its.kill(), other.kill()])
      expect(await resultOf(workers, id)).toBe(otherName)
    },
    120_000,
  )

  test.concurrent.each(engines)(
    'a worker that is told to stop hands its job on, which costs no attempt, on %s',
    async (engine) => {
      await using workers = await openWorkers(engine)
      const { id, its, other } = await begunByOne(workers, 3_000)
      const told = performance.now()
      await its.kill('SIGTERM')
      expect(its.lines.join('\n')).toContain(`stopped ${id} StoppedError`)
      await other.line(new RegExp(`begun ${id}`), 60_000)
      expect(performance.now() - told).toBeLessThan(5_000)
      expect(await workers.rig.becomes(id, 'succeeded')).toMatchObject({ spared: 1 })
      expect((await workers.outcomes(id)).at(-1)).toBe('succeeded')
    },
    120_000,
  )

  test.concurrent.each(engines)(
    'a job over which ten workers died is a dead letter, whoever was the reason, on %s',
    async (engine) => {
      await using workers = await openWorkers(engine)
      const { rig, takes } = workers
      const { sql } = rig.database
      const id = await takes(1)
      await sql`
      insert into job_attempts (job_id, attempt, worker, started_at, ended_at, outcome, wait_ms)
      select ${id}, n, 'dead', now(), case when n < 10 then now() end, case when n < 10 then 'lost' end, 0
      from generate_series(1, 10) n`
      await sql`
      update jobs set state = 'running', attempt = 10, spared = 9, admission = 10, worker = 'dead', started_at = now(),
        heartbeat_at = now() - interval '1 minute' where id = ${id}`
      await workers.start('last')
      expect(await rig.becomes(id, 'failed', 60_000)).toMatchObject({ error_class: 'WorkerDiedError' })
    },
    120_000,
  )
})

describe.each(engines)('workers that were not heard of, on %s', (engine) => {
  let workers: Workers
  beforeAll(async () => {
    workers = await openWorkers(engine)
  }, 60_000)
  afterAll(() => workers[Symbol.asyncDispose]())

  test('a job that is to be cancelled does not begin anew when its worker dies', async () => {
    const { rig, takes, outcomes } = workers
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
      expect(await outcomes(id)).toEqual(['lost'])
    }
  })

  test('a worker that was silent as its database was away, or clocks jumped, keeps its job', async () => {
    const { rig, takes } = workers
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
    const load = (async () => {
      while (loading) {
        ids.push(await rig.add({ kind: 'scripted', input: {} }))
        await Bun.sleep(5) // the pace of the load
      }
    })()
    for (let outage = 0; outage < 10; outage += 1) {
      const so = ids.length
      await until('jobs are taken', () => ids.length > so + 5)
      await redis?.kill()
      const taken = ids.length
      await until('jobs are taken without it', () => ids.length > taken + 2 * outage)
      await redis?.restart()
    }
    loading = false
    await load
    for (const id of ids) await rig.becomes(id, 'succeeded', 30_000)
    const [attempts] = await rig.database
      .sql`select count(*)::int as n from job_attempts where outcome = 'succeeded'`
    expect(attempts?.n).toBe(ids.length)
    await rig.close()
  }, 90_000)
})
