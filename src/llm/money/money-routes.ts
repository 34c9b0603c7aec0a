import { Elysia } from 'elysia'
import type { Sql } from 'postgres'
import type { Authorise } from '#access'
import type { Reading } from '#capture'
import { budgetRoutes } from './budget-routes.ts'
import { limitRoutes } from './limit-routes.ts'
import type { PriceBook } from './price-book.ts'
import { priceRoutes } from './price-routes.ts'
import { reportRoutes } from './report-routes.ts'

export type MoneyRoutesOptions = {
  sql: Sql
  /** Reports are read on the pool of reads, within its bounds. */
  reading: Pick<Reading, 'read'>
  authorise: Authorise
  /** Resolves when what was committed before is in force on this gateway. */
  refresh: () => Promise<void>
  book: () => PriceBook
  /** May a price list be loaded from this machine or its network? */
  allowPrivate: boolean
  /** Where files of price lists may lie. */
  pricesFolder: string
}

/** Budgets, rate limits, prices and reports over HTTP. */
export function moneyRoutes(options: MoneyRoutesOptions) {
  return new Elysia({ name: 'money' })
    .use(budgetRoutes(options))
    .use(limitRoutes(options))
    .use(priceRoutes(options))
    .use(reportRoutes(options))
}
