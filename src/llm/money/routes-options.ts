import type { Sql } from 'postgres'
import type { Authorise } from '#access'
import type { Reading } from '#capture'
import type { Vault } from '#lib/vault'
import type { PriceBook } from './price-book.ts'

export type MoneyRoutesOptions = {
  sql: Sql
  /** Seals the secrets that alerts are signed with. */
  vault: Vault
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
