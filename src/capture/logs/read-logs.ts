import type postgres from 'postgres'
import { isoTime } from '#lib/clock'
import { idFloor } from '#lib/ids'
import { conjunction } from '../reading/exchange-filters.ts'
import { parseSearch } from '../reading/search-query.ts'
import type { LogClearance, LogQuery } from './log-entry.ts'

type Sql = postgres.Sql

export type LogRow = {
  id: string
  trace_id: string | null
  component: string
  level: string
  message: string
  data: unknown
  created_at: string
}

/** A log may be said to be an hour younger than its coming. */
const aheadMs = 3_600_000

/** The latest first. `tenant` null: of all. */
export async function queryLogs(sql: Sql, tenant: string | null, query: LogQuery): Promise<LogRow[]> {
  const { trace_id: trace, component, level, start_time: start, end_time: end, search, limit } = query
  const found = search === undefined ? null : parseSearch(search, tenant)
  const where = conjunction(sql, [
    tenant !== null && sql`tenant = ${tenant}`,
    trace !== undefined && sql`trace_id = ${trace}`,
    component !== undefined && sql`component = ${component}`,
    level !== undefined && sql`level >= ${level}::log_level`,
    start !== undefined && sql`created_at >= ${isoTime(start)} and id >= ${idFloor(start - aheadMs)}`,
    end !== undefined && sql`created_at <= ${isoTime(end)}`,
    found !== null && sql`words @@ ${found.tsquery}::tsquery`,
    ...(found?.phrases ?? []).map((phrase) => sql`strpos(lower(message), ${phrase.toLowerCase()}) > 0`),
  ])
  return await sql<LogRow[]>`
    select id, trace_id, component, level::text as level, message, data,
      to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as created_at
    from logs where ${where} order by created_at desc, id desc limit ${limit}`
}

export type LogStats = {
  total_count: number
  count_by_component: Record<string, number>
  count_by_level: Record<string, number>
  oldest_log_at: string | null
  newest_log_at: string | null
}

/** The 1,000 components that say most. */
export async function logStats(sql: Sql, tenant: string | null): Promise<LogStats> {
  const rows = await sql<
    { component: string; level: string; count: number; oldest: number; newest: number }[]
  >`
    select component, level::text as level, count(*) as count,
      extract(epoch from min(created_at))::float8 * 1000 as oldest,
      extract(epoch from max(created_at))::float8 * 1000 as newest
    from logs where ${tenant === null ? sql`true` : sql`tenant = ${tenant}`}
    group by component, level order by count(*) desc limit 5000`
  const sumBy = (name: 'component' | 'level') =>
    rows.reduce<Record<string, number>>((sums, row) => {
      sums[row[name]] = (sums[row[name]] ?? 0) + row.count
      return sums
    }, {})
  const at = (ms: number) => (Number.isFinite(ms) ? isoTime(ms) : null)
  return {
    total_count: rows.reduce((sum, { count }) => sum + count, 0),
    count_by_component: Object.fromEntries(Object.entries(sumBy('component')).slice(0, 1000)),
    count_by_level: sumBy('level'),
    oldest_log_at: at(Math.min(...rows.map(({ oldest }) => oldest))),
    newest_log_at: at(Math.max(...rows.map(({ newest }) => newest))),
  }
}

const dayMs = 86_400_000

/** @returns how many are gone */
export async function clearLogs(
  sql: Sql,
  tenant: string,
  { before_time: before = Date.now() - 7 * dayMs, component, level }: LogClearance,
): Promise<number> {
  const where = conjunction(sql, [
    sql`tenant = ${tenant} and created_at < ${isoTime(before)}`,
    component !== undefined && sql`component = ${component}`,
    level !== undefined && sql`level = ${level}::log_level`,
  ])
  let gone = 0
  for (;;) {
    const { count } = await sql`
      delete from logs where id in (select id from logs where ${where} limit 5000)`
    gone += count
    if (count < 5000) return gone
  }
}
