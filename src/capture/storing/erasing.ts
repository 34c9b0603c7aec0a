import type { TransactionSql } from 'postgres'
import { codecs, readChain, unfold } from './chain.ts'
import type { ContentMemory } from './contents.ts'
import { compressWith } from './dictionary.ts'
import { dayOf, dayRange } from './partitions.ts'
import { plainCache } from './plain-cache.ts'

/** The key of an advisory lock: shared by who stores, alone for who erases. */
const erasing = 0x51_0c_e0_03

/**
 * First in a transaction that stores: while it runs nothing is erased, and what was erased since this worker
 * remembered it is nothing to build upon any more. Two statements, sent together: the second must see what the
 * first has waited for.
 */
export async function heedErasures(tx: TransactionSql, memory: ContentMemory): Promise<void> {
  const [, [row]] = await Promise.all([
    tx`select pg_advisory_xact_lock_shared(${erasing})`,
    tx<{ count: number }[]>`select count from erasures`,
  ])
  const count = row?.count ?? 0
  if (memory.erasures !== undefined && memory.erasures !== count) {
    memory.cache.clear()
    memory.roots.clear()
  }
  memory.erasures = count
}

/**
 * Deletes the contents of these exchanges for good, after those of others that are built upon them were made to
 * stand without them. Storing waits until this transaction ends. Contents have no index by base: their days are
 * read through, 1 s for a million rows.
 */
export async function eraseContents(tx: TransactionSql, ids: readonly string[]): Promise<void> {
  await tx`select pg_advisory_xact_lock(${erasing})`
  await tx`update erasures set count = count + 1`
  const days = Map.groupBy(ids, dayOf)
  for (const [day, own] of days) await eraseDay(tx, dayRange(day), own)
}

type Range = { floor: string; ceiling: string }

async function eraseDay(
  tx: TransactionSql,
  { floor, ceiling }: Range,
  ids: readonly string[],
): Promise<void> {
  const building = await tx<{ id: string }[]>`
    select id from contents where base = any(${[...ids]}::uuid[]) and id <> all(${[...ids]}::uuid[])
      and id >= ${floor} and id < ${ceiling} order by id`
  // The first stands alone, and the others upon it: they were built upon the same, so they look alike.
  let base: { id: string; plain: Uint8Array } | null = null
  for (const { id } of building) {
    const plain = await unfold(await readChain(tx, id, plainCache(0)), plainCache(0))
    const packed = await compressWith(base?.plain ?? null, plain)
    const worth = packed.length < plain.length
    const upon: string | null = worth ? (base?.id ?? null) : null
    await tx`
      update contents set base = ${upon}, depth = ${upon === null ? 0 : 1},
        codec = ${worth ? codecs.zstd : codecs.raw}, data = ${worth ? packed : plain}
      where id = ${id} and id >= ${floor} and id < ${ceiling}`
    base ??= { id, plain }
  }
  await tx`delete from contents where id = any(${[...ids]}::uuid[]) and id >= ${floor} and id < ${ceiling}`
}
