import { isoTime } from '#lib/clock'
import { SluiceError } from '#lib/errors'
import { noRetry } from '../refusal.ts'
import type { Account } from './account.ts'
import type { Budget, RateLimit } from './budget.ts'
import type { Candidate } from './money.ts'
import { periodEnd } from './period.ts'

/**
 * 402, as no SDK tries that again by itself, where a 429 is tried again until the patience of a loop ends, for a
 * budget that may stay spent for weeks. `x-should-retry` says it in words to the SDKs of Anthropic and OpenAI.
 */
export function exhausted({ terms, standing, startsAt }: Account, micros: number): SluiceError {
  const end = periodEnd(terms.period, startsAt)
  const until = end === null ? 'until it is raised or reset' : `until ${isoTime(end)}`
  const held = standing.elsewhere > 0 ? `, ${usd(standing.elsewhere)} reserved by other gateways` : ''
  return new SluiceError(
    402,
    'budget-exhausted',
    `Budget "${terms.name}" (${aboutOf(terms)}, ${terms.period}): ${usd(standing.spent)} of ${usd(terms.limit_micros)} USD spent` +
      `${held}, and this call may cost ${usd(micros)}: refused ${until}`,
    { headers: noRetry },
  )
}

export function priceUnknown(budget: Budget, { provider, model }: Candidate): SluiceError {
  const what = model === null ? `this call to ${provider}` : `${model.slice(0, 100)} at ${provider}`
  return new SluiceError(
    402,
    'price-unknown',
    `Budget "${budget.name}" (${aboutOf(budget)}): there is no price for ${what}; set one at /api/prices, or let the budget allow what has none`,
    { headers: noRetry },
  )
}

export function needsHttp(what: 'budget' | 'limit'): SluiceError {
  const message = `A ${what} is about these calls, and over a WebSocket it could not be kept: use HTTP`
  return new SluiceError(426, `${what}-needs-http`, message, { headers: { upgrade: 'HTTP/1.1' } })
}

export function unavailable(budget: Budget | null): SluiceError {
  const which =
    budget === null ? 'Budgets could not be loaded yet' : `Budget "${budget.name}" cannot be asked`
  return new SluiceError(503, 'budget-unavailable', `${which}, as the database does not answer: try again`, {
    headers: { 'retry-after': '2' },
  })
}

export function limited(
  limit: RateLimit,
  {
    what,
    seconds,
    headers,
  }: { what: 'requests' | 'tokens'; seconds: number; headers: Record<string, string> },
): SluiceError {
  const most = limit[what] ?? 0
  return new SluiceError(
    429,
    'rate-limited',
    `Limit "${limit.name}" (${aboutOf(limit)}): ${most} ${what} in ${limit.window_seconds} s are used up: try again in ${seconds} s`,
    { headers: { ...headers, 'retry-after': String(seconds) } },
  )
}

function aboutOf({ scope, subject }: Budget | RateLimit): string {
  return subject === null ? 'everything' : `${scope} ${subject}`
}

/** Micro-units as a decimal. */
export function usd(micros: number): string {
  const sign = micros < 0 ? '-' : ''
  const digits = Math.abs(micros).toString().padStart(7, '0')
  return `${sign}${digits.slice(0, -6)}.${digits.slice(-6)}`
}
