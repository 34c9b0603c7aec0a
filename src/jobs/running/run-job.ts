import type { Sql } from 'postgres'
import { FinalJobError, type Handler } from '#broker'
import { errorText } from '#lib/errors'
import type { Logger } from '#lib/log'
import type { JobsPayload } from '#queues/jobs'
import { dependantsOf, settleDependants } from '../dependencies.ts'
import type { Announcer } from '../events/announce.ts'
import type { Kind } from '../kind.ts'
import type { Registry } from '../registry.ts'
import { isEnded } from '../states.ts'
import { type Begun, begin } from './begin.ts'
import type { Calls } from './calls.ts'
import { type End, type Over, writeEnd } from './end.ts'
import { openFile } from './file.ts'
import { openNotes } from './notes.ts'
import { LostError, StoppedError, TimeoutError, WorkerDiedError } from './reasons.ts'
import type { Underway } from './underway.ts'
import { type Ran, verdict } from './verdict.ts'

export type RunOptions = {
  sql: Sql
  registry: Registry
  calls: Calls
  underway: Underway
  announcer: Announcer
  worker: string
  log: Logger
  /** A place is free. */
  onEnd: () => void
}

/** A run that does not heed its signal is given up after this long, in ms. */
const heedMs = 5_000
/** Workers that may die over a job before it is taken for the reason. */
const mostDeaths = 3
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
    const timeout = setTimeout(() => abort.abort(timedOut(job)), job.timeout_ms)
    const done = underway.add(job, (reason) => abort.abort(reason))
    try {
      const { ran, fileBytes } = await run(job, abort.signal, options)
      const end = verdict(ran, job)
      const whole = fileBytes === null || end.state !== 'succeeded' ? end : { ...end, fileBytes }
      const over = await written(job, whole, { signal: abort.signal, sql, log })
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
  signal: AbortSignal,
  { sql, registry, calls, announcer }: RunOptions,
): Promise<{ ran: Ran; fileBytes: number | null }> {
  const notes = openNotes(sql, job, () => announcer.changed(job.id))
  const file = openFile(sql, job)
  try {
    const kind = registry.get(job.kind)
    if (job.deaths >= mostDeaths) throw new WorkerDiedError(`its worker died ${job.deaths} times over it`)
    const input = inputOf(kind, job)
    const call = calls.of(job, kind.needs ?? [])
    const { id, tenant, attempt } = job
    const { progress, log } = notes
    const context = { id, tenant, attempt, signal, progress, log, call, file: file.write }
    const result = await heeded(() => kind.run(input, context), signal)
    return { ran: { result }, fileBytes: await file.close() }
  } catch (error) {
    return { ran: { error, cause: signal.reason }, fileBytes: null }
  } finally {
    await notes.close()
  }
}

/** What a run comes to; or, where it goes on long after it was told to stop, why it was told. */
async function heeded(work: () => ReturnType<Kind['run']>, signal: AbortSignal): Promise<unknown> {
  const given = Promise.withResolvers<never>()
  let timer: Timer | undefined
  const onAbort = () => {
    const patience = signal.reason instanceof LostError || signal.reason instanceof StoppedError ? 0 : heedMs
    timer = setTimeout(() => given.reject(signal.reason), patience)
  }
  signal.addEventListener('abort', onAbort)
  if (signal.aborted) onAbort()
  try {
    return await Promise.race([work(), given.promise])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
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

/** @throws FinalJobError where the kind takes something else by now */
function inputOf(kind: Kind, job: Begun): unknown {
  const parsed = kind.input.safeParse(job.input)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new FinalJobError(
    `its input is none of ${kind.name} any more: ${issue?.path.join('.')}: ${issue?.message}`,
  )
}
