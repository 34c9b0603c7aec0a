import type { TransactionSql } from 'postgres'
import { cleanText } from '#lib/errors'
import { readChain, unfold } from './chain.ts'
import type { Item } from './item.ts'
import { dayRange } from './partitions.ts'
import type { PlainCache } from './plain-cache.ts'

/** A content that another may be built upon. */
export type Base = { id: string; depth: number; plain: Uint8Array }

/** Reading a content takes one step a base: 0.2 ms each for a content of 200 KB. */
export const deepest = 256

type Want = { name: string; item: Item; conversation: string }

/**
 * The newest stored content of the same conversation, family and partition, for every such group of the batch: by
 * `baseName`. Another worker may have stored it.
 */
export async function readBases(
  tx: TransactionSql,
  items: readonly Item[],
  { conversationOf, cache }: { conversationOf: (item: Item) => string | null; cache: PlainCache },
): Promise<Map<string, Base>> {
  const wants = new Map<string, Want>()
  for (const item of items) {
    const conversation = conversationOf(item)
    if (conversation === null || item.opaque) continue
    const name = baseName(conversation, item)
    wants.set(name, { name, item, conversation })
  }
  const bases = new Map<string, Base>()
  const wanted = [...wants.values()]
  for (const { place, id, depth } of await readNewest(tx, wanted)) {
    const plain = await plainOf(tx, id, cache)
    const name = wanted[place - 1]?.name
    if (plain !== null && name !== undefined) bases.set(name, { id, depth, plain })
  }
  return bases
}

export function baseName(conversation: string, item: Item): string {
  return `${conversation} ${item.family}`
}

/** Null where it cannot be read: whoever reads it learns why, and what comes next stands alone. */
async function plainOf(tx: TransactionSql, id: string, cache: PlainCache): Promise<Uint8Array | null> {
  const held = cache.get(id)
  if (held !== undefined) return held
  const links = await readChain(tx, id, cache)
  try {
    return await unfold(links, cache)
  } catch {
    return null
  }
}

/** `place` counts the wants from 1. */
async function readNewest(
  tx: TransactionSql,
  wants: readonly Want[],
): Promise<{ place: number; id: string; depth: number }[]> {
  if (wants.length === 0) return []
  const conversations = wants.map((want) => want.conversation)
  const paths = wants.map(({ item }) => cleanText(item.exchange.open.path))
  const models = wants.map(({ item }) => cleaned(item.means.model_asked))
  const ranges = wants.map(({ item }) => dayRange(item.day))
  return await tx<{ place: number; id: string; depth: number }[]>`
    select want.place, found.id, (select depth from contents where id = found.id) as depth
    from unnest(
      ${conversations}::uuid[], ${paths}::text[], ${models}::text[],
      ${ranges.map((range) => range.floor)}::uuid[], ${ranges.map((range) => range.ceiling)}::uuid[]
    ) with ordinality as want (conversation, path, model, floor, ceiling, place)
    cross join lateral (
      select id from exchanges
      where conversation_id = want.conversation and id >= want.floor and id < want.ceiling
        and path = want.path and model_asked is not distinct from want.model
      order by id desc limit 1
    ) as found`
}

/** As the column has it. */
function cleaned(text: string | null): string | null {
  return text === null ? null : cleanText(text)
}
