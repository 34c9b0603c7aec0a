import type { Sql } from 'postgres'
import { isoTime } from '#lib/clock'

/** How long logs are kept, where they are not kept as long as the record. */
export type LogRetention = {
  /** Whole days. */
  days?: number | undefined
  /** Of each tenant, the last so many. */
  count?: number | undefined
}

const dayMs = 86_400_000
const rowsAtOnce = 5_000

/**
 * In short transactions. Partitions past RETENTION_DAYS are dropped with those of the record.
 * @returns how many are gone
 */
export async function retainLogs(sql: Sql, { days, count }: LogRetention): Promise<number> {
  let gone = 0
  if (days !== undefined) {
    const before = isoTime(Date.now() - days * dayMs)
    gone += await inSteps(
      () => sql`
      delete from logs where id in (select id from logs where created_at < ${before} limit ${rowsAtOnce})`,
    )
  }
  if (count === undefined) return gone
  for (const { tenant } of await sql<{ tenant: string }[]>`select distinct tenant from logs`) {
    const [last] = await sql<{ created_at: string; id: string }[]>`
      select created_at::text as created_at, id from logs where tenant = ${tenant}
      order by created_at desc, id desc offset ${count} limit 1`
    if (last === undefined) continue
    gone += await inSteps(
      () => sql`
      delete from logs where id in (
        select id from logs where tenant = ${tenant} and (created_at, id) <= (${last.created_at}::timestamptz, ${last.id})
        limit ${rowsAtOnce})`,
    )
  }
  return gone
}

async function inSteps(step: () => PromiseLike<{ count: number }>): Promise<number> {
  for (let gone = 0; ; ) {
    const { count } = await step()
    gone += count
    if (count < rowsAtOnce) return gone
  }
}
