import type { Sql } from 'postgres'
import { percentile } from './durations.ts'

/** What was measured of a queue, or, with `name`, of one of its kinds. Durations in ms. */
export type FlowReport = {
  queue: string
  name: string | null
  done: number
  failed: number
  retried: number
  /** Ended a minute, over the minutes asked for that the queue was seen in. */
  per_minute: number
  wait: Percentiles
  run: Percentiles
}
export type Percentiles = { p50: number | null; p95: number | null; p99: number | null }

export type WorkerSeen = {
  id: string
  queue: string
  process: string
  host: string
  pid: number
  concurrency: number
  running: number
  begun: number
  /** ISO 8601 */
  started_at: string
  seen_at: string
}

/** How long ago a worker may have been seen to count as there. */
const presentMs = 20_000

type Sums = Omit<FlowReport, 'name' | 'per_minute' | 'wait' | 'run'> & {
  name: string | null
  wait: number[]
  run: number[]
}

/** Of the last minutes, the running one included: all queues, or all kinds of one. */
export async function flowReports(
  sql: Sql,
  { minutes, kindsOf }: { minutes: number; kindsOf?: string },
): Promise<FlowReport[]> {
  const kinds = kindsOf !== undefined
  const rows = await sql<Sums[]>`
    with recent as (
      select queue, ${kinds ? sql`name` : sql`null::text`} as name, done, failed, retried, wait, run
      from queue_minutes where minute > now() - make_interval(mins => ${minutes})
        ${kinds ? sql`and queue = ${kindsOf}` : sql``}
    ), summed as (
      select queue, name, n, sum(w) as w, sum(r) as r
      from recent, unnest(wait, run) with ordinality as both_ (w, r, n) group by queue, name, n
    ), shapes as (
      select queue, name, array_agg(coalesce(w, 0)::int order by n) as wait, array_agg(coalesce(r, 0)::int order by n) as run
      from summed group by queue, name
    ), totals as (
      select queue, name, sum(done)::int as done, sum(failed)::int as failed, sum(retried)::int as retried
      from recent group by queue, name
    )
    select t.queue, t.name, t.done, t.failed, t.retried, s.wait, s.run
    from totals t join shapes s on s.queue = t.queue and s.name is not distinct from t.name order by 1, 2`
  return rows.map(({ wait, run, ...counts }) => ({
    ...counts,
    per_minute: (counts.done + counts.failed) / minutes,
    wait: percentilesOf(wait),
    run: percentilesOf(run),
  }))
}

export type FlowPoint = { minute: string; done: number; failed: number }

/** Minute by minute, oldest first; a minute without a job is left out. */
export async function flowSeries(
  sql: Sql,
  { minutes }: { minutes: number },
): Promise<(FlowPoint & { queue: string })[]> {
  return await sql<(FlowPoint & { queue: string })[]>`
    select queue, to_char(minute at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as minute,
      sum(done)::int as done, sum(failed)::int as failed
    from queue_minutes where minute > now() - make_interval(mins => ${minutes})
    group by queue, queue_minutes.minute order by queue, queue_minutes.minute`
}

/** Consumers that are there now, in any process. */
export async function workersSeen(sql: Sql): Promise<WorkerSeen[]> {
  return await sql<WorkerSeen[]>`
    select id, queue, process, host, pid, concurrency, running, begun::float8 as begun,
      to_char(started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as started_at,
      to_char(seen_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as seen_at
    from queue_workers where seen_at > now() - make_interval(secs => ${presentMs / 1_000})
    order by queue, queue_workers.started_at, id`
}

function percentilesOf(counts: readonly number[]): Percentiles {
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => percentile(counts, share))
  return { p50: p50 ?? null, p95: p95 ?? null, p99: p99 ?? null }
}
