import type { TransactionSql } from 'postgres'
import { SluiceError } from '#lib/errors'

/**
 * Has a job that is scheduled for later run now.
 * @throws SluiceError 404; 409 `job-not-scheduled`
 */
export async function promoteJob(
  sql: TransactionSql,
  { id, tenant }: { id: string; tenant: string | null },
): Promise<string> {
  const [row] = await sql<{ found: string; state: string | null }[]>`
    with found as (
      select id, state from jobs where id = ${id} ${tenant === null ? sql`` : sql`and tenant = ${tenant}`}
    ), promoted as (
      update jobs j set state = 'queued', run_at = now(), version = version + 1
      from found where j.id = found.id and j.state = 'scheduled' returning j.id, j.state, j.version
    ), told as (
      insert into job_events (job_id, n, kind, data)
      select id, version, 'state', json_build_object('state', state, 'promoted', true) from promoted
    )
    select found.state as found, promoted.state from found left join promoted on true`
  if (row === undefined) throw new SluiceError(404, 'not-found', 'There is no such job')
  if (row.state === null) {
    const detail = `The job is ${row.found}: only one that is scheduled can be run sooner`
    throw new SluiceError(409, 'job-not-scheduled', detail)
  }
  return row.state
}
