import { FinalJobError } from '#broker'
import { cleanText, errorText, SluiceError } from '#lib/errors'
import { packed } from '../body.ts'
import type { Backoff } from '../kind.ts'
import type { Begun } from './begin.ts'
import type { End } from './end.ts'
import { CancelledError, StoppedError, TimeoutError, WorkerDiedError } from './reasons.ts'

/** A result of more is a failure: that is what files are for. */
export const mostResultBytes = 8 * 1024 * 1024
const mostStack = 16_000

/** What became of a run. `cause`: why its signal was aborted, if it was. */
export type Ran = { result: unknown } | { error: unknown; cause: unknown }

/** What is to be written about a run: the policy of attempts, apart from all that carries it out. */
export function verdict(ran: Ran, job: Begun): End {
  if ('result' in ran) return succeeded(ran.result)
  if (ran.cause instanceof CancelledError) return { state: 'cancelled', outcome: 'cancelled' }
  if (ran.cause instanceof StoppedError) return { state: 'queued', outcome: 'stopped', spared: true }
  const outcome = ran.cause instanceof TimeoutError ? 'timeout' : 'failed'
  const error = described(ran.cause instanceof TimeoutError ? ran.cause : ran.error)
  const counted = job.attempt - job.spared
  if (isFinal(ran.error) || counted >= job.attempts) return { state: 'failed', outcome, error }
  return { state: 'scheduled', outcome, error, delayMs: backoffMs(job.backoff, counted) }
}

function succeeded(value: unknown): End {
  try {
    const result = packed(value ?? null)
    if (result.bytes <= mostResultBytes) return { state: 'succeeded', outcome: 'succeeded', result }
    const text = `its result has ${result.bytes} bytes, and ${mostResultBytes} are the limit`
    return { state: 'failed', outcome: 'failed', error: { text, name: 'ResultTooLarge', stack: null } }
  } catch (error) {
    const text = `its result is no JSON: ${errorText(error, 300)}`
    return { state: 'failed', outcome: 'failed', error: { text, name: 'BadResult', stack: null } }
  }
}

/** The wait after that many attempts, in ms: between half and all of what the policy says. */
export function backoffMs({ type, ms, max_ms }: Backoff, made: number, random = Math.random()): number {
  const full = type === 'fixed' ? ms : Math.min(max_ms, ms * 2 ** Math.max(0, made - 1))
  return Math.round(full * (0.5 + random / 2))
}

/** What was thrown, whatever it is, as rows can hold it. */
export function described(error: unknown): NonNullable<End['error']> {
  const stack =
    error instanceof Error && typeof error.stack === 'string' ? error.stack.slice(0, mostStack) : null
  const name =
    error instanceof Error && typeof error.name === 'string' ? cleanText(error.name).slice(0, 100) : 'Error'
  return { text: textOf(error), name, stack }
}

function textOf(error: unknown): string {
  try {
    return errorText(error) || 'no reason was given'
  } catch {
    return 'something was thrown that cannot be shown'
  }
}

/** No further attempt can help: it says so, or what it was given is wrong. */
function isFinal(error: unknown): boolean {
  if (error instanceof WorkerDiedError) return true
  return error instanceof FinalJobError || (error instanceof SluiceError && error.status === 422)
}
