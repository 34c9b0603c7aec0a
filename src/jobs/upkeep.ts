import type { Sql } from 'postgres'
import { idFloor } from '#lib/ids'
import { atOnce, inSteps } from '#store'
import { keptHours } from './submission/idempotency.ts'

const dayMs = 86_400_000
/** Who was told of the end of a job is kept for so long. */
const deliveriesDays = 30

/**
 * Removes idempotency keys whose time is over, workers long gone, what was told to webhooks long ago, and, past
 * retention, jobs that have ended: a few thousand a statement, so that nobody waits for it.
 * @returns how many jobs were removed
 */
export async function jobsUpkeep(
  sql: Sql,
  { retentionDays }: { retentionDays?: number } = {},
): Promise<number> {
  // Of schedules that were deleted, once there is nothing more to tell.
  await sql`
    delete from job_webhooks w where schedule_id is not null
      and not exists (select from job_schedules s where s.id = w.schedule_id)
      and not exists (select from jobs j where j.schedule_id = w.schedule_id
        and j.state not in ('succeeded', 'failed', 'cancelled', 'expired'))
      and not exists (select from job_deliveries d where d.webhook_id = w.id and d.state in ('pending', 'queued'))`
  await sql`delete from job_workers where seen_at < now() - interval '1 day'`
  await inSteps(async () => {
    const { count } = await sql`
      delete from job_idempotency where (tenant, key) in (
        select tenant, key from job_idempotency where created_at < now() - ${keptHours} * interval '1 hour'
        order by created_at limit ${atOnce})`
    return count
  })
  await inSteps(async () => {
    const { count } = await sql`
      delete from job_deliveries where id in (
        select id from job_deliveries where state in ('delivered', 'failed')
          and created_at < now() - ${deliveriesDays} * interval '1 day'
        order by created_at limit ${atOnce})`
    return count
  })
  if (retentionDays === undefined) return 0
  const before = idFloor(Date.now() - retentionDays * dayMs)
  return await inSteps(async () => {
    const { count } = await sql`
      delete from jobs where id in (
        select id from jobs where id < ${before} and state in ('succeeded', 'failed', 'cancelled', 'expired')
          and ended_at < now() - ${retentionDays} * interval '1 day'
        order by id limit ${atOnce})`
    return count
  })
}
