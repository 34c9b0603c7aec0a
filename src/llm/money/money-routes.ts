import { Elysia } from 'elysia'
import { budgetRoutes } from './budget-routes.ts'
import { limitRoutes } from './limit-routes.ts'
import { priceRoutes } from './price-routes.ts'
import { reportRoutes } from './report-routes.ts'
import type { MoneyRoutesOptions } from './routes-options.ts'

export type { MoneyRoutesOptions } from './routes-options.ts'

/** Budgets, rate limits, prices and reports over HTTP. */
export function moneyRoutes(options: MoneyRoutesOptions) {
  return new Elysia({ name: 'money' })
    .use(budgetRoutes(options))
    .use(limitRoutes(options))
    .use(priceRoutes(options))
    .use(reportRoutes(options))
}
