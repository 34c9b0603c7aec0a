/** Between tries, in s: about a day in all. */
const ladder = [5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 28_800]
/** A receiver may ask for no longer than we would wait by ourselves, in s. */
export const mostRetryAfter = 28_800

/** After that many tries, in s; null: there is no further one. */
export function ordinaryWait(tries: number): number | null {
  return ladder[tries - 1] ?? null
}

/**
 * With jitter, so that what failed together does not come back together; but never sooner than the receiver asked. Nor
 * sooner than our own wait, or one that always says 1 s would have used up the tries of a day in ten seconds.
 */
export function waitBefore(own: number | null, retryAfterS: number | null): number | null {
  if (own === null) return null
  const jittered = own * (0.9 + Math.random() / 5)
  if (retryAfterS === null) return jittered
  return Math.max(jittered, Math.min(retryAfterS, mostRetryAfter) * (1 + Math.random() / 10))
}

/** `Retry-After` (RFC 9110, 10.2.3), seconds or a date, in s from now; null where it is neither. */
export function secondsOf(text: string | undefined, now = Date.now()): number | null {
  if (text === undefined) return null
  if (/^\d{1,9}$/.test(text.trim())) return Number(text)
  const at = Date.parse(text)
  return Number.isNaN(at) ? null : Math.max(0, (at - now) / 1_000)
}
