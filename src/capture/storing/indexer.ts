import type { Sql, TransactionSql } from 'postgres'
import { type Column, insertRows } from './insert.ts'
import type { Quiet } from './quiet.ts'
import { slices } from './slices.ts'
import { searchVector } from './words.ts'

/** Characters of text that are indexed in one transaction. */
const mostText = 256 * 1024
const mostEntries = 32
/** While batches come without a pause, one piece is indexed this often. */
const longestWaitMs = 2_000

export type Indexer = {
  /** There is something to index. Returns at once. */
  wake(): void
  /** Resolves when nothing is waiting, or the first time that indexing fails. */
  idle(): Promise<void>
  /** Resolves when the transaction under way is over. */
  close(): Promise<void>
}

/** Makes stored turns searchable, a piece at a time, in the pauses between batches. */
export function openIndexer(sql: Sql, quiet: Quiet, onError: (error: unknown) => void): Indexer {
  let running: Promise<void> | null = null
  let woken = false
  let closed = false

  async function run(): Promise<void> {
    while (woken && !closed) {
      woken = false
      for (let more = true; more && !closed; ) {
        await quiet.pause(longestWaitMs)
        more = !closed && (await indexSome(sql))
      }
    }
  }

  return {
    wake() {
      woken = true
      if (closed || running !== null) return
      running = run()
        .catch(onError)
        .finally(() => {
          running = null
        })
    },
    async idle() {
      await running
    },
    async close() {
      closed = true
      await running
    },
  }
}

/** Indexes all that waits now, at once. */
export async function indexAll(sql: Sql): Promise<void> {
  while (await indexSome(sql));
}

/** Indexes these entries now, unless somebody else does. */
export async function indexEntries(sql: Sql, entries: readonly number[]): Promise<void> {
  if (entries.length > 0) while (await indexSome(sql, entries));
}

/** False where nothing waits. Workers share the work: each takes entries that no other has. */
async function indexSome(sql: Sql, only?: readonly number[]): Promise<boolean> {
  return await sql.begin(async (tx) => {
    const entries = await tx<{ id: number; turns: string[] }[]>`
      select id, turns from search_pending
      where ${only === undefined ? tx`true` : tx`id = any(${[...only]}::bigint[])`}
      order by id limit ${mostEntries} for update skip locked`
    if (entries.length === 0) return false
    let text = 0
    for (const entry of entries) {
      text += await indexTurns(tx, entry.turns)
      await tx`delete from search_pending where id = ${entry.id}`
      if (text > mostText) break
    }
    return true
  })
}

type WordsRow = { id: string; words: string }

const columns: Column<WordsRow>[] = [
  { name: 'id', kind: 'uuid', value: (row) => row.id },
  { name: 'words', kind: 'tsvector', wide: true, value: (row) => row.words },
]

/** @returns how many characters were read */
export async function indexTurns(tx: TransactionSql, ids: readonly string[]): Promise<number> {
  const sorted = [...ids].sort()
  const turns = await tx<{ id: string; tenant: string; text: string }[]>`
    select id, tenant, left(text, 300000) as text from turns
    where id = any(${sorted}::uuid[]) and id between ${sorted[0] ?? null} and ${sorted.at(-1) ?? null}`
  const rows = turns.map(({ id, tenant, text }) => ({ id, words: searchVector(tenant, text) }))
  for (const slice of slices(rows, (row) => row.words.length))
    await insertRows(tx, 'turn_words', columns, slice, 'on conflict (id) do nothing')
  return turns.reduce((sum, turn) => sum + turn.text.length, 0)
}
