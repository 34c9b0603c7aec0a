import type { Sql } from 'postgres'
import type { JobsPayload } from '#queues/jobs'
import { parsed } from '../body.ts'
import type { Backoff } from '../kind.ts'

/** A job as its attempt has it. Only who knows this attempt's number may write its end. */
export type Begun = {
  id: string
  tenant: string
  /** That submitted it; null: the admin key. */
  key_id: string | null
  kind: string
  capture: 'full' | 'metadata'
  attempt: number
  /** Attempts in all, and those before that do not count. */
  attempts: number
  spared: number
  /** Workers that died over it. */
  deaths: number
  backoff: Backoff
  timeout_ms: number
  wait_ms: number
  input: unknown
}

type Row = Omit<Begun, 'input'> & {
  body: Uint8Array | null
  /** Attempts that its snapshot shows. */
  known: number
}

/**
 * Makes the row `running`, as a further attempt. An attempt that is still open is that of a worker which the engine
 * has given up: it is closed as lost, and whatever its worker still writes is ignored.
 * @returns null where there is nothing to do: cancelled, expired, or an admission of the past
 */
export async function begin(sql: Sql, { id, admission }: JobsPayload, worker: string): Promise<Begun | null> {
  const [row] = await sql<Row[]>`
    with taken as (
      update jobs j set state = 'running', attempt = attempt + 1, worker = ${worker}, started_at = now(),
        heartbeat_at = now(), version = version + 1, progress = null, progress_note = null, error = null,
        error_class = null,
        spared = spared + (select count(*) from job_attempts a where a.job_id = j.id and a.ended_at is null)
      where id = ${id} and admission = ${admission} and cancel_requested_at is null
        and (state = 'running' or (state = 'admitted' and (expires_at is null or expires_at > now())))
      returning id, tenant, key_id, kind, capture, attempt, attempts, spared, renewed, backoff, timeout_ms, version,
        greatest(0, extract(epoch from now() - run_at) * 1000)::bigint as wait_ms
    ), lost as (
      update job_attempts a set ended_at = now(), outcome = 'lost', error = 'its worker was not heard of any more'
      from taken where a.job_id = taken.id and a.ended_at is null returning 1
    ), opened as (
      insert into job_attempts (job_id, attempt, worker, started_at, wait_ms)
      select id, attempt, ${worker}, now(), wait_ms from taken
    ), told as (
      insert into job_events (job_id, n, kind, data)
      select id, version, 'state', json_build_object('state', 'running', 'attempt', attempt, 'worker', ${worker}::text)
      from taken
    )
    select taken.*, b.body,
      (select count(*) from lost) + case when spared = 0 then 0 else
        (select count(*) from job_attempts a where a.job_id = taken.id and a.outcome = 'lost'
          and a.attempt > renewed) end as deaths,
      (select count(*) from job_attempts a where a.job_id = taken.id) as known
    from taken left join job_bodies b on b.job_id = taken.id and b.part = 'input'`
  if (row === undefined) return await passOver(sql, { id, admission })
  const { body, known, ...rest } = row
  // While it waited for the row, another worker may have begun an attempt, which its snapshot does not show.
  const unseen = known < rest.attempt - 1 ? await loseEarlier(sql, rest) : 0
  return {
    ...rest,
    spared: rest.spared + unseen,
    deaths: rest.deaths + unseen,
    input: body === null ? {} : parsed(body),
  }
}

/** @returns how many attempts before this one were still open */
async function loseEarlier(sql: Sql, { id, attempt }: { id: string; attempt: number }): Promise<number> {
  const [row] = await sql<[{ unseen: number }]>`
    with lost as (
      update job_attempts set ended_at = now(), outcome = 'lost', error = 'its worker was not heard of any more'
      where job_id = ${id} and attempt < ${attempt} and ended_at is null returning 1
    ), spared as (
      update jobs set spared = spared + (select count(*) from lost) where id = ${id} and attempt = ${attempt}
    )
    select count(*)::int as unseen from lost`
  return row.unseen
}

async function passOver(sql: Sql, { id, admission }: { id: string; admission: number }): Promise<null> {
  await sql`
    with late as (
      update jobs set state = 'expired', ended_at = now(), version = version + 1,
        error = 'its ttl was over before it began', error_class = 'Expired'
      where id = ${id} and admission = ${admission} and state = 'admitted' and expires_at <= now()
      returning id, version
    )
    insert into job_events (job_id, n, kind, data)
    select id, version, 'state', json_build_object('state', 'expired') from late`
  // Its worker died before it had obeyed: whoever is given the job next must not begin it anew.
  await sql`
    with unwanted as (
      update jobs set state = 'cancelled', ended_at = now(), worker = null, heartbeat_at = null, version = version + 1
      where id = ${id} and admission = ${admission} and state in ('admitted', 'running')
        and cancel_requested_at is not null
      returning id, version
    ), closed as (
      update job_attempts a set ended_at = now(), outcome = 'lost', error = 'its worker was not heard of any more'
      from unwanted where a.job_id = unwanted.id and a.ended_at is null
    )
    insert into job_events (job_id, n, kind, data)
    select id, version, 'state', json_build_object('state', 'cancelled') from unwanted`
  return null
}
