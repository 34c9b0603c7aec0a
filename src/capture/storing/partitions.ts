import type { Sql } from 'postgres'
import { idFloor, idTime } from '#lib/ids'

/** The tables that grow with traffic: one partition each a UTC day, by the time in their ids. */
export const partitioned = [
  'exchanges',
  'contents',
  'turns',
  'turn_words',
  'exchange_classes',
  'logs',
  'mcp_exchanges',
  'tool_uses',
] as const

const dayMs = 86_400_000
/** One number for all who make or drop partitions. */
const makingLock = 0x51_0c_e0_01

/** Days since the epoch. */
export function dayOf(id: string): number {
  return Math.floor(idTime(id) / dayMs)
}

export function today(): number {
  return Math.floor(Date.now() / dayMs)
}

/** The ids of that day: from `floor`, and below `ceiling`. */
export function dayRange(day: number): { floor: string; ceiling: string } {
  return { floor: idFloor(day * dayMs), ceiling: idFloor((day + 1) * dayMs) }
}

/**
 * Makes the partitions of these days where they are missing. A table is made first and then attached: that lets
 * reads and writes of the parent go on, which `create table … partition of` does not.
 */
export async function makePartitions(sql: Sql, days: readonly number[]): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(${makingLock})`
    for (const day of days) for (const table of partitioned) await makePartition(tx, table, day)
  })
}

async function makePartition(
  tx: Parameters<Parameters<Sql['begin']>[1]>[0],
  table: string,
  day: number,
): Promise<void> {
  const name = `${table}_${dayName(day)}`
  const [found] = await tx<{ attached: boolean }[]>`
    select relispartition as attached from pg_class where oid = to_regclass(${name})`
  if (found?.attached === true) return
  // Detached by a retention that died before it dropped it.
  if (found !== undefined) await tx.unsafe(`drop table ${name}`)
  const { floor, ceiling } = dayRange(day)
  await tx.unsafe(`create table ${name} (like ${table} including defaults including storage)`)
  await tx.unsafe(
    `alter table ${table} attach partition ${name} for values from ('${floor}') to ('${ceiling}')`,
  )
}

const undefinedPartition = '23514'

/**
 * Runs a statement that writes what is new now, and once more with today's partitions where they were missing: upkeep
 * makes them ahead, but may not have run yet.
 */
export async function withToday<Result>(sql: Sql, work: () => PromiseLike<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === undefinedPartition)) throw error
    await makePartitions(sql, [today()])
    return await work()
  }
}

/** `20261120`; years past 9999 are longer, and only order by number. */
function dayName(day: number): string {
  return new Date(day * dayMs)
    .toISOString()
    .slice(0, -14)
    .replaceAll(/[^0-9]/g, '')
}

/** The partitions that end before that day, oldest first. */
export async function partitionsBefore(
  sql: Sql,
  day: number,
): Promise<{ table: string; name: string; detaching: boolean }[]> {
  const rows = await sql<{ table: string; name: string; detaching: boolean; bound: string }[]>`
    select parent.relname as "table", child.relname as name, i.inhdetachpending as detaching,
      pg_get_expr(child.relpartbound, child.oid) as bound
    from pg_inherits i
      join pg_class parent on parent.oid = i.inhparent
      join pg_class child on child.oid = i.inhrelid
    where parent.oid = any(${partitioned.map((name) => name)}::regclass[]::oid[])
    order by child.relname`
  return rows.filter((row) => ceilingOf(row.bound) <= day * dayMs)
}

/** In ms. */
function ceilingOf(bound: string): number {
  const id = /TO \('([0-9a-f-]{36})'\)/.exec(bound)?.[1]
  return id === undefined ? Number.POSITIVE_INFINITY : idTime(id)
}
