import type postgres from 'postgres'
import { z } from 'zod'
import { idCeiling, idFloor, idTime } from '#lib/ids'
import { type Page, pageOf, readCursor } from './cursor.ts'
import { withFacts } from './exchange-facts.ts'
import {
  conjunction,
  type ExchangeFilters,
  exchangeConditions,
  exchangeFilters,
  exchangesBy,
} from './exchange-filters.ts'
import { type BareExchangeRow, type ExchangeItem, exchangeColumns, exchangeItem } from './exchange-item.ts'
import { newestFirst } from './newest-first.ts'
import { oldestDay } from './oldest-day.ts'
import { notFound, page } from './query.ts'
import { eachDay } from './slices.ts'

export const exchangesQuery = z.strictObject({ ...exchangeFilters, ...page })

/** Newest first, by start. */
export async function listExchanges(
  sql: postgres.Sql,
  filters: ExchangeFilters,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<Page<ExchangeItem>> {
  const [position] = readCursor(z.tuple([z.uuid()]), cursor) ?? []
  const until =
    position === undefined ? filters.until : Math.min(idCeiling(position), filters.until ?? Infinity)
  const since = filters.since ?? earliestOf(filters)
  const oldest = () => oldestDay(sql, 'exchanges')
  const { rows, reached } = await newestFirst({ since, until, limit: limit + 1, oldest }, (slice) => {
    return sql<BareExchangeRow[]>`${eachDay(sql, slice, (day) => {
      const where = conjunction(sql, [
        exchangeConditions(sql, { ...filters, since: day.from, until: day.before }),
        position !== undefined && sql`x.id < ${position}`,
      ])
      return sql`select ${exchangeColumns(sql)} from ${exchangesBy(sql, filters)} where ${where}`
    })}`
  })
  return pageOf(await withFacts(sql, rows), limit, {
    item: exchangeItem,
    position: (row) => [row.id],
    reached: reached === null ? null : [idFloor(reached)],
  })
}

/** Nothing is older than its cause, but for clocks that differ. */
function earliestOf({ parent }: ExchangeFilters): number | undefined {
  return parent === undefined ? undefined : idTime(parent) - 60_000
}

/** @throws SluiceError 404, also where it is another tenant's */
export async function findExchange(
  sql: postgres.Sql,
  id: string,
  tenant: string | null,
): Promise<ExchangeItem> {
  const found = await sql<BareExchangeRow[]>`
    select ${exchangeColumns(sql)} from exchanges x
    where x.id = ${id} ${tenant === null ? sql`` : sql`and x.tenant = ${tenant}`}`
  const [row] = await withFacts(sql, found)
  if (row === undefined) throw notFound('exchange')
  return exchangeItem(row)
}
