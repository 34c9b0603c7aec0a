import { hostname } from 'node:os'
import type { Sql } from 'postgres'
import { errorText } from '#lib/errors'
import type { Logger } from '#lib/log'
import { cancelChannel } from '../events/announce.ts'
import { CancelledError, LostError } from './reasons.ts'

/** The jobs that this process runs: tells the database that they live, and them what it says. */
export type Underway = {
  /** Until the returned function is called. `abort` is called with an error of `reasons.ts`. */
  add(job: { id: string; attempt: number }, abort: (reason: Error) => void): () => void
  /** Resolves when none is left, or after that time. */
  settled(ms: number): Promise<void>
  close(): Promise<void>
}

export type UnderwayOptions = {
  sql: Sql
  log: Logger
  worker: string
  kinds: readonly string[]
  concurrency: number
}

type Held = { attempt: number; abort: (reason: Error) => void }

const heartbeatMs = 3_000

/** Resolves when the database knows of this worker. */
export async function openUnderway(options: UnderwayOptions): Promise<Underway> {
  const { sql, log, worker, kinds, concurrency } = options
  const held = new Map<string, Held>()
  await sayHello()
  const timer = setInterval(() => void beat().catch(failed), heartbeatMs)
  const listening = sql.listen(cancelChannel, (id) =>
    held.get(id)?.abort(new CancelledError('it was cancelled')),
  )
  listening.catch(() => {}) // postgres.js goes on trying; a heartbeat brings what was missed

  return {
    add({ id, attempt }, abort) {
      const one = { attempt, abort }
      held.set(id, one)
      return () => {
        if (held.get(id) === one) held.delete(id)
      }
    },
    async settled(ms) {
      const deadline = performance.now() + ms
      while (held.size > 0 && performance.now() < deadline) await Bun.sleep(10)
    },
    async close() {
      clearInterval(timer)
      const session = await Promise.race([listening.catch(() => null), Bun.sleep(500)])
      await session?.unlisten().catch(() => {})
      await sql`delete from job_workers where worker = ${worker}`.catch(() => {})
    },
  }

  async function sayHello(): Promise<void> {
    await sql`
      insert into job_workers (worker, host, pid, kinds, concurrency, running)
      values (${worker}, ${hostname()}, ${process.pid}, ${[...kinds]}, ${concurrency}, ${held.size})
      on conflict (worker) do update set seen_at = now(), running = excluded.running`
  }

  async function beat(): Promise<void> {
    await sayHello()
    const asked = [...held]
    if (asked.length === 0) return
    const rows = await sql<{ id: string; attempt: number; cancelled: boolean }[]>`
      update jobs set heartbeat_at = now() where id = any(${asked.map(([id]) => id)}::uuid[])
        and state = 'running' and worker = ${worker}
      returning id, attempt, cancel_requested_at is not null as cancelled`
    const alive = new Map(rows.map((row) => [row.id, row]))
    for (const [id, { attempt, abort }] of asked) {
      const row = alive.get(id)
      if (row?.attempt !== attempt) abort(new LostError('another worker has it'))
      else if (row.cancelled) abort(new CancelledError('it was cancelled'))
    }
  }

  function failed(error: unknown): void {
    log.debug({ reason: errorText(error) }, 'jobs: no heartbeat')
  }
}
