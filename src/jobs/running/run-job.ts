import type { Sql } from 'postgres'
import type { Handler } from '#broker'
import { errorText } from '#lib/errors'
import type { Logger } from '#lib/log'
import type { JobsPayload } from '#queues/jobs'
import { dependantsOf, settleDependants } from '../dependencies.ts'
import type { Announcer } from '../events/announce.ts'
import type { Registry } from '../registry.ts'
import { isEnded } from '../states.ts'
import type { Apart } from './apart.ts'
import { attempt } from './attempt.ts'
import { type Begun, begin } from './begin.ts'
import type { Calls } from './calls.ts'
import { type End, type Over, writeEnd } from './end.ts'
import { LostError, StoppedError, TimeoutError, WorkerDiedError } from './reasons.ts'
import type { Underway } from './underway.ts'
import { verdict } from './verdict.ts'

export type RunOptions = {
  sql: Sql
  registry: Registry
  calls: Calls
  apart: Apart
  underway: Underway
  announcer: Announcer
  worker: string
  log: Logger
  /** A place is free. */
  onEnd: () => void
}

/**
 * Workers that may die over a job among others, any of which may be the reason. From then on it has a process of its
 * own: should that die, it was this job.
 */
const deathsAmongOthers = 2
/** Where even that takes the worker along, as when a container is ended for its memory: it must come to an end. */
const mostDeaths = 10
const againMs = 250

/** Runs one admission of a job, from its row to its row. Rejects only where the database is away before it begins. */
export function jobsHandler(options: RunOptions): Handler<JobsPayload> {
  const { sql, underway, announcer, worker, log } = options
  return async (payload, { signal: handedBack, judge }) => {
    const job = await begin(sql, payload, worker)
    announcer.changed(payload.id)
    if (job === null) return
    const abort = new AbortController()
    const stop = () => abort.abort(new StoppedError('its worker stops'))
    handedBack.addEventListener('abort', stop)
    const done = underway.add(job, (reason) => abort.abort(reason))
    let timeout: Timer | undefined
    const onBegun = () => {
      timeout = setTimeout(() => abort.abort(timedOut(job)), job.timeout_ms)
    }
    try {
      const end = await run(job, { signal: abort.signal, onBegun }, options)
      const over = await written(job, end, { signal: abort.signal, sql, log })
      if (over === null) return
      judge?.(over.outcome === 'succeeded' ? 'done' : isEnded(over.state) ? 'failed' : 'retried')
      await followUp(job, over, options)
    } finally {
      clearTimeout(timeout)
      handedBack.removeEventListener('abort', stop)
      done()
    }
  }
}

async function run(
  job: Begun,
  { signal, onBegun }: { signal: AbortSignal; onBegun: () => void },
  options: RunOptions,
): Promise<End> {
  if (job.deaths >= mostDeaths) {
    const error = new WorkerDiedError(`its worker died ${job.deaths} times over it`)
    return verdict({ error, cause: signal.reason }, job)
  }
  if (job.deaths >= deathsAmongOthers) return await options.apart.run(job, { signal, onBegun })
  onBegun()
  return await attempt(job, signal, options)
}

/** The work is done: while the database is away, its outcome waits here. @returns null where it is another's to write */
async function written(
  job: Begun,
  end: End,
  { signal, sql, log }: { signal: AbortSignal; sql: Sql; log: Logger },
): Promise<Over | null> {
  for (;;) {
    if (signal.reason instanceof LostError) return null
    try {
      return await writeEnd(sql, job, end)
    } catch (error) {
      log.warn({ job: job.id, reason: errorText(error) }, 'jobs: an outcome waits for the database')
      if (signal.reason instanceof StoppedError) return null
      await Bun.sleep(againMs)
    }
  }
}

async function followUp(job: Begun, over: Over, { sql, announcer, onEnd, log }: RunOptions): Promise<void> {
  announcer.changed(job.id)
  onEnd()
  // This process may be one that stops, and hands nothing over any more.
  if (over.outcome === 'stopped') announcer.due()
  if (!over.awaited) return
  try {
    const waiting = await dependantsOf(sql, [job.id])
    for (const id of await settleDependants(sql, waiting)) announcer.changed(id)
    announcer.due()
  } catch (error) {
    // The feeder finds them.
    log.debug({ job: job.id, reason: errorText(error) }, 'jobs: dependants not told')
  }
}

function timedOut({ timeout_ms }: Begun): TimeoutError {
  return new TimeoutError(`it took longer than ${timeout_ms} ms, its limit`)
}
