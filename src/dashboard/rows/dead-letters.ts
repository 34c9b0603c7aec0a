import type { Sql } from 'postgres'
import type { DeadLetters } from './view.ts'

const lookedAt = 20_000
const groupsAtMost = 100

/** The latest failures by kind and reason, digits aside: "row 17" and "row 18" fail for the same one. */
export async function deadLettersOf(sql: Sql, tenant: string | null): Promise<DeadLetters> {
  const rows = await sql<(DeadLetters['items'][number] & { seen: number })[]>`
    with latest as (
      select id, kind, coalesce(error, 'without a reason') as error, coalesce(ended_at, created_at) as at
      from jobs where state = 'failed' and (${tenant}::text is null or tenant = ${tenant})
      order by id desc limit ${lookedAt}
    )
    select kind, (array_agg(left(error, 300) order by id desc))[1] as error, count(*)::int as count,
      to_char(max(at) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as last_at,
      (array_agg(id order by id desc))[1] as last_id, (select count(*) from latest)::int as seen
    from latest group by kind, regexp_replace(left(error, 300), '\\d+', '#', 'g')
    order by count(*) desc limit ${groupsAtMost}`
  return { items: rows.map(({ seen: _, ...item }) => item), looked_at: rows[0]?.seen ?? 0 }
}
