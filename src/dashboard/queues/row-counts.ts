import type { Sql } from 'postgres'
import type { Counts } from './view.ts'

export type RowCount = { tenant: string; kind: string } & Counts

export type KindSetting = {
  kind: string
  paused: boolean
  concurrency: number | null
  per_minute: number | null
}

/**
 * Jobs by tenant, kind and state, without the succeeded ones, which may be millions: those are told from what workers
 * measured. Reads indexes alone.
 */
export async function rowCounts(sql: Sql): Promise<RowCount[]> {
  return await sql<RowCount[]>`
    select tenant, kind,
      (count(*) filter (where state in ('queued', 'admitted')))::int as waiting,
      (count(*) filter (where state = 'running'))::int as active,
      (count(*) filter (where state in ('scheduled', 'waiting')))::int as delayed,
      (count(*) filter (where state = 'failed'))::int as failed,
      0 as completed
    from jobs where state <> 'succeeded' group by tenant, kind`
}

export async function kindSettings(sql: Sql): Promise<KindSetting[]> {
  return await sql<KindSetting[]>`select kind, paused, concurrency, per_minute from job_kind_settings`
}

/** Since when the job that waits longest could have run; ms since the epoch. */
export async function oldestQueued(sql: Sql): Promise<number | null> {
  const [row] = await sql<{ at: number | null }[]>`
    select extract(epoch from run_at)::float8 * 1000 as at from jobs
    where id = (select id from jobs where state = 'queued' order by id limit 1)`
  return row?.at ?? null
}
