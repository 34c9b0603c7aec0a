import type postgres from 'postgres'

/** What lies in `[from, before)`, in ms since the epoch; undefined is unbounded. */
export type Span = { from: number | undefined; before: number | undefined }

const day = 86_400_000
const daysAtOnce = 32
/** Older than that is read at once: it is rarely kept. */
const oldest = 400 * day

/**
 * Where a slice of that width begins that ends at `before`: within the day, or at the start of one. Null where
 * everything older is to be read.
 */
export function nextEdge(before: number, width: number): number | null {
  if (Date.now() - before > oldest) return null
  const startOfDay = Math.floor((before - 1) / day) * day
  if (width < day) return Math.max(startOfDay, Math.floor(before - width))
  return startOfDay - (Math.min(daysAtOnce, Math.floor(width / day)) - 1) * day
}

/** The days of a span, newest first; one piece where it is unbounded. */
export function pieces({ from, before }: Span): Span[] {
  if (from === undefined) return [{ from, before }]
  const found: Span[] = []
  let end = before
  for (let start = Math.floor(((end ?? Date.now()) - 1) / day) * day; start > from; start -= day) {
    if (found.length > daysAtOnce) break
    found.push({ from: start, before: end })
    end = start
  }
  return [...found, { from, before: end }]
}

/**
 * A query for each day, and of all their rows the newest: so the planner chooses for each partition whether to walk it
 * or to ask an index. For all at once it takes what is rare in one for spread over all, and walks. Measured, a
 * word of 100 in a million turns: 240 ms at once, 4 ms by day.
 *
 * The order is kept from the planner where a piece is a whole day: what did not fill a page in the hours before is
 * rare, whatever it estimates, and to walk the day in order until there are enough reads all of it. Measured, a
 * tag of 100 in ten million exchanges: 113 ms a day, else 1 ms by the tag's index.
 */
export function eachDay(
  sql: postgres.Sql,
  slice: { days: readonly Span[]; limit: number },
  select: (day: Span) => postgres.Fragment,
): postgres.Fragment {
  const newest = sql`order by id desc limit ${slice.limit}`
  const [first, ...rest] = slice.days.map((span) =>
    isWholeDay(span)
      ? sql`(select * from (${select(span)} offset 0) found ${newest})`
      : sql`(${select(span)} ${newest})`,
  )
  if (first === undefined) throw new Error('reading a slice of no day')
  if (rest.length === 0) return first
  const all = rest.reduce((before, one) => sql`${before} union all ${one}`, first)
  return sql`${all} ${newest}`
}

function isWholeDay({ from, before }: Span): boolean {
  return from !== undefined && before !== undefined && before - from >= day
}
