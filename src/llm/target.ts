import type { Caller } from '#access'
import { dialectOfPath } from './dialects/dialects.ts'
import type { Plan } from './routing/plan.ts'

/** Where a request goes. */
export type Target = {
  provider: string
  /** Names the reader of the bytes; null where nobody can read them, which does not matter to the proxy. */
  dialect: string | null
  /** Path and query at the provider, as the client sent them. */
  path: string
  /** Set where the gateway itself sends a recorded request again, for somebody who was authorised before. */
  replay?: { caller: Caller; of: string }
  /** Set where the gateway itself calls, for somebody who was authorised before. */
  caller?: Caller
  /** It is a part of a call that was counted as a request already. */
  part?: true
  /** The client named the provider itself: no rule is asked. */
  named?: true
  /** Decided already, whatever rules say. */
  plan?: Plan
}

/** Path and query of a request's URL, untouched. */
export function pathOf(url: string): string {
  const start = url.indexOf('/', 8)
  const end = url.indexOf('#', start)
  return end === -1 ? url.slice(start) : url.slice(start, end)
}

/** A native route: the path says which vendor is meant, and on shared paths the vendor's own header. */
export function nativeTarget(path: string, headers: Headers): Target {
  // The busiest first; scanning strings costs less than the table of patterns.
  const bare = withoutQuery(path)
  if (bare === '/v1/messages') return { provider: 'anthropic', dialect: 'anthropic', path }
  if (bare === '/v1/chat/completions') return { provider: 'openai', dialect: 'openai-chat', path }
  if (bare === '/v1/responses') return { provider: 'openai', dialect: 'openai-responses', path }
  const dialect = dialectOfPath(path)?.name ?? null
  if (dialect === 'gemini' || /^(\/upload|\/download)?\/v1(beta|alpha)\//.test(path)) {
    return { provider: 'gemini', dialect, path }
  }
  // Google's client lists models under `/v1` too, when it is given a base URL.
  if (dialect === 'openai-models' && headers.has('x-goog-api-key'))
    return { provider: 'gemini', dialect, path }
  const isAnthropic = dialect === 'anthropic' || (isShared(dialect) && headers.has('anthropic-version'))
  if (isAnthropic) return { provider: 'anthropic', dialect: 'anthropic', path }
  return { provider: 'openai', dialect, path }
}

/** `/p/{provider}/…`: anything to that provider. */
export function namedTarget(path: string): Target {
  const end = path.slice(3).search(/[/?]/)
  const provider = end === -1 ? path.slice(3) : path.slice(3, 3 + end)
  const rest = end === -1 ? '/' : path.slice(3 + end)
  const onward = rest.startsWith('/') ? rest : `/${rest}`
  const dialect = dialectOfPath(onward)?.name ?? null
  return { provider: decoded(provider), dialect, path: onward, named: true }
}

/**
 * The address at the provider. A base URL that ends in the version that the path begins with, as the variables
 * of many SDKs do (`…/v1`), does not double it.
 */
export function urlAt(baseUrl: string, path: string): string {
  const last = baseUrl.lastIndexOf('/')
  const segment = baseUrl.slice(last)
  const doubled = segment.length > 1 && baseUrl[last - 1] !== '/' && path.startsWith(`${segment}/`)
  return doubled ? baseUrl.slice(0, last) + path : baseUrl + path
}

/** Models, files, batches: both vendors have them under the same path. */
function isShared(dialect: string | null): boolean {
  return dialect === null || dialect === 'openai-models'
}

function withoutQuery(path: string): string {
  const query = path.indexOf('?')
  return query === -1 ? path : path.slice(0, query)
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
