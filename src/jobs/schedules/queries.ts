import type { Sql, TransactionSql } from 'postgres'
import type { OwnWebhook } from '../webhooks/own.ts'
import type { ChangedColumns } from './change-schedule.ts'
import { columns, type ScheduleRow } from './rows.ts'

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
  await insertOwn(tx, row, own)
}

async function insertOwn(
  tx: TransactionSql,
  row: Pick<ScheduleRow, 'id' | 'tenant' | 'key_id'>,
  own: OwnWebhook | null,
): Promise<void> {
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

/** As it is until the transaction ends: no worker takes a time of it meanwhile. */
export async function holdSchedule(tx: TransactionSql, id: string): Promise<ScheduleRow | null> {
  const [row] = await tx<ScheduleRow[]>`select ${columns(tx)} from job_schedules where id = ${id} for update`
  return row ?? null
}

export async function updateSchedule(
  tx: TransactionSql,
  row: ScheduleRow,
  { columns: changed, own }: { columns: ChangedColumns; own: OwnWebhook | null },
): Promise<ScheduleRow> {
  const after = { ...row, ...changed }
  await tx`
    update job_schedules set name = ${after.name}, enabled = ${after.enabled}, overlap = ${after.overlap},
      missed = ${after.missed}, type = ${after.type}, cron = ${after.cron}, time_zone = ${after.time_zone},
      every_ms = ${after.every_ms}, job = ${JSON.stringify(after.job)}::text::jsonb, input = ${Buffer.from(after.input)},
      key_id = ${after.key_id}, capture = ${after.capture}, error = ${after.error},
      next_at = to_timestamp(${after.next_at}::float8 / 1000), updated_at = now()
    where id = ${row.id}`
  await insertOwn(tx, after, own)
  return after
}

export async function deleteSchedule(sql: TransactionSql, id: string): Promise<void> {
  await sql`delete from job_schedules where id = ${id}`
}
