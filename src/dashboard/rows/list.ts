import type { Sql } from 'postgres'
import { idFloor, isId } from '#lib/ids'
import type { RowList, RowQuery, RowView } from './view.ts'

/** Whose rows; null: everybody's. */
type Reach = { tenant: string | null }

/** Counted at most: beyond it, "more than" is what people need to know. */
const countedAtMost = 10_000

/** Newest first. No list reads what jobs carry, so five megabytes cost as little as five bytes. */
export async function listRows(sql: Sql, reach: Reach, query: RowQuery): Promise<RowList> {
  const where = conditions(sql, reach, query)
  const before = query.cursor === undefined ? sql`` : sql`and j.id < ${query.cursor}`
  const rows = await sql<RowView[]>`
    select ${columns(sql)} from jobs j where ${where} ${before} order by j.id desc limit ${query.limit + 1}`
  const items = rows.slice(0, query.limit)
  const next_cursor = rows.length > query.limit ? (items.at(-1)?.id ?? null) : null
  if (query.cursor !== undefined) return { items, next_cursor, total: null, total_is_least: false }
  if (next_cursor === null) return { items, next_cursor, total: items.length, total_is_least: false }
  const [counted] = await sql<{ n: number }[]>`
    select count(*)::int as n from (select 1 from jobs j where ${where} limit ${countedAtMost + 1}) as some_`
  const total = counted?.n ?? 0
  return { items, next_cursor, total: Math.min(total, countedAtMost), total_is_least: total > countedAtMost }
}

function conditions(sql: Sql, { tenant }: Reach, query: RowQuery) {
  const { state, kind, tag, q, since, until } = query
  const parts = [sql`true`]
  if (tenant !== null) parts.push(sql`j.tenant = ${tenant}`)
  if (state?.length === 1) parts.push(sql`j.state = ${state[0] ?? ''}`)
  else if (state !== undefined) parts.push(sql`j.state = any(${state}::text[])`)
  // Said for the index, which leaves them out.
  if (state !== undefined && !state.includes('succeeded')) parts.push(sql`j.state <> 'succeeded'`)
  if (kind !== undefined) parts.push(sql`j.kind = ${kind}`)
  if (tag !== undefined) parts.push(sql`j.tags <> '{}' and j.tags @> ${[tag]}::text[]`)
  if (since !== undefined) parts.push(sql`j.id >= ${idFloor(Date.parse(since))}`)
  if (until !== undefined) parts.push(sql`j.id < ${idFloor(Date.parse(until))}`)
  const words = q?.trim().replaceAll('\u0000', '')
  if (words) parts.push(isId(words) ? sql`(j.id = ${words} or ${holding(sql, words)})` : holding(sql, words))
  return parts.reduce((all, part) => sql`${all} and ${part}`)
}

function holding(sql: Sql, words: string) {
  return sql`j.id in (select job_id from job_words where words @@ websearch_to_tsquery('simple', ${words}))`
}

export function columns(sql: Sql) {
  return sql`j.id, j.tenant, j.kind, j.state, j.priority, j.tags, ${iso(sql, 'created_at')}, ${iso(sql, 'run_at')},
    ${iso(sql, 'started_at')}, ${iso(sql, 'ended_at')}, j.attempt, j.attempts, j.worker, j.progress, j.progress_note,
    j.error, j.input_bytes, j.result_bytes`
}

export function iso(sql: Sql, column: string) {
  return sql`to_char(j.${sql(column)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as ${sql(column)}`
}
