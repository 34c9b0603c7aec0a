import type { Outcome } from '#capture'
import { SluiceError } from '#lib/errors'
import { type Attempt, failureOf, UpstreamFailure } from '#lib/upstream'
import { clientLeft, endOf } from './refusal.ts'

export type Verdict = { outcome: Outcome; error: unknown; reason: string | null }

/** How what was thrown on the way ends the exchange, and what is to be told of it. */
export function verdict(
  thrown: unknown,
  { request, attempt }: { request: Request; attempt: Attempt | null },
): Verdict {
  if (thrown instanceof SluiceError) {
    const { cause } = thrown
    const nonsense = attempt !== null && badAnswers.has(thrown.code) ? 'upstream_error' : 'rejected'
    const outcome = cause instanceof UpstreamFailure ? endOf(cause).outcome : nonsense
    return { outcome, error: thrown, reason: thrown.code }
  }
  if (request.signal.aborted) return { ...endOf(clientLeft()), reason: null }
  // Before an upstream was asked, what fails without a word of ours is our own mistake.
  if (attempt === null) return { outcome: 'rejected', error: thrown, reason: 'internal' }
  const failure = failureOf(thrown, attempt)
  return { ...endOf(failure), reason: failure.reason }
}

/** The upstream was asked, and what it said makes no sense. */
const badAnswers = new Set(['upstream-malformed', 'bad-upstream-answer'])
