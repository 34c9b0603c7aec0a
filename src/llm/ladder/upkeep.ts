import type { Sql } from 'postgres'
import { idFloor } from '#lib/ids'

const dayMs = 24 * 3_600_000
/** Short transactions, so that nobody waits for one. */
const rowsAtOnce = 1_000

/**
 * Drops climbs and answered tasks that are older than so many days. A question that still waits for its human is kept,
 * and how it came to be asked with it. Safe to run at any time, and more than once.
 */
export async function pruneLadders(sql: Sql, retentionDays: number): Promise<void> {
  const before = idFloor(Math.floor(Date.now() / dayMs - retentionDays) * dayMs)
  await inSteps(
    () => sql`
      delete from human_tasks where id in (
        select id from human_tasks where id < ${before} and status = 'answered' limit ${rowsAtOnce})`,
  )
  await inSteps(
    () => sql`
      delete from climbs where id in (
        select id from climbs c where id < ${before}
          and not exists (select from human_tasks t where t.id = c.task_id and t.status = 'waiting')
        limit ${rowsAtOnce})`,
  )
}

async function inSteps(step: () => PromiseLike<{ count: number }>): Promise<void> {
  while ((await step()).count > 0);
}
