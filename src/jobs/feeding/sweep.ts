import type { Sql } from 'postgres'
import { dependantsOf, firstId, overlooked, settleDependants } from '../dependencies.ts'
import type { Claimed } from './claim.ts'

/** Longer than any heartbeat takes. The engine notices a dead worker sooner, unless it has lost the job itself. */
const silentSeconds = 20
const atOnce = 500
/** Of those that wait for others, at each sweep. */
const lookedAt = 5_000

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

type Silent = { id: string; heard: string }

/**
 * Puts jobs back whose worker has not been heard of at two looks, and settles what waits for nothing any more. Two, as
 * a clock that jumps, a machine that slept or a database that was away makes all workers look silent until their next
 * heartbeat. Returns what moved.
 */
export function openMender(sql: Sql): () => Promise<string[]> {
  let silent: Silent[] = []
  let after = firstId
  return async () => {
    const lost = await putBack(sql, silent)
    silent = await unheard(sql)
    const found = await overlooked(sql, { after, limit: lookedAt })
    after = found.after
    return [...lost, ...(await settleDependants(sql, found.ids))]
  }
}

async function unheard(sql: Sql): Promise<Silent[]> {
  return await sql<Silent[]>`
    select id, heartbeat_at::text as heard from jobs
    where state = 'running' and heartbeat_at < now() - ${silentSeconds} * interval '1 second' limit ${atOnce}`
}

async function putBack(sql: Sql, silent: readonly Silent[]): Promise<string[]> {
  if (silent.length === 0) return []
  const lost = await sql<{ id: string }[]>`
    with lost as (
      update jobs set state = case when cancel_requested_at is null then 'queued' else 'cancelled' end,
        ended_at = case when cancel_requested_at is not null then now() end,
        spared = spared + 1, version = version + 1, run_at = now()
      where state = 'running' and (id, heartbeat_at) in (select * from unnest(
        ${silent.map(({ id }) => id)}::uuid[], ${silent.map(({ heard }) => heard)}::text[]::timestamptz[]))
      returning id, state, attempt, version
    ), closed as (
      update job_attempts a set ended_at = now(), outcome = 'lost', error = 'its worker was not heard of any more'
      from lost where a.job_id = lost.id and a.attempt = lost.attempt
    ), told as (
      insert into job_events (job_id, n, kind, data)
      select id, version, 'state', json_build_object('state', state, 'attempt', attempt, 'outcome', 'lost') from lost
    )
    select id from lost`
  return lost.map(({ id }) => id)
}

/** Once these have ended: moves what waited for them. */
export async function settleAfter(sql: Sql, ids: readonly string[]): Promise<string[]> {
  return await settleDependants(sql, await dependantsOf(sql, ids))
}
