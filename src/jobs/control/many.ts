import type { Sql, TransactionSql } from 'postgres'

type Db = Sql | TransactionSql

/** Runs these again where they have ended without success: the same jobs, with fresh budgets. @returns which */
export async function retryMany(sql: Db, ids: readonly string[]): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    with again as (
      update jobs set state = 'queued', run_at = now(), ended_at = null, spared = attempt, renewed = attempt,
        error = null, error_class = null, cancel_requested_at = null, cancel_reason = null, expires_at = null,
        progress = null, progress_note = null, version = version + 1
      where id = any(${[...ids]}::uuid[]) and state in ('failed', 'cancelled', 'expired')
      returning id, version
    ), told as (
      insert into job_events (job_id, n, kind, data)
      select id, version, 'state', json_build_object('state', 'queued', 'retried', true) from again
    )
    select id from again`
  return rows.map(({ id }) => id)
}

/** Cancels these where they have not ended; those that run are `running` until their workers have obeyed. */
export async function cancelMany(
  sql: Db,
  ids: readonly string[],
  reason: string | null,
): Promise<{ id: string; state: 'running' | 'cancelled' }[]> {
  return await sql<{ id: string; state: 'running' | 'cancelled' }[]>`
    with cancelled as (
      update jobs set cancel_requested_at = now(), cancel_reason = ${reason}, version = version + 1,
        state = case when state = 'running' then state else 'cancelled' end,
        ended_at = case when state = 'running' then null else now() end
      where id = any(${[...ids]}::uuid[]) and state not in ('succeeded', 'failed', 'cancelled', 'expired')
      returning id, state, version
    ), told as (
      insert into job_events (job_id, n, kind, data)
      select id, version, 'state', json_strip_nulls(json_build_object('state', state, 'cancel_requested',
        case when state = 'running' then true end, 'reason', ${reason}::text)) from cancelled
    )
    select id, state from cancelled`
}

/** Removes these where they have ended and no job waits for them; the exchanges that they caused stay on record. */
export async function removeMany(sql: Db, ids: readonly string[]): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    delete from jobs j where id = any(${[...ids]}::uuid[])
      and state in ('succeeded', 'failed', 'cancelled', 'expired')
      and not exists (
        select from job_dependencies d join jobs w on w.id = d.job_id where d.needs = j.id and w.state = 'waiting')
    returning id`
  return rows.map(({ id }) => id)
}
