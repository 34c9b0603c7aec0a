/** Longer than this nobody is kept waiting for the same candidate. */
export const longestWaitMs = 15_000
const shortestWaitMs = 250

/** What may have passed when it is tried again, unlike a request that is simply wrong. */
export function isTransient(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500
}

/** What the upstream asks for, in ms; null where it says nothing. */
export function retryAfterMs(headers: Headers): number | null {
  const exact = Number(headers.get('retry-after-ms') ?? Number.NaN)
  if (exact >= 0) return exact
  const text = headers.get('retry-after')
  if (text === null) return null
  const seconds = Number(text)
  if (seconds >= 0) return seconds * 1000
  const at = Date.parse(text)
  return Number.isNaN(at) ? null : Math.max(0, at - Date.now())
}

/** At least what the upstream asks for; by itself twice as long each time. Jitter keeps many from coming at once. */
export function waitMs(tries: number, asked: number | null, random: () => number): number {
  const own = shortestWaitMs * 2 ** tries * (0.5 + random())
  return asked === null ? own : asked + own * 0.2
}

/** Does one of `429`, `5xx` name it? */
export function isAmong(status: number, patterns: readonly string[]): boolean {
  const exact = String(status)
  const family = `${exact[0]}xx`
  return patterns.includes(exact) || patterns.includes(family)
}
