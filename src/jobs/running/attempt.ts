import type { Sql } from 'postgres'
import { FinalJobError } from '#broker'
import type { Announcer } from '../events/announce.ts'
import type { Kind } from '../kind.ts'
import type { Registry } from '../registry.ts'
import type { Begun } from './begin.ts'
import type { Calls } from './calls.ts'
import type { End } from './end.ts'
import { openFile } from './file.ts'
import { openNotes } from './notes.ts'
import { LostError, StoppedError } from './reasons.ts'
import { type Ran, verdict } from './verdict.ts'

export type AttemptParts = { sql: Sql; registry: Registry; calls: Calls; announcer: Announcer }

/** A run that does not heed its signal is given up after this long, in ms. */
export const heedMs = 5_000

/** Runs what the job's kind does, here and now. Never rejects. @returns what is to be written about it */
export async function attempt(job: Begun, signal: AbortSignal, parts: AttemptParts): Promise<End> {
  const { ran, fileBytes } = await run(job, signal, parts)
  const end = verdict(ran, job)
  return fileBytes === null || end.state !== 'succeeded' ? end : { ...end, fileBytes }
}

async function run(
  job: Begun,
  signal: AbortSignal,
  { sql, registry, calls, announcer }: AttemptParts,
): Promise<{ ran: Ran; fileBytes: number | null }> {
  const notes = openNotes(sql, job, () => announcer.changed(job.id))
  const file = openFile(sql, job)
  try {
    const kind = registry.get(job.kind)
    const input = inputOf(kind, job)
    const call = calls.of(job, kind.needs ?? [])
    const { id, tenant, attempt: number } = job
    const { progress, log } = notes
    const context = { id, tenant, attempt: number, signal, progress, log, call, file: file.write }
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

/** @throws FinalJobError where the kind takes something else by now */
function inputOf(kind: Kind, job: Begun): unknown {
  const parsed = kind.input.safeParse(job.input)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new FinalJobError(
    `its input is none of ${kind.name} any more: ${issue?.path.join('.')}: ${issue?.message}`,
  )
}
