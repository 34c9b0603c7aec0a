import type { Sql } from 'postgres'
import { errorText } from '#lib/errors'
import type { Logger } from '#lib/log'
import { type LogRetention, retainLogs } from '../logs/retain-logs.ts'
import { makePartitions, partitioned, partitionsBefore, today } from './partitions.ts'

export type UpkeepOptions = {
  sql: Sql
  /** Whole days that the record is kept. Undefined: for ever. */
  retentionDays?: number | undefined
  /** Of logs that agents store. @default as the record */
  logs?: LogRetention
  log: Logger
}

const daysAhead = 3
const rowsAtOnce = 5_000

/** Makes the partitions of the next days. Safe to run at any time, more than once, and beside workers. */
export async function makeAhead(sql: Sql): Promise<void> {
  const day = today()
  const days = Array.from({ length: daysAhead + 1 }, (_, ahead) => day + ahead)
  await makePartitions(sql, days)
}

/** Drops the partitions that are too old, and prunes the small tables. As safe. */
export async function retain({
  sql,
  retentionDays,
  logs = {},
  log,
}: UpkeepOptions): Promise<{ dropped: string[] }> {
  await dropDetached(sql)
  const dropped = retentionDays === undefined ? [] : await dropBefore(sql, today() - retentionDays, log)
  await retainLogs(sql, logs)
  await pruneBatches(sql)
  if (retentionDays !== undefined) await pruneSmall(sql, retentionDays)
  return { dropped }
}

/** A day is kept until the last of it is too old. */
async function dropBefore(sql: Sql, day: number, log: Logger): Promise<string[]> {
  const dropped: string[] = []
  for (const { table, name, detaching } of await partitionsBefore(sql, day)) {
    try {
      // Neither blocks, nor is blocked by, who reads or writes the other days.
      await sql.unsafe(
        `alter table ${table} detach partition ${name} ${detaching ? 'finalize' : 'concurrently'}`,
      )
      await sql.unsafe(`drop table if exists ${name}`)
      dropped.push(name)
    } catch (error) {
      log.warn({ partition: name, reason: errorText(error) }, 'upkeep: a partition cannot be dropped yet')
    }
  }
  if (dropped.length > 0) log.info({ partitions: dropped }, 'upkeep: dropped what is past retention')
  return dropped
}

/** What an upkeep detached and did not live to drop. Partitions that are being made cannot be seen yet. */
async function dropDetached(sql: Sql): Promise<void> {
  const rows = await sql<{ name: string }[]>`
    select relname as name from pg_class
    where relkind = 'r' and not relispartition and relnamespace = current_schema()::regnamespace
      and relname ~ ${`^(${partitioned.join('|')})_[0-9]{8,}$`}`
  for (const { name } of rows) await sql.unsafe(`drop table if exists ${name}`)
}

async function pruneBatches(sql: Sql): Promise<void> {
  await inSteps(
    () => sql`
      delete from spool_batches where (spool, batch) in (
        select b.spool, b.batch from spool_batches b join spools s on s.id = b.spool
        where b.number < s.floor limit ${rowsAtOnce})`,
  )
  await inSteps(
    () => sql`
      delete from spool_parts where (spool, batch, part) in (
        select p.spool, p.batch, p.part from spool_parts p
          left join spool_batches b on b.spool = p.spool and b.batch = p.batch
          left join spools s on s.id = p.spool
        where b.batch is not null
          or (p.batch ~ '^[0-9]{1,15}$' and substring(p.batch from '^[0-9]{1,15}')::bigint < s.floor) limit 100)`,
  )
}

async function pruneSmall(sql: Sql, days: number): Promise<void> {
  const before = new Date((today() - days) * 86_400_000).toISOString()
  await inSteps(
    () => sql`
      delete from conversations where id in (
        select id from conversations where last_at < ${before} limit ${rowsAtOnce})`,
  )
  await inSteps(
    () => sql`
      delete from quarantine where id in (
        select id from quarantine where created_at < ${before} limit 100)`,
  )
}

/** Short transactions, until there is nothing left. */
async function inSteps(step: () => PromiseLike<{ count: number }>): Promise<void> {
  while ((await step()).count > 0);
}
