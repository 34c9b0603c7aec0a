/** Durations counted into buckets that grow by the root of two, from 1 ms to about 9 days: a fifth off at most. */
const buckets = 60

export function emptyDurations(): number[] {
  return new Array<number>(buckets).fill(0)
}

export function addDuration(counts: number[], ms: number): void {
  const at = ms < 1 ? 0 : Math.min(buckets - 1, Math.floor(2 * Math.log2(ms)) + 1)
  counts[at] = (counts[at] ?? 0) + 1
}

/** The duration, in ms, that this share of those counted did not pass; null where there are none. */
export function percentile(counts: readonly number[], share: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (total === 0) return null
  const wanted = Math.max(1, Math.ceil(total * share))
  let seen = 0
  for (const [n, count] of counts.entries()) {
    seen += count
    if (seen >= wanted) return n === 0 ? 0.5 : 2 ** ((n - 0.5) / 2)
  }
  return null
}
