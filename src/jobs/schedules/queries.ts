import type { Sql, TransactionSql } from 'postgres'
import type { OwnWebhook } from '../webhooks/own.ts'
import { columns, type ScheduleRow, timingOf } from './rows.ts'
import type { scheduleChange } from './shapes.ts'
import { timeAfter } from './times.ts'

/** With the webhook that was given with it. */
export async function insertSchedule(
  tx: TransactionSql,
  row: ScheduleRow,
  own: OwnWebhook | null,
): Promise<void> {
  await tx`
    insert into job_schedules (id, tenant, key_id, capture, name, type, cron, time_zone, every_ms, overlap, missed, job,
      input, enabled, next_at, created_at)
    values (${row.id}, ${row.tenant}, ${row.key_id}, ${row.capture}, ${row.name}, ${row.type}, ${row.cron},
      ${row.time_zone}, ${row.every_ms}, ${row.overlap}, ${row.missed}, ${JSON.stringify(row.job)}::text::jsonb,
      ${Buffer.from(row.input)}, ${row.enabled}, to_timestamp(${row.next_at}::float8 / 1000),
      to_timestamp(${row.created_at}::float8 / 1000))`
  if (own === null) return
  await tx`
    insert into job_webhooks (id, tenant, key_id, name, url, secret, events, on_request, schedule_id)
    values (${own.id}, ${row.tenant}, ${row.key_id}, ${`of schedule ${row.id}`}, ${own.url}, ${own.sealed},
      ${[...own.events]}::text[], true, ${row.id})`
}

/** `tenant`: null where any may be seen. */
export async function findSchedule(sql: Sql, id: string, tenant: string | null): Promise<ScheduleRow | null> {
  const [row] = await sql<ScheduleRow[]>`
    select ${columns(sql)} from job_schedules
    where id = ${id} ${tenant === null ? sql`` : sql`and tenant = ${tenant}`}`
  return row ?? null
}

export async function listSchedules(
  sql: Sql,
  { tenant, limit, cursor }: { tenant: string | null; limit: number; cursor: string | null },
): Promise<ScheduleRow[]> {
  return await sql<ScheduleRow[]>`
    select ${columns(sql)} from job_schedules
    where ${tenant === null ? sql`true` : sql`tenant = ${tenant}`} ${cursor === null ? sql`` : sql`and id < ${cursor}`}
    order by id desc limit ${limit}`
}

/** Started again it goes on from now: what it missed while it was stopped is not made up for. */
export async function updateSchedule(
  sql: TransactionSql,
  row: ScheduleRow,
  change: (typeof scheduleChange)['_output'],
): Promise<ScheduleRow> {
  const { name = row.name, enabled = row.enabled, overlap = row.overlap, missed = row.missed } = change
  const starts = enabled && !row.enabled && row.type !== 'once'
  const next = starts ? timeAfter(timingOf(row), Date.now()) : row.next_at
  const [changed] = await sql<ScheduleRow[]>`
    update job_schedules set name = ${name}, enabled = ${enabled}, overlap = ${overlap}, missed = ${missed},
      next_at = case when ${starts} then to_timestamp(${next}::float8 / 1000) else next_at end, updated_at = now()
    where id = ${row.id} returning ${columns(sql)}`
  return changed ?? row
}

export async function deleteSchedule(sql: TransactionSql, id: string): Promise<void> {
  await sql`delete from job_schedules where id = ${id}`
}
