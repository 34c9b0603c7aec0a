import type { TransactionSql } from 'postgres'
import { readBases } from './bases.ts'
import { type ContentMemory, storeContents } from './contents.ts'
import { addExchange, lockConversations, writeConversations } from './conversations.ts'
import { type ExchangeRow, exchangeColumns } from './exchange-rows.ts'
import { storeFacts } from './facts.ts'
import { insertRows } from './insert.ts'
import type { Item } from './item.ts'
import { pipelined, together } from './pipeline.ts'
import { slices } from './slices.ts'
import { threadByHistory } from './threading.ts'
import { addTurns, readKnownKeys } from './turns.ts'

export type StoreOptions = {
  spool: string
  memory: ContentMemory
  /** May contents of that day be built upon others? Not where retention could take these away. */
  mayBuild: (day: number) => boolean
  /** Told, in the same transaction, of what is stored for the first time. */
  account?: Account | undefined
}

/** Adds up what exchanges cost. What it throws undoes the storing, too. */
export type Account = (tx: TransactionSql, stored: readonly Accountable[]) => Promise<void>

/** An exchange and what its bytes mean. */
export type Accountable = Pick<Item, 'exchange' | 'means'>

export type StoredItems = {
  /** Without those that were there already. */
  ids: string[]
  /** To be called after the commit. */
  remember: () => void
}

/**
 * Stores exchanges within a transaction: the rows, the bytes, the threads and their turns. Those that are stored
 * already, from a batch that a crashed gateway sent under another name, are passed over.
 */
export async function storeItems(
  tx: TransactionSql,
  given: readonly Item[],
  { spool, memory, mayBuild, account }: StoreOptions,
): Promise<StoredItems> {
  const items = await withoutStored(tx, given)
  const placed = await threadByHistory(tx, items)
  for (const { id, thread } of items) if (thread.by === 'session') placed.set(id, thread.conversation)
  const conversations = await lockConversations(tx, items, placed)
  const conversationIdOf = (item: Item) => placed.get(item.id) ?? null
  const conversationOf = (item: Item) => conversations.get(placed.get(item.id) ?? '')

  const building = items.filter((item) => mayBuild(item.day))
  const [known, latest] = await together(
    readKnownKeys(tx, items, conversationOf),
    readBases(tx, building, { conversationOf: conversationIdOf, cache: memory.cache }),
  )
  const remember = await pipelined(async (send) => {
    send(addTurns(tx, items, { conversationOf, known }))
    for (const item of items) {
      const conversation = conversationOf(item)
      if (conversation !== undefined) addExchange(conversation, item)
    }
    send(writeConversations(tx, conversations.values()))
    send(storeRows(tx, items, { spool, conversationOf: conversationIdOf }))
    if (account !== undefined) send(account(tx, items))
    return await storeContents(tx, items, { memory, conversationOf: conversationIdOf, mayBuild, latest })
  })
  return { ids: items.map((item) => item.id), remember }
}

async function storeRows(
  tx: TransactionSql,
  items: readonly Item[],
  { spool, conversationOf }: { spool: string; conversationOf: (item: Item) => string | null },
): Promise<void> {
  const rows: ExchangeRow[] = items.map((item) => ({ item, spool, conversation: conversationOf(item) }))
  for (const slice of slices(rows, () => 2000)) await insertRows(tx, 'exchanges', exchangeColumns, slice)
  await storeFacts(tx, items)
}

/** In the order of their ids, each once. */
async function withoutStored(tx: TransactionSql, given: readonly Item[]): Promise<Item[]> {
  const items = new Map([...given].sort((a, b) => (a.id < b.id ? -1 : 1)).map((item) => [item.id, item]))
  const ids = [...items.keys()]
  // The bounds let Postgres pass over the other days.
  const rows = await tx<{ id: string }[]>`
    select id from exchanges
    where id = any(${ids}::uuid[]) and id >= ${ids[0] ?? null} and id <= ${ids.at(-1) ?? null}`
  for (const { id } of rows) items.delete(id)
  return [...items.values()]
}
