import type { TransactionSql } from 'postgres'

export type Due = {
  /** What has expired just now. */
  expired: string[]
  /** Until the next scheduled job is due, in ms; null where none is. */
  nextMs: number | null
  /** Jobs that may still be handed to the queue engine. */
  room: number
}

/** For each place of a worker as many jobs are admitted: one that runs, and some to go on with at once. */
const perPlace = 3
const atOnce = 1_000

/** Moves what time alone moves: scheduled jobs to their turn, those past their ttl to `expired`. */
export async function moveDue(tx: TransactionSql): Promise<Due> {
  const [row] = await tx<[{ expired: string[]; next_ms: number | null; room: number }]>`
    with due as (
      update jobs set state = 'queued' where id in (
        select id from jobs where state = 'scheduled' and run_at <= now() and (expires_at is null or expires_at > now())
        order by run_at limit ${atOnce} for update skip locked)
    ),
    late as (
      update jobs set state = 'expired', ended_at = now(), version = version + 1,
        error = 'its ttl was over before it began', error_class = 'Expired'
      where id in (
        select id from jobs where state in ('waiting', 'scheduled', 'queued') and expires_at <= now()
        order by expires_at limit ${atOnce} for update skip locked)
        and state in ('waiting', 'scheduled', 'queued')
      returning id, version
    ),
    told as (
      insert into job_events (job_id, n, kind, data)
      select id, version, 'state', json_build_object('state', 'expired') from late
    )
    select coalesce((select array_agg(id) from late), '{}') as expired,
      (select extract(epoch from min(run_at) - clock_timestamp())::float8 * 1000 from jobs
       where state = 'scheduled' and run_at > now()) as next_ms,
      ${perPlace} * coalesce((select sum(concurrency) from job_workers where seen_at > now() - interval '15 seconds'), 0)::int
        - (select count(*) from jobs where state in ('admitted', 'running'))::int as room`
  return { expired: row.expired, nextMs: row.next_ms, room: row.room }
}
