import type { Sql } from 'postgres'
import { isoTime } from '#lib/clock'

/** What a gateway tells and asks about one budget's period; amounts in micro-units. See `budget_sync`. */
export type Ask = {
  budget: string
  /** ms since the epoch */
  startsAt: number
  settled: number
  keep: number
  need: number
  pending: number
  extra: number
}

export type Answer = { granted: number; spent: number; elsewhere: number; crossed: string[] }

/**
 * One statement for any number of budgets, in the order of their ids, so that gateways never wait for each other in
 * a circle. `saying` rises with each. Answers by `<budget> <start>`; none for a budget that is no more.
 */
export async function askLedger(
  sql: Sql,
  asks: readonly Ask[],
  { gateway, saying, leaseMs }: { gateway: string; saying: number; leaseMs: number },
): Promise<Map<string, Answer>> {
  const sorted = [...asks].sort((a, b) => compare(a.budget, b.budget) || a.startsAt - b.startsAt)
  const column = (name: 'settled' | 'keep' | 'need' | 'pending' | 'extra') =>
    sorted.map((ask) => String(Math.ceil(ask[name])))
  const rows = await sql<(Answer & { id: string; at: number })[]>`
    select s.id, extract(epoch from s.at)::float8 * 1000 as at, s.granted, s.spent, s.elsewhere, s.crossed
    from unnest(
      ${sorted.map((ask) => ask.budget)}::uuid[], ${sorted.map((ask) => isoTime(ask.startsAt))}::timestamptz[],
      ${column('settled')}::bigint[], ${column('keep')}::bigint[], ${column('need')}::bigint[],
      ${column('pending')}::bigint[], ${column('extra')}::bigint[]
    ) as ask (budget, starts, settled, keep, need, pending, extra),
    budget_sync(budget, starts, ${gateway}, ${saying}, settled, keep, need, pending, extra, ${leaseMs}) as s`
  return new Map(rows.map((row) => [`${row.id} ${row.at}`, row]))
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
