import type { TransactionSql } from 'postgres'
import { SluiceError } from '#lib/errors'

/**
 * Removes a job that has ended, with all its parts. The exchanges that it caused stay on record.
 * @throws SluiceError 404; 409 `job-not-ended`, `job-needed`
 */
export async function removeJob(
  sql: TransactionSql,
  { id, tenant }: { id: string; tenant: string | null },
): Promise<void> {
  const [row] = await sql<{ state: string; needed: boolean; removed: boolean }[]>`
    with found as (
      select j.id, j.state, exists (
        select from job_dependencies d join jobs w on w.id = d.job_id where d.needs = j.id and w.state = 'waiting'
      ) as needed
      from jobs j where id = ${id} ${tenant === null ? sql`` : sql`and tenant = ${tenant}`}
    ), removed as (
      delete from jobs j using found where j.id = found.id and not found.needed
        and j.state in ('succeeded', 'failed', 'cancelled', 'expired') returning j.id
    )
    select state, needed, exists (select from removed) as removed from found`
  if (row === undefined) throw new SluiceError(404, 'not-found', 'There is no such job')
  if (row.removed) return
  if (row.needed) throw new SluiceError(409, 'job-needed', 'Other jobs wait for it: cancel them first')
  throw new SluiceError(409, 'job-not-ended', `The job is ${row.state}: cancel it first`)
}
