import { describe, expect, test } from 'bun:test'
import { isAlive } from '../support/process.ts'
import { until } from '../support/until.ts'
import { engines } from './support.ts'
import { openWorkers, type Workers } from './workers.ts'

const pidIn = (line: string) => Number(line.split(' ').at(-1))

/** One over which two workers died. @returns its id */
async function suspect({ rig, takes }: Workers, ms: number, how: Record<string, unknown> = {}) {
  const { sql } = rig.database
  const id = await takes(ms, { ...how, delay: 3_600 })
  await sql`
    insert into job_attempts (job_id, attempt, worker, started_at, ended_at, outcome, wait_ms)
    select ${id}, n, 'dead', now(), now(), 'lost', 0 from generate_series(1, 2) n`
  await sql`update jobs set state = 'queued', run_at = now(), attempt = 2, spared = 2 where id = ${id}`
  return id
}

// All at once: what takes the time is that an engine gives a dead worker up after some 10 s.
describe('jobs over which workers died', () => {
  test.concurrent.each(engines)(
    'one that kills its worker is a dead letter after three, and those beside it are not, on %s',
    async (engine) => {
      await using workers = await openWorkers(engine)
      const { rig, takes, outcomes } = workers
      const killer = await takes(-3_000)
      const innocent = await Promise.all([1, 2, 3].map(() => takes(6_000)))
      for (const name of ['first', 'second']) {
        const worker = await workers.start(name)
        for (const id of [killer, ...innocent])
          await worker.line(new RegExp(`begun ${id} . together`), 60_000)
        expect(await worker.exited).toBe(137)
      }
      const third = await workers.start('third')
      await third.line(new RegExp(`begun ${killer} 3 apart`), 60_000)
      const late = await takes(5_000)
      const { error, error_class: name } = await rig.becomes(killer, 'failed', 60_000)
      expect(name).toBe('WorkerDiedError')
      expect(error).toBe('its worker died 3 times over it, the last time with nothing else in the process')
      for (const id of innocent) {
        expect(await rig.becomes(id, 'succeeded', 60_000)).toMatchObject({ attempt: 3, spared: 2 })
        expect(await outcomes(id)).toEqual(['lost', 'lost', 'succeeded'])
      }
      // Nobody beside it has noticed.
      expect(await rig.becomes(late, 'succeeded', 60_000)).toMatchObject({ attempt: 1 })
      expect(await third.kill()).toBe(0)
    },
    150_000,
  )

  test.concurrent.each(engines)(
    'a process of one job ends with its worker, however that ends, and the job is not to blame, on %s',
    async (engine) => {
      await using workers = await openWorkers(engine)
      const { rig, outcomes } = workers
      const id = await suspect(workers, 2_500)
      const killed = await workers.start('killed')
      const pid = pidIn(await killed.line(new RegExp(`begun ${id} 3 apart`)))
      expect(pid).not.toBe(killed.pid)
      await killed.kill('SIGKILL')
      await until('its process is gone', () => !isAlive(pid))
      const told = await workers.start('told')
      const next = pidIn(await told.line(new RegExp(`begun ${id} 4 apart`), 60_000))
      expect(await told.kill('SIGTERM')).toBe(0)
      await until('its process is gone, too', () => !isAlive(next))
      const last = await workers.start('last')
      await last.line(new RegExp(`begun ${id} 5 apart`), 60_000)
      expect(await rig.becomes(id, 'succeeded')).toMatchObject({ attempt: 5, spared: 4 })
      expect(await outcomes(id)).toMatchObject({ 2: 'lost', 4: 'succeeded' })
    },
    150_000,
  )

  test.concurrent.each(engines)(
    'in a process of its own a job is cancelled, and its time limited, as any other, on %s',
    async (engine) => {
      await using workers = await openWorkers(engine)
      const { rig, outcomes } = workers
      const worker = await workers.start('patient')
      const unwanted = await suspect(workers, 60_000)
      const slow = await suspect(workers, 60_000, { timeout: 8 })
      await worker.line(new RegExp(`begun ${unwanted}`))
      await rig.database.sql`update jobs set cancel_requested_at = now() where id = ${unwanted}`
      await rig.database.sql`select pg_notify('jobs_cancel', ${unwanted})`
      await worker.line(new RegExp(`stopped ${unwanted} CancelledError`))
      await rig.becomes(unwanted, 'cancelled')
      await worker.line(new RegExp(`stopped ${slow} TimeoutError`))
      expect(await rig.becomes(slow, 'failed')).toMatchObject({ error_class: 'TimeoutError' })
      expect((await outcomes(slow)).at(-1)).toBe('timeout')
    },
    150_000,
  )
})
