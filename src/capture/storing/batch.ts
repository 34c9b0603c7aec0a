import type { Sql, TransactionSql } from 'postgres'
import { errorText } from '#lib/errors'
import type { BatchResult } from '../commits.ts'
import { encodeExchange } from '../frame.ts'
import type { ContentMemory } from './contents.ts'
import { heedErasures } from './erasing.ts'
import { failureOf, isPoison } from './failure.ts'
import type { Item } from './item.ts'
import { type BatchRef, countBatch, markBatch } from './marker.ts'
import { makePartitions } from './partitions.ts'
import { together } from './pipeline.ts'
import { type Poison, quarantine } from './quarantine.ts'
import { type Account, storeItems } from './store.ts'

/** What a worker keeps between batches. */
export type StoreState = {
  sql: Sql
  memory: ContentMemory
  /** Days whose partitions are there. */
  days: Set<number>
  mayBuild: (day: number) => boolean
  account?: Account | undefined
}

export type Batch = BatchRef & { items: readonly Item[]; damaged: readonly Poison[] }

/** Null where the batch was stored before. */
export type StoredBatch = (BatchResult & { ids: string[] }) | null

const mostTries = 4

/**
 * Stores a batch in one transaction, once: when this resolves it is committed. If something in it cannot be stored,
 * it is stored exchange by exchange, and what fails is kept aside with its bytes and the reason.
 * @throws whatever the database throws while it cannot be reached or used; nothing is stored then
 */
export async function storeBatch(state: StoreState, batch: Batch): Promise<StoredBatch> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt(state, batch, storeAll)
    } catch (error) {
      const failure = failureOf(error)
      if (failure === 'unavailable') throw error
      state.days.clear()
      if (failure === 'poison' || tries === mostTries) return await attempt(state, batch, storeEach)
    }
  }
}

type Way = (state: StoreState, tx: TransactionSql, batch: Batch) => Promise<Stored>
type Stored = { ids: string[]; poison: readonly Poison[]; remember: () => void }

async function attempt(state: StoreState, batch: Batch, store: Way): Promise<StoredBatch> {
  const days = [...new Set(batch.items.map((item) => item.day))].filter((day) => !state.days.has(day))
  if (days.length > 0) await makePartitions(state.sql, days)
  for (const day of days) state.days.add(day)
  const done = await state.sql.begin(async (tx) => {
    const [, fresh] = await together(heedErasures(tx, state.memory), markBatch(tx, batch))
    if (!fresh) return null
    const stored = await store(state, tx, batch)
    await quarantine(tx, stored.poison, batch)
    const quarantined = stored.poison.length
    const result = { stored: batch.items.length + batch.damaged.length - quarantined, quarantined }
    await countBatch(tx, batch, result)
    return { ...stored, result }
  })
  done?.remember()
  return done === null ? null : { ...done.result, ids: done.ids }
}

async function storeAll(
  { memory, mayBuild, account }: StoreState,
  tx: TransactionSql,
  { spool, items, damaged }: Batch,
): Promise<Stored> {
  const { ids, remember } = await storeItems(tx, items, { spool, memory, mayBuild, account })
  return { ids, poison: damaged, remember }
}

async function storeEach(
  { memory, mayBuild, account }: StoreState,
  tx: TransactionSql,
  { spool, items, damaged }: Batch,
): Promise<Stored> {
  const stored: Stored = { ids: [], poison: damaged, remember: () => {} }
  const poison: Poison[] = []
  for (const item of items) {
    try {
      const one = await tx.savepoint((sp) => storeItems(sp, [item], { spool, memory, mayBuild, account }))
      stored.ids.push(...one.ids)
    } catch (error) {
      if (!isPoison(error)) throw error
      poison.push({ exchange: item.id, reason: errorText(error, 500), bytes: encodeExchange(item.exchange) })
    }
  }
  return { ...stored, poison: [...damaged, ...poison] }
}
