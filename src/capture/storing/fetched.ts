import { type Link, readChain } from './chain.ts'
import type { Db } from './insert.ts'
import type { PlainCache } from './plain-cache.ts'

export type Digests = { request_sha256: Uint8Array | null; response_sha256: Uint8Array | null }

/** Content rows that were read many at once, with what they must hash to. */
export type Fetched = Map<string, Link & Digests>

/** As they are stored, compressed; an exchange beyond this is read when its turn comes. */
const mostBytes = 8 * 1024 * 1024

/**
 * One statement for many contents: one each costs three round trips, which is more than all the rest of reading it.
 * What is too much to hold is left out.
 */
export async function fetchContents(db: Db, ids: readonly string[]): Promise<Fetched> {
  const sorted = [...ids].sort()
  const [first = null, last = null] = [sorted[0], sorted.at(-1)]
  const rows = await db<(Link & Digests)[]>`
    select c.id, c.base, c.codec, c.head_bytes, c.request_bytes, c.response_bytes, c.data,
      x.request_sha256, x.response_sha256
    from (
      select *, sum(octet_length(data)) over (order by id) as so_far from contents
      where id = any(${sorted}::uuid[]) and id between ${first} and ${last}
    ) as c join exchanges x on x.id = c.id and x.id between ${first} and ${last}
    where c.so_far <= ${mostBytes}`
  return new Map(rows.map((row) => [row.id, row]))
}

/** The rows that lead to this one: out of what was fetched as far as possible, from the first whose base is known. */
export async function chainOf(db: Db, id: string, cache: PlainCache, fetched: Fetched): Promise<Link[]> {
  const links: Link[] = []
  for (let at = id; ; ) {
    const link = fetched.get(at)
    if (link === undefined) return [...(await readChain(db, at, cache)), ...links]
    links.unshift(link)
    if (link.base === null || cache.has(link.base)) return links
    at = link.base
  }
}
