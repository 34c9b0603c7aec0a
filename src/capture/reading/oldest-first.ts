/** A range of time in ms since the epoch, `until` excluded. */
export type Window = { since: number; until: number }

const hour = 3_600_000
const brisk = 250
const slow = 1_000

/**
 * Cuts a range of time into windows, oldest first, each as wide as can be read well within the time limit of a
 * statement: whatever the filter, no single one reads the whole table. Give the time that a window took to `next`.
 */
export function* oldestFirst({ since, until }: Window): Generator<Window, void, number | undefined> {
  let width = hour
  for (let from = since; from < until; ) {
    const to = Math.min(until, from + width)
    const tookMs = (yield { since: from, until: to }) ?? 0
    from = to
    if (tookMs < brisk) width *= 4
    else if (tookMs > slow) width = Math.max(60_000, width / 4)
  }
}
