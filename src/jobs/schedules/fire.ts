import type { Sql, TransactionSql } from 'postgres'
import { isKeyGood, type Scope } from '#access'
import { errorText, SluiceError } from '#lib/errors'
import { parsed } from '../body.ts'
import type { Registry } from '../registry.ts'
import { insertJobs } from '../submission/insert.ts'
import { prepare } from '../submission/prepare.ts'
import { columns, type ScheduleRow, timingOf } from './rows.ts'
import { timeAfter } from './times.ts'

/** A time that is later than this was missed, in ms: no worker ran. */
const lateMs = 60_000
const atOnce = 50

/**
 * Submits what is due: each time once, whichever worker looks, as its job and the next time are one commit.
 * @returns how many, and how long until the next time, in ms; null where there is none
 */
export async function fireDue(
  sql: Sql,
  registry: Registry,
): Promise<{ fired: number; nextMs: number | null }> {
  const fired = await sql.begin(async (tx) => {
    const due = await tx<ScheduleRow[]>`
      select ${columns(tx)} from job_schedules where enabled and next_at <= now()
      order by next_at limit ${atOnce} for update skip locked`
    if (due.length === 0) return 0
    // The database's clock alone says what is due and what comes next: that of a worker may be ahead, or go back.
    const [{ now }] = await tx<[{ now: number }]>`
      select extract(epoch from clock_timestamp())::float8 * 1000 as now`
    let count = 0
    for (const row of due) if (await fire(tx, row, { registry, now })) count += 1
    return count
  })
  const [next] = await sql<{ ms: number | null }[]>`
    select extract(epoch from min(next_at) - clock_timestamp())::float8 * 1000 as ms from job_schedules
    where enabled and next_at is not null`
  return { fired, nextMs: next?.ms ?? null }
}

/** @returns whether a job was submitted */
async function fire(
  tx: TransactionSql,
  row: ScheduleRow,
  { registry, now }: { registry: Registry; now: number },
): Promise<boolean> {
  const due = row.next_at ?? 0
  const next = timeAfter(timingOf(row), Math.max(due, now))
  const reason = await reasonNotTo(tx, row, now - due)
  const submitted = reason === null ? await submit(tx, row, registry) : { id: null, error: reason }
  await tx`
    update job_schedules set last_at = to_timestamp(${due}::float8 / 1000), error = ${submitted.error},
      next_at = to_timestamp(${next}::float8 / 1000), fired = fired + ${submitted.id === null ? 0 : 1},
      last_job_id = coalesce(${submitted.id}::uuid, last_job_id) where id = ${row.id}`
  return submitted.id !== null
}

/** Also for a schedule that somebody wants to run now. */
export async function submit(
  tx: Sql | TransactionSql,
  row: ScheduleRow,
  registry: Registry,
): Promise<{ id: string; error: null } | { id: null; error: string }> {
  try {
    const { tenant, key_id: keyId, capture } = row
    // Who made it had what the kind needs; whether they may still, `isKeyGood` has looked.
    const scopes = new Set<Scope>(['call', ...(registry.find(row.job.kind)?.needs ?? [])])
    const principal = { tenant, keyId, capture, scopes, tags: [] }
    const asked = {
      ...row.job,
      input: parsed(row.input),
      depends_on: [],
      on_dependency_failure: 'fail' as const,
    }
    const job = prepare(asked, { registry, principal, needs: [], idempotencyKey: null })
    await insertJobs(tx, [{ ...job, scheduleId: row.id }])
    return { id: job.id, error: null }
  } catch (error) {
    if (error instanceof SluiceError) return { id: null, error: errorText(error, 500) }
    throw error
  }
}

async function reasonNotTo(tx: TransactionSql, row: ScheduleRow, late: number): Promise<string | null> {
  if (row.missed === 'skip' && late > lateMs) return `it was missed by ${Math.round(late / 1_000)} s`
  if (row.key_id !== null && !(await isKeyGood(tx, row.key_id)))
    return 'the key that made it is no longer good'
  if (row.overlap === 'allow' || row.last_job_id === null) return null
  const [last] = await tx<{ state: string }[]>`
    select state from jobs where id = ${row.last_job_id}
      and state not in ('succeeded', 'failed', 'cancelled', 'expired')`
  return last === undefined ? null : `its last job, ${row.last_job_id}, is still ${last.state}`
}
