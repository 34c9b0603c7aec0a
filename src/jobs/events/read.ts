import type postgres from 'postgres'

/** What happened to a job. */
export type JobEvent = {
  n: number
  at: string
  kind: 'state' | 'progress' | 'log'
  data: Record<string, unknown>
}

export type Story = {
  state: string
  /** The number of the last event. */
  version: number
  /** The state that it was submitted in: event 0, which no row holds. */
  first: JobEvent
}

const atOnce = 500

/** Null where there is no such job of the tenant's. */
export async function readStory(sql: postgres.Sql, id: string, tenant: string | null): Promise<Story | null> {
  const [row] = await sql<{ state: string; version: number; at: string; first: string }[]>`
    select state, version, to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at,
      case when exists (select from job_dependencies d where d.job_id = j.id) then 'waiting'
        when attempt = 0 and run_at > created_at then 'scheduled' else 'queued' end as first
    from jobs j where id = ${id} ${tenant === null ? sql`` : sql`and tenant = ${tenant}`}`
  if (row === undefined) return null
  const { state, version, at, first } = row
  return { state, version, first: { n: 0, at, kind: 'state', data: { state: first } } }
}

/** The events after that one, oldest first. */
export async function readEvents(sql: postgres.Sql, id: string, after: number): Promise<JobEvent[]> {
  return await sql<JobEvent[]>`
    select n, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at, kind, data from job_events
    where job_id = ${id} and n > ${after} order by n limit ${atOnce}`
}
