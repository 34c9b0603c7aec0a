import type { Sql } from 'postgres'
import { SluiceError } from '#lib/errors'
import { dependantsOf, settleDependants } from '../dependencies.ts'
import type { Announcer } from '../events/announce.ts'

export type CancelOptions = { id: string; tenant: string | null; reason: string | null }

/**
 * Cancels at once what does not run; has the worker of what runs told to abort it.
 * @returns the state that it is in now: still `running` until its worker has obeyed
 * @throws SluiceError 404; 409 `job-ended`
 */
export async function cancelJob(
  sql: Sql,
  announcer: Announcer,
  { id, tenant, reason }: CancelOptions,
): Promise<string> {
  const [row] = await sql<{ state: string; found: string }[]>`
    with found as (
      select id, state from jobs where id = ${id} ${tenant === null ? sql`` : sql`and tenant = ${tenant}`}
    ), cancelled as (
      update jobs j set cancel_requested_at = now(), cancel_reason = ${reason}, version = version + 1,
        state = case when j.state = 'running' then j.state else 'cancelled' end,
        ended_at = case when j.state = 'running' then null else now() end
      from found where j.id = found.id and j.state not in ('succeeded', 'failed', 'cancelled', 'expired')
      returning j.id, j.state, j.version
    ), told as (
      insert into job_events (job_id, n, kind, data)
      select id, version, 'state', json_strip_nulls(json_build_object('state', state, 'cancel_requested',
        case when state = 'running' then true end, 'reason', ${reason}::text)) from cancelled
    )
    select found.state as found, cancelled.state from found left join cancelled on true`
  if (row === undefined) throw new SluiceError(404, 'not-found', 'There is no such job')
  if (row.state === null) throw new SluiceError(409, 'job-ended', `The job has ${row.found} already`)
  announcer.changed(id)
  if (row.state === 'running') announcer.cancel(id)
  else
    for (const other of await settleDependants(sql, await dependantsOf(sql, [id]))) announcer.changed(other)
  return row.state
}
