import type { Sql } from 'postgres'
import { isoTime } from '#lib/clock'
import type { Window } from './window.ts'

/** Adds what is new here to the common counts, and takes these over. Counts of windows that are over are dropped. */
export async function exchangeCounts(sql: Sql, windows: readonly Window[]): Promise<void> {
  const sent = windows
    .map((window) => ({ window, number: window.number, own: { ...window.own } }))
    .sort((a, b) => (a.window.limit.id < b.window.limit.id ? -1 : 1))
  const rows = await sql<{ limit_id: string; number: number; requests: number; tokens: number }[]>`
    insert into rate_counts as c (limit_id, number, requests, tokens, ends_at)
    select * from unnest(
      ${sent.map(({ window }) => window.limit.id)}::uuid[], ${sent.map(({ number }) => String(number))}::bigint[],
      ${sent.map(({ window, own }) => String(own.requests - window.told.requests))}::bigint[],
      ${sent.map(({ window, own }) => String(own.tokens - window.told.tokens))}::bigint[],
      ${sent.map(({ window, number }) => isoTime((number + 1) * window.limit.window_seconds * 1000))}::timestamptz[])
    on conflict (limit_id, number) do update
      set requests = c.requests + excluded.requests, tokens = c.tokens + excluded.tokens
    returning limit_id, number, requests, tokens`
  const counts = new Map(rows.map((row) => [`${row.limit_id} ${row.number}`, row]))
  for (const { window, number, own } of sent) {
    const all = counts.get(`${window.limit.id} ${number}`)
    if (all === undefined || window.number !== number) continue
    window.told = own
    window.all = { requests: all.requests, tokens: all.tokens }
  }
}

export async function dropOldCounts(sql: Sql): Promise<void> {
  await sql`delete from rate_counts where ends_at < now() - interval '2 hours'`
}
