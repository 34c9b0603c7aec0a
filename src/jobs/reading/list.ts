import type postgres from 'postgres'
import { z } from 'zod'
import { isId } from '#lib/ids'
import { type JobFilters, jobConditions, jobFilters, lookedUp } from './filters.ts'
import { type JobItem, jobColumns, jobItem } from './item.ts'

const mostAtOnce = 500

export const jobsQuery = z.strictObject({
  ...jobFilters,
  limit: z
    .string()
    .regex(/^\d{1,3}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(1).max(mostAtOnce))
    .default(50),
  cursor: z.string().refine(isId, 'must be a next_cursor of this list').optional(),
})

export const jobsPage = z.object({ items: z.array(jobItem), next_cursor: z.string().nullable() })
export type JobsPage = z.infer<typeof jobsPage>

/** A page, newest first. */
export async function listJobs(
  sql: postgres.Sql,
  filters: JobFilters,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<JobsPage> {
  const known = await lookedUp(sql, filters)
  const rows = await sql<JobItem[]>`
    select ${jobColumns(sql)} from jobs j
    where ${jobConditions(sql, known)} ${cursor === undefined ? sql`` : sql`and j.id < ${cursor}`}
    order by j.id desc limit ${limit + 1}`
  const items = rows.slice(0, limit)
  return { items, next_cursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null }
}
