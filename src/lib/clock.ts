/** Milliseconds since the epoch, with fractions: monotonic within a process, so that durations are never negative. */
export function now(): number {
  return performance.timeOrigin + performance.now()
}

export function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}
