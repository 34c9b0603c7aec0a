import type { Sql, TransactionSql } from 'postgres'
import { parsed } from '../body.ts'
import type { ScheduledJob, ScheduleView } from './shapes.ts'
import { type Timing, timesAfter } from './times.ts'

/** A schedule as its row has it; times in ms since the epoch. */
export type ScheduleRow = {
  id: string
  tenant: string
  key_id: string | null
  capture: 'full' | 'metadata'
  name: string
  type: 'cron' | 'interval' | 'once'
  cron: string | null
  time_zone: string
  every_ms: number | null
  overlap: 'allow' | 'skip'
  missed: 'once' | 'skip'
  job: Omit<ScheduledJob, 'input'>
  input: Uint8Array
  enabled: boolean
  next_at: number | null
  last_at: number | null
  last_job_id: string | null
  error: string | null
  fired: number
  created_at: number
}

export function columns(sql: Sql | TransactionSql) {
  const ms = (name: string) => sql`extract(epoch from ${sql(name)})::float8 * 1000 as ${sql(name)}`
  return sql`id, tenant, key_id, capture, name, type, cron, time_zone, every_ms, overlap, missed, job, input, enabled,
    ${ms('next_at')}, ${ms('last_at')}, last_job_id, error, fired, ${ms('created_at')}`
}

export function timingOf(
  row: Pick<ScheduleRow, 'type' | 'cron' | 'time_zone' | 'every_ms' | 'created_at' | 'next_at'>,
): Timing {
  if (row.type === 'cron') return { type: 'cron', cron: row.cron ?? '', timeZone: row.time_zone }
  if (row.type === 'interval')
    return { type: 'interval', everyMs: row.every_ms ?? 0, startAt: row.created_at }
  return { type: 'once', at: row.next_at ?? 0 }
}

/** `body`: with the input of its jobs. */
export function viewOf(row: ScheduleRow, { body = false } = {}): ScheduleView {
  const {
    id,
    tenant,
    key_id,
    name,
    type,
    cron,
    time_zone,
    overlap,
    missed,
    enabled,
    error,
    fired,
    last_job_id,
  } = row
  const upcoming =
    enabled && row.next_at !== null ? [row.next_at, ...timesAfter(timingOf(row), row.next_at, 4)] : []
  return {
    ...{
      id,
      tenant,
      key_id,
      name,
      type,
      cron,
      time_zone,
      overlap,
      missed,
      enabled,
      error,
      fired,
      last_job_id,
    },
    every: row.every_ms === null ? null : row.every_ms / 1_000,
    job: body ? { ...row.job, input: parsed(row.input) } : { ...row.job },
    next_at: iso(row.next_at),
    upcoming: upcoming.map((time) => new Date(time).toISOString()),
    last_at: iso(row.last_at),
    created_at: new Date(row.created_at).toISOString(),
  }
}

function iso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}
