import type { Sql } from 'postgres'
import { dependantsOf, overlooked, settleDependants } from '../dependencies.ts'
import type { Claimed } from './claim.ts'

/** Longer than any heartbeat takes. The engine notices a dead worker sooner, unless it has lost the job itself. */
const silentSeconds = 20
const atOnce = 500

/**
 * Jobs that were admitted some time ago and have not begun: the engine may know nothing of them. It passes over those
 * that it does know.
 */
export async function unbegun(sql: Sql, { olderThanMs }: { olderThanMs: number }): Promise<Claimed[]> {
  return await sql<Claimed[]>`
    select id, kind, admission, extract(epoch from run_at)::float8 * 1000 as "runAt" from jobs
    where state = 'admitted' and admitted_at < now() - ${olderThanMs}::float8 * interval '1 millisecond'
    order by admitted_at limit ${atOnce}`
}

/** Puts jobs back whose worker has not been heard of, and settles what waits for nothing any more. @returns what moved */
export async function mendLost(sql: Sql): Promise<string[]> {
  const lost = await sql<{ id: string }[]>`
    with lost as (
      update jobs set state = case when cancel_requested_at is null then 'queued' else 'cancelled' end,
        ended_at = case when cancel_requested_at is not null then now() end,
        spared = spared + 1, version = version + 1, run_at = now()
      where state = 'running' and heartbeat_at < now() - ${silentSeconds} * interval '1 second'
      returning id, state, attempt, version
    ), closed as (
      update job_attempts a set ended_at = now(), outcome = 'lost', error = 'its worker was not heard of any more'
      from lost where a.job_id = lost.id and a.attempt = lost.attempt
    ), told as (
      insert into job_events (job_id, n, kind, data)
      select id, version, 'state', json_build_object('state', state, 'attempt', attempt, 'outcome', 'lost') from lost
    )
    select id from lost`
  const waiting = await overlooked(sql, atOnce)
  const moved = await settleDependants(sql, waiting)
  return [...lost.map(({ id }) => id), ...moved]
}

/** Once these have ended: moves what waited for them. */
export async function settleAfter(sql: Sql, ids: readonly string[]): Promise<string[]> {
  return await settleDependants(sql, await dependantsOf(sql, ids))
}
