/** Durations counted into buckets that grow by the root of two, from 1 ms to about 9 days: a fifth off at most. */
const buckets = 60

export function emptyDurations(): number[] {
  return new Array<number>(buckets).fill(0)
}

export function addDuration(counts: number[], ms: number): void {
  const at = ms < 1 ? 0 : Math.min(buckets - 1, Math.floor(2 * Math.log2(ms)) + 1)
  counts[at] = (counts[at] ?? 0) + 1
}

/** In s: from 4 ms to an hour and ten minutes, each twice the one before. The counts have their bounds there, too. */
export const durationBounds: readonly number[] = Array.from({ length: 21 }, (_, n) => 2 ** (n + 2) / 1_000)

/** The counts up to each of `durationBounds` from the one before, and what is beyond. */
export function foldDurations(counts: readonly number[]): number[] {
  const folded = new Array<number>(durationBounds.length + 1).fill(0)
  for (const [n, count] of counts.entries()) {
    const at = Math.min(durationBounds.length, Math.max(0, Math.ceil(n / 2) - 2))
    folded[at] = (folded[at] ?? 0) + count
  }
  return folded
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
