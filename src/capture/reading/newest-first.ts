/**
 * How every list of the record is read: newest first, in slices of time that widen until the page is full. A common
 * filter is satisfied by the first slices, which are small; a rare one is left to its index over wide slices; and
 * for one that is both rare and not indexed the reading stops at a budget, with a page that is not full and a
 * cursor where to go on. So no list takes long, however many rows there are.
 */

/** What lies in `[from, before)`, in ms since the epoch; undefined is unbounded. */
export type Slice = { from: number | undefined; before: number | undefined; limit: number }

export type SlicedOptions = {
  /** Of the rows wanted, in ms since the epoch: nothing older is read. */
  since: number | undefined
  /** Where the newest slice ends. */
  until: number | undefined
  limit: number
  /** No new slice is begun that would probably end after this. @default 120 */
  budgetMs?: number
  /** Width of the newest slice. @default one hour */
  firstMs?: number
}

const hour = 3_600_000
const widest = 400 * 24 * hour
const growth = 4

/**
 * The newest rows that `fetch` finds, at most `limit`. `reached` is where the reading stopped because of its
 * budget: everything from there on was read; null when all was read or the page is full.
 */
export async function newestFirst<Row>(
  { since, until, limit, budgetMs = 120, firstMs = hour }: SlicedOptions,
  fetch: (slice: Slice) => Promise<readonly Row[]>,
): Promise<{ rows: Row[]; reached: number | null }> {
  const began = performance.now()
  const rows: Row[] = []
  let before = until
  for (let width = firstMs; ; width *= growth) {
    const edge = (before ?? Date.now()) - width
    const last = width > widest || edge <= (since ?? 0)
    const from = last ? since : edge
    const sliceBegan = performance.now()
    rows.push(...(await fetch({ from, before, limit: limit - rows.length })))
    if (rows.length >= limit || from === since || from === undefined) return { rows, reached: null }
    before = from
    const next = (performance.now() - sliceBegan) * growth
    if (performance.now() - began + next > budgetMs) return { rows, reached: from }
  }
}
