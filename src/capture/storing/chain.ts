import { decompressWith } from './dictionary.ts'
import type { Db } from './insert.ts'
import { dayOf, dayRange } from './partitions.ts'
import type { PlainCache } from './plain-cache.ts'

/** A content row, as it is stored. */
export type Link = {
  id: string
  base: string | null
  codec: number
  head_bytes: number
  request_bytes: number
  response_bytes: number
  data: Uint8Array
}

export const codecs = { raw: 0, zstd: 1 } as const

/**
 * The content row of that id after the rows that it is built upon, down to one that stands alone or whose base is
 * in the cache. Empty where there is no such content.
 */
export async function readChain(db: Db, id: string, cache: PlainCache): Promise<Link[]> {
  const { floor, ceiling } = dayRange(dayOf(id))
  const steps = await db<{ id: string }[]>`
    with recursive chain as (
      select id, base from contents where id = ${id}
      union all
      select next.id, next.base from chain cross join lateral (
        select id, base from contents where id = chain.base and id >= ${floor} and id < ${ceiling} limit 1
      ) as next
    ) select id from chain`
  const kept = steps.findIndex((step) => cache.has(step.id))
  const needed = (kept <= 0 ? steps : steps.slice(0, kept)).map((step) => step.id)
  const links = await db<Link[]>`
    select id, base, codec, head_bytes, request_bytes, response_bytes, data from contents
    where id = any(${needed}::uuid[]) and id >= ${floor} and id < ${ceiling}`
  const byId = new Map(links.map((link) => [link.id, link]))
  return needed.reverse().flatMap((step) => byId.get(step) ?? [])
}

/**
 * The plain bytes of the chain's last row; those of the rows before it are offered to the cache.
 * @throws Error where a row that it is built upon is missing or damaged
 */
export async function unfold(links: readonly Link[], cache: PlainCache): Promise<Uint8Array> {
  let plain: Uint8Array | null = null
  let last: string | null = null
  for (const link of links) {
    const base: Uint8Array | null = link.base === last ? plain : (cache.get(link.base ?? '') ?? null)
    if (link.base !== null && base === null)
      throw new Error(`reading content ${link.id}: its base ${link.base} is missing`)
    plain = link.codec === codecs.raw ? link.data : await decompressWith(base, link.data)
    last = link.id
    cache.set(link.id, plain)
  }
  if (plain === null) throw new Error('reading content: an empty chain')
  return plain
}
