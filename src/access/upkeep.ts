import type { Sql } from 'postgres'
import { idFloor } from '#lib/ids'
import { atOnce, inSteps } from '#store'

const dayMs = 86_400_000

/**
 * Removes sessions that would be over anyway, and, past retention, what the audit has: in small steps, as what people
 * do is little beside the record, and no partition is worth its while.
 * @returns how many rows of the audit were removed
 */
export async function accessUpkeep(sql: Sql, { auditDays }: { auditDays?: number | undefined } = {}) {
  await sql`delete from access_ended_sessions where until < now()`
  if (auditDays === undefined) return 0
  const before = idFloor(Date.now() - auditDays * dayMs)
  return await inSteps(async () => {
    const { count } = await sql`
      delete from audit_log where id in (
        select id from audit_log where id < ${before} order by id limit ${atOnce})`
    return count
  })
}
