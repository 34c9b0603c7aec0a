import { hostname } from 'node:os'
import type { Sql } from 'postgres'
import { errorText } from '#lib/errors'
import { newId } from '#lib/ids'
import type { Logger } from '#lib/log'
import { addDuration, emptyDurations } from './durations.ts'
import { addMinute, dropOld, type Minute, type Presence, removeWorker, seeWorker } from './flow-rows.ts'

/** What consumers of this process measure, on its way into the database. Best effort: work never waits for it. */
export type Flow = {
  observe(sample: Sample): void
  /** Shows a consumer among the workers until it leaves. */
  attend(consumer: Attendant): { leave(): Promise<void> }
  /** Writes now what there is. */
  flush(): Promise<void>
  close(): Promise<void>
}

export type Sample = {
  queue: string
  /** The job's name. */
  name: string
  outcome: 'done' | 'failed' | 'retried'
  /** From when the job could have run; null where not known, as for a second try. */
  waitMs: number | null
  runMs: number
}

export type Attendant = {
  queue: string
  concurrency: number
  running: () => number
  begun: () => number
}

export type FlowOptions = {
  sql: Sql
  /** Of the process, as people know it. */
  process: string
  log: Logger
  /** @default 5_000 */
  everyMs?: number
}

/** Minutes kept while the database is down; older ones are forgotten. */
const keptAtMost = 5_000

export function openFlow({ sql, process: name, log, everyMs = 5_000 }: FlowOptions): Flow {
  const minutes = new Map<string, Minute>()
  const workers = new Map<string, Presence & { of: Attendant }>()
  let flushing: Promise<void> | null = null
  let sweptAt = 0
  const timer = setInterval(() => void flush(), everyMs)
  timer.unref()

  return {
    observe,
    attend(of) {
      const { queue, concurrency } = of
      const id = newId()
      const about = { host: hostname(), pid: process.pid, process: name, startedAt: new Date() }
      workers.set(id, { id, queue, concurrency, ...about, of })
      void flush()
      return {
        async leave() {
          workers.delete(id)
          await flushing
          await removeWorker(sql, id).catch(() => {})
        },
      }
    },
    flush,
    async close() {
      clearInterval(timer)
      await Promise.race([flush(), Bun.sleep(1_000)])
    },
  }

  function observe({ queue, name: kind, outcome, waitMs, runMs }: Sample): void {
    const minute = Math.floor(Date.now() / 60_000) * 60_000
    const key = `${minute} ${queue} ${kind}`
    const known = minutes.get(key)
    const row = known ?? fresh(queue, kind, minute)
    if (known === undefined) minutes.set(key, row)
    row[outcome] += 1
    if (waitMs !== null) {
      addDuration(row.wait, waitMs)
      row.wait_ms += waitMs
    }
    addDuration(row.run, runMs)
    row.run_ms += runMs
  }

  function flush(): Promise<void> {
    flushing ??= write().finally(() => {
      flushing = null
    })
    return flushing
  }

  async function write(): Promise<void> {
    try {
      for (const { of, ...presence } of workers.values()) {
        await seeWorker(sql, { ...presence, running: of.running(), begun: of.begun() })
      }
      for (const [key, row] of [...minutes]) {
        minutes.delete(key)
        await addMinute(sql, row).catch((error) => {
          putBack(key, row)
          throw error
        })
      }
      if (Date.now() - sweptAt > 3_600_000) {
        sweptAt = Date.now()
        await dropOld(sql)
      }
    } catch (error) {
      log.debug({ reason: errorText(error) }, 'queues: what was measured waits for the database')
    }
  }

  /** More may have been counted meanwhile. */
  function putBack(key: string, row: Minute): void {
    if (minutes.size >= keptAtMost) return
    const newer = minutes.get(key)
    if (newer !== undefined) {
      for (const what of ['done', 'failed', 'retried', 'wait_ms', 'run_ms'] as const) row[what] += newer[what]
      for (const what of ['wait', 'run'] as const) {
        for (const [n, count] of newer[what].entries()) row[what][n] = (row[what][n] ?? 0) + count
      }
    }
    minutes.set(key, row)
  }
}

function fresh(queue: string, name: string, minute: number): Minute {
  return {
    queue,
    name,
    minute,
    done: 0,
    failed: 0,
    retried: 0,
    wait: emptyDurations(),
    run: emptyDurations(),
    wait_ms: 0,
    run_ms: 0,
  }
}
