import type { Sql, TransactionSql } from 'postgres'
import { parsed } from '../body.ts'
import type { ScheduleView, StoredJob } from './shapes.ts'
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
  job: StoredJob
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
  const { capture: _, every_ms, job, input, next_at, last_at, created_at, ...same } = row
  return {
    ...same,
    every: every_ms === null ? null : every_ms / 1_000,
    job: body ? { ...job, input: parsed(input) } : { ...job },
    next_at: iso(next_at),
    upcoming: upcoming(row),
    last_at: iso(last_at),
    created_at: new Date(created_at).toISOString(),
  }
}

/** The next five times. */
export function upcoming(row: Parameters<typeof timingOf>[0] & { enabled: boolean }): string[] {
  if (!row.enabled || row.next_at === null) return []
  const times = [row.next_at, ...timesAfter(timingOf(row), row.next_at, 4)]
  return times.map((time) => new Date(time).toISOString())
}

function iso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}
