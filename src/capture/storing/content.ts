import type { RecordedExchange } from '../exchange.ts'
import { type Link, unfold } from './chain.ts'
import { chainOf, type Digests, type Fetched, fetchContents } from './fetched.ts'
import { readHead } from './head.ts'
import type { Db } from './insert.ts'
import { type PlainCache, plainCache } from './plain-cache.ts'

/** Reads contents, and keeps recent plain bytes: the next exchange of a conversation is built upon them. */
export type Contents = {
  /**
   * The exchange as it was recorded, byte for byte. Null where there is none. Bodies are empty in `metadata` mode.
   * @throws Error where what is stored is damaged: a base is missing, or a sha256 differs
   */
  read: Read
  /** Fetches what these take at once, and resolves with what reads them. */
  fetch(ids: readonly string[]): Promise<Read>
}

type Read = (id: string) => Promise<RecordedExchange | null>

/** For reading many, in the order of their ids if possible. */
export function openContents(db: Db, cache: PlainCache = plainCache(32 * 1024 * 1024)): Contents {
  return {
    read: (id) => readFrom(db, id, { cache, fetched: new Map() }),
    async fetch(ids) {
      const fetched = await fetchContents(db, ids)
      return (id) => readFrom(db, id, { cache, fetched })
    },
  }
}

/** For reading one. @throws as `Contents.read` does */
export function readContent(db: Db, id: string): Promise<RecordedExchange | null> {
  return readFrom(db, id, { cache: plainCache(0), fetched: new Map() })
}

async function readFrom(
  db: Db,
  id: string,
  { cache, fetched }: { cache: PlainCache; fetched: Fetched },
): Promise<RecordedExchange | null> {
  const links = await chainOf(db, id, cache, fetched)
  const link = links.at(-1)
  if (link === undefined) return null
  const exchange = cut(await unfold(links, cache), link)
  if (exchange.open.mode === 'full') verify(exchange, fetched.get(id) ?? (await digestsOf(db, id)))
  return exchange
}

function cut(plain: Uint8Array, link: Link): RecordedExchange {
  const requestAt = link.head_bytes
  const responseAt = requestAt + link.request_bytes
  return {
    ...readHead(plain.subarray(0, requestAt)),
    request: plain.subarray(requestAt, responseAt),
    response: plain.subarray(responseAt, responseAt + link.response_bytes),
  }
}

async function digestsOf(db: Db, id: string): Promise<Digests | undefined> {
  const [row] = await db<Digests[]>`select request_sha256, response_sha256 from exchanges where id = ${id}`
  return row
}

function verify({ open, request, response }: RecordedExchange, wanted: Digests | undefined): void {
  if (wanted === undefined) return
  const same = matches(request, wanted.request_sha256) && matches(response, wanted.response_sha256)
  if (!same) throw new Error(`reading content ${open.id}: its bytes are not those that were stored`)
}

function matches(bytes: Uint8Array, sha256: Uint8Array | null): boolean {
  return sha256 === null || Buffer.compare(sha256Of(bytes), sha256) === 0
}

export function sha256Of(bytes: Uint8Array): Buffer {
  return new Bun.CryptoHasher('sha256').update(bytes).digest()
}
