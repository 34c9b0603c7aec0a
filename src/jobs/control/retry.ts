import type { Sql } from 'postgres'
import { SluiceError } from '#lib/errors'
import type { Announcer } from '../events/announce.ts'

/**
 * Runs a job again that failed, was cancelled or expired: the same job, with its history, and with as many attempts
 * as it had at first. What did not succeed before it stays so: it no longer waits for others.
 * @throws SluiceError 404; 409 `job-not-ended`, `job-succeeded`
 */
export async function retryJob(
  sql: Sql,
  announcer: Announcer,
  { id, tenant }: { id: string; tenant: string | null },
): Promise<string> {
  const [row] = await sql<{ found: string; state: string | null }[]>`
    with found as (
      select id, state from jobs where id = ${id} ${tenant === null ? sql`` : sql`and tenant = ${tenant}`}
    ), again as (
      update jobs j set state = 'queued', run_at = now(), ended_at = null, spared = attempt, renewed = attempt, error = null,
        error_class = null, cancel_requested_at = null, cancel_reason = null, expires_at = null, progress = null,
        progress_note = null, version = version + 1
      from found where j.id = found.id and j.state in ('failed', 'cancelled', 'expired')
      returning j.id, j.state, j.version
    ), told as (
      insert into job_events (job_id, n, kind, data)
      select id, version, 'state', json_build_object('state', state, 'retried', true) from again
    )
    select found.state as found, again.state from found left join again on true`
  if (row === undefined) throw new SluiceError(404, 'not-found', 'There is no such job')
  if (row.found === 'succeeded')
    throw new SluiceError(
      409,
      'job-succeeded',
      'The job has succeeded: submit a new one to have it done again',
    )
  if (row.state === null)
    throw new SluiceError(409, 'job-not-ended', `The job is ${row.found}: it will run anyway`)
  announcer.due()
  announcer.changed(id)
  return row.state
}
