import type { Sql } from 'postgres'
import type { Account, Interpret } from '#capture'
import type { Logger } from '#lib/log'
import { interpreter } from '../interpret.ts'
import { dropOldCounts } from './limiter-query.ts'
import { dropOldLeases } from './reconcile.ts'
import { openSettings } from './settings.ts'
import { compactSpend, recordSpend } from './spend.ts'

/** What the worker that stores the record needs of money: prices in force, and the sums. */
export type Bookkeeping = { interpret: Interpret; account: Account; close(): Promise<void> }

export async function openBookkeeping(options: { sql: Sql; log: Logger }): Promise<Bookkeeping> {
  const settings = await openSettings(options)
  return {
    interpret: interpreter((of) => settings.book().price(of)),
    account: recordSpend,
    close: settings.close,
  }
}

/** What money needs from time to time. Safe to run at any time, and more than once. */
export async function moneyUpkeep(sql: Sql): Promise<void> {
  await compactSpend(sql)
  await dropOldLeases(sql)
  await dropOldCounts(sql)
}
