import type { Sql } from 'postgres'
import { type JobFilters, type JobItem, jobColumns, jobConditions, lookedUp } from '#jobs'
import { isId } from '#lib/ids'
import type { RowQuery } from './query.ts'
import type { RowList } from './view.ts'

/** Counted at most: beyond it, "more than" is what people need to know. */
const countedAtMost = 10_000

/**
 * Newest first. No list reads what jobs carry, so five megabytes cost as little as five bytes. `tenant`: whose; null:
 * everybody's.
 */
export async function listRows(sql: Sql, tenant: string | null, query: RowQuery): Promise<RowList> {
  const { limit, cursor, ...filters } = query
  const where = jobConditions(sql, await found(sql, { ...filters, tenant }))
  const before = cursor === undefined ? sql`` : sql`and j.id < ${cursor}`
  const rows = await sql<JobItem[]>`
    select ${jobColumns(sql)} from jobs j where ${where} ${before} order by j.id desc limit ${limit + 1}`
  const items = rows.slice(0, limit)
  const next_cursor = rows.length > limit ? (items.at(-1)?.id ?? null) : null
  if (cursor !== undefined) return { items, next_cursor, total: null, total_is_least: false }
  if (next_cursor === null) return { items, next_cursor, total: items.length, total_is_least: false }
  const [counted] = await sql<{ n: number }[]>`
    select count(*)::int as n from (select 1 from jobs j where ${where} limit ${countedAtMost + 1}) as some_`
  const total = counted?.n ?? 0
  return { items, next_cursor, total: Math.min(total, countedAtMost), total_is_least: total > countedAtMost }
}

/** Somebody who searches for an id means that job, wherever else the id may be spoken of. */
async function found(sql: Sql, filters: JobFilters): Promise<JobFilters> {
  const id = filters.q?.trim().toLowerCase() ?? ''
  if (isId(id)) {
    const { tenant } = filters
    const [job] =
      await sql`select 1 from jobs where id = ${id} and (${tenant}::text is null or tenant = ${tenant})`
    if (job !== undefined) return { ...filters, among: [id] }
  }
  return await lookedUp(sql, filters)
}
