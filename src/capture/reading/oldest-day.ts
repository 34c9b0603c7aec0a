import type postgres from 'postgres'

/**
 * Where the record begins: the first moment of the oldest day that has a partition of that table, in ms since the epoch;
 * null where there is none. By the partitions' names, which takes less than a millisecond: to ask the table for its
 * least id is planned for every index of all days.
 */
export async function oldestDay(sql: postgres.Sql, table: 'exchanges' | 'turns'): Promise<number | null> {
  const [row] = await sql<{ day: string | null }[]>`
    select min(substring(c.relname from '[0-9]{8}$')) as day
    from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = ${table}::regclass`
  const [, year, month, date] = /^(\d{4})(\d\d)(\d\d)$/.exec(row?.day ?? '') ?? []
  return year === undefined ? null : Date.UTC(Number(year), Number(month) - 1, Number(date))
}
