import { errorText, SluiceError } from '#lib/errors'
import { type Attempt, failureOf, UpstreamFailure } from '#lib/upstream'
import type { Providers, ReadyProvider } from '../providers/provider.ts'
import { clientLeft } from '../refusal.ts'
import type { Body } from '../response-body.ts'
import type { Health, Use } from './health.ts'
import type { Outgoing } from './outgoing.ts'
import type { Candidate, Plan } from './plan.ts'
import { isTransient, longestWaitMs, retryAfterMs, waitMs } from './retry.ts'
import { type Result, tryOnce, withBody } from './try-once.ts'

/** One try, as the record keeps it. */
export type Tried = {
  provider: string
  model: string | null
  /** Null: none came. */
  status: number | null
  /** A word or two; null where it answered. */
  error: string | null
  ms: number
}

/** What goes to the client, in its own dialect. */
export type Served = {
  answer: Response
  /** What is still to be read of it. */
  body: Body | null
  attempt: Attempt
  candidate: Candidate
  outgoing: Outgoing
  /** Null where the answer is an error that is over already. */
  use: Use | null
}

export type TryOptions = {
  plan: Plan
  /** Null: none is named. */
  model: string | null
  method: string
  providers: Providers
  health: Health
  signal: AbortSignal
  random: () => number
  /** @throws SluiceError where that candidate cannot take it */
  prepare: (candidate: Candidate, provider: ReadyProvider) => Outgoing
  begin: (provider: ReadyProvider, candidate: Candidate) => Attempt
  /** Grows with each try. */
  tried: Tried[]
}

/** What is left when a candidate did not serve. */
type Left = { error: unknown; text: string; remainingMs: number } | { served: Served }

/**
 * Asks the candidates in turn, until one answers. Where none does: the last answer that came, however bad, as the
 * upstream gave it.
 * @throws UpstreamFailure, SluiceError of the only one that was asked; SluiceError 503 `all-candidates-down`
 */
export async function tryCandidates(options: TryOptions): Promise<Served> {
  const { plan } = options
  const reasons: Exclude<Left, { served: Served }>[] = []
  let worst: Served | null = null
  for (const candidate of plan.candidates) {
    const left = await tryCandidate(candidate, options)
    if (!('served' in left)) reasons.push(left)
    else if (left.served.use !== null) return left.served
    else worst = left.served
  }
  if (worst !== null) return await crossed(worst)
  const [only] = reasons
  if (reasons.length === 1 && only !== undefined && !(only.remainingMs > 0)) throw only.error
  throw allDown(plan, reasons)
}

async function tryCandidate(candidate: Candidate, options: TryOptions): Promise<Left> {
  const { providers, health, tried, plan, signal, random, method } = options
  const place = { provider: candidate.provider, model: candidate.model ?? options.model }
  let provider: ReadyProvider
  let outgoing: Outgoing
  try {
    provider = providers.get(candidate.provider)
    const closed = health.closedTo(place)
    if (closed !== null) {
      tried.push({ ...place, status: null, error: 'breaker-open', ms: 0 })
      const { reason, remainingMs } = closed
      return { error: null, text: reason, remainingMs: Math.max(remainingMs, 1) }
    }
    outgoing = options.prepare(candidate, provider)
  } catch (error) {
    return refused(error, place, tried)
  }

  let retries = candidate.retries
  let rotations = provider.keys.size - 1
  for (let tries = 0; ; tries += 1) {
    const use = health.begin(place)
    let result: Result
    try {
      const attempt = options.begin(provider, candidate)
      result = await tryOnce(provider, { outgoing, attempt, method, statuses: plan.spec.fallback.statuses })
    } catch (error) {
      use.end()
      return refused(error, place, tried)
    }
    tried.push({
      ...place,
      status: result.kind === 'failure' ? null : result.answer.status,
      error: wordOf(result),
      ms: result.ms,
    })
    if (result.kind === 'answer') return await accepted(result, { candidate, outgoing, use, tried })
    judge(result, use)
    if (result.kind === 'failure' && !goesOn(result, plan)) throw result.failure

    const asked = result.kind === 'status' ? retryAfterMs(result.answer.headers) : null
    const rested = result.kind === 'status' && provider.keys.judge(result.key, result.answer)
    if (rested && provider.keys.fresh && rotations > 0) {
      rotations -= 1
      continue
    }
    const wait = waitMs(tries, asked, random)
    const again = result.kind === 'failure' || isTransient(result.answer.status) || result.answer.ok
    if (again && retries > 0 && wait <= longestWaitMs && health.closedTo(place) === null) {
      retries -= 1
      await pause(wait, signal)
      continue
    }
    if (result.kind === 'status') {
      const { answer, attempt } = result
      return { served: { answer, body: answer.body, attempt, candidate, outgoing, use: null } }
    }
    const { failure } = result
    return { error: failure, text: `${candidate.provider}: ${failure.message}`, remainingMs: 0 }
  }
}

/** An answer that makes no sense is found out while others may still be asked, unless it is a stream. */
async function accepted(
  { answer, body, attempt }: Result & { kind: 'answer' },
  { candidate, outgoing, use, tried }: { candidate: Candidate; outgoing: Outgoing; use: Use; tried: Tried[] },
): Promise<Left> {
  if (answer.status < 500) use.worked()
  else use.failed(`HTTP ${answer.status}`)
  try {
    return { served: await crossed({ answer, body, attempt, candidate, outgoing, use }) }
  } catch (error) {
    attempt.end()
    const failure = error instanceof SluiceError ? error : failureOf(error, attempt)
    const reason = failure instanceof SluiceError ? failure.code : failure.reason
    const last = tried.at(-1)
    if (last !== undefined) last.error = reason
    use.failed(reason)
    use.end()
    return { error: failure, text: `${candidate.provider}: ${errorText(failure)}`, remainingMs: 0 }
  }
}

async function crossed(served: Served): Promise<Served> {
  const { outgoing, body, attempt } = served
  if (outgoing.crossing === null) return served
  // What nobody has begun to read needs no new one.
  const whole = body === served.answer.body ? served.answer : withBody(served.answer, body)
  const answer = await outgoing.crossing.answer(whole, attempt)
  return { ...served, answer, body: answer.body }
}

/** What is no fault of the other side says nothing of its health. */
function judge(result: Exclude<Result, { kind: 'answer' }>, use: Use): void {
  if (result.kind === 'failure') {
    if (!['client-gone', 'stopped', 'refused'].includes(result.failure.kind))
      use.failed(result.failure.reason)
  } else if (result.answer.status >= 500 || result.answer.ok) use.failed(result.reason)
  use.end()
}

/** May another be asked after that failure? Not where it is the client that left, or the gateway that stops. */
function goesOn({ failure, silent }: Result & { kind: 'failure' }, { spec }: Plan): boolean {
  if (['client-gone', 'stopped', 'refused'].includes(failure.kind)) return false
  return silent ? spec.fallback.silence : spec.fallback.timeout
}

function refused(error: unknown, place: { provider: string; model: string | null }, tried: Tried[]): Left {
  if (!(error instanceof SluiceError)) throw error
  tried.push({ ...place, status: null, error: error.code, ms: 0 })
  return { error, text: `${place.provider}: ${errorText(error)}`, remainingMs: 0 }
}

function wordOf(result: Result): string | null {
  if (result.kind === 'answer') return result.answer.ok ? null : `HTTP ${result.answer.status}`
  return result.kind === 'status' ? result.reason : result.failure.reason
}

/** @throws UpstreamFailure where the client leaves meanwhile */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  const leave = () => reject(clientLeft())
  signal.addEventListener('abort', leave)
  if (signal.aborted) leave()
  await promise.finally(() => {
    clearTimeout(timer)
    signal.removeEventListener('abort', leave)
  })
}

function allDown(
  plan: Plan,
  reasons: readonly { error: unknown; text: string; remainingMs: number }[],
): SluiceError {
  const waits = reasons.flatMap(({ remainingMs }) => (remainingMs > 0 ? [remainingMs] : []))
  const cause = reasons.findLast(({ error }) => error instanceof UpstreamFailure)?.error
  const refusals = reasons.map(({ error }) => error)
  // Nobody was asked, as nobody could take it: the last of them says why.
  const last = refusals.at(-1)
  if (refusals.every((error) => error instanceof SluiceError) && last instanceof SluiceError) return last
  const seconds = Math.max(1, Math.ceil(Math.min(...(waits.length > 0 ? waits : [2_000])) / 1000))
  return new SluiceError(
    503,
    'all-candidates-down',
    `No candidate of ${plan.route ?? 'the call'} answered: ${reasons.map(({ text }) => text).join('; ')}`,
    { cause, headers: { 'retry-after': String(seconds) } },
  )
}
