import { nextEdge, pieces, type Span } from './slices.ts'

/**
 * How every list of the record is read: newest first, in slices of time that widen until the page is full. A common
 * filter is satisfied by the first slices, which are small; a rare one is left to its index over wide ones; and
 * for one that is both rare and not indexed the reading stops at a budget, with a page that is not full and a
 * cursor where to go on. So no list takes long, however many rows there are.
 */
export type Slice = Span & {
  /** The slice day by day, newest first. A day is a partition: see `eachDay`. */
  days: readonly Span[]
  limit: number
}

export type SlicedOptions = {
  /** Of the rows wanted, in ms since the epoch: nothing older is read. */
  since: number | undefined
  /** Where the newest slice ends. */
  until: number | undefined
  limit: number
  /** Where everything begins, null where nothing is there; asked where the first slice does not fill the page. */
  oldest?: () => Promise<number | null>
  /** The reading stops after about this long. @default 80 */
  budgetMs?: number
  /** Width of the newest slice. @default one hour */
  firstMs?: number
}

const hour = 3_600_000
const growth = 4

/**
 * The newest rows that `fetch` finds, at most `limit`. `reached` is where the reading stopped because of its
 * budget: everything from there on was read; null when all was read or the page is full.
 */
export async function newestFirst<Row>(
  options: SlicedOptions,
  fetch: (slice: Slice) => Promise<readonly Row[]>,
): Promise<{ rows: Row[]; reached: number | null }> {
  const { until, limit, oldest, budgetMs = 80, firstMs = hour } = options
  const began = performance.now()
  const rows: Row[] = []
  let { since } = options
  let isBounded = oldest === undefined
  let before = until
  let width = firstMs
  for (;;) {
    const edge = nextEdge(before ?? Date.now(), width)
    const last = edge === null || edge <= (since ?? 0)
    const span = { from: last ? since : edge, before }
    const sliceBegan = performance.now()
    rows.push(...(await fetch({ ...span, days: pieces(span), limit: limit - rows.length })))
    if (rows.length >= limit || last) return { rows, reached: null }
    const sliceMs = performance.now() - sliceBegan
    if (!isBounded) {
      isBounded = true
      const first = (await oldest?.()) ?? null
      if (first === null || edge <= first) return { rows, reached: null }
      since = Math.max(since ?? first, first)
    }
    before = edge
    const affordable = (budgetMs - (performance.now() - began)) / sliceMs
    if (affordable < 0.5) return { rows, reached: edge }
    width *= Math.min(growth, affordable)
  }
}
