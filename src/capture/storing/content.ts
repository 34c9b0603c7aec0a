import type { RecordedExchange } from '../exchange.ts'
import { type Link, readChain, unfold } from './chain.ts'
import { readHead } from './head.ts'
import type { Db } from './insert.ts'
import { type PlainCache, plainCache } from './plain-cache.ts'

/** Reads contents, and keeps recent plain bytes: the next exchange of a conversation is built upon them. */
export type Contents = {
  /**
   * The exchange as it was recorded, byte for byte. Null where there is none. Bodies are empty in `metadata` mode.
   * @throws Error where what is stored is damaged: a base is missing, or a sha256 differs
   */
  read(id: string): Promise<RecordedExchange | null>
}

/** For reading many, in the order of their ids if possible. */
export function openContents(db: Db, cache: PlainCache = plainCache(32 * 1024 * 1024)): Contents {
  return { read: (id) => readFrom(db, id, cache) }
}

/** For reading one. @throws as `Contents.read` does */
export function readContent(db: Db, id: string): Promise<RecordedExchange | null> {
  return readFrom(db, id, plainCache(0))
}

async function readFrom(db: Db, id: string, cache: PlainCache): Promise<RecordedExchange | null> {
  const links = await readChain(db, id, cache)
  const link = links.at(-1)
  if (link === undefined) return null
  const exchange = cut(await unfold(links, cache), link)
  await verify(db, exchange)
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

async function verify(db: Db, { open, request, response }: RecordedExchange): Promise<void> {
  if (open.mode !== 'full') return
  const [row] = await db<{ request_sha256: Uint8Array | null; response_sha256: Uint8Array | null }[]>`
    select request_sha256, response_sha256 from exchanges where id = ${open.id}`
  if (row === undefined) return
  const same = matches(request, row.request_sha256) && matches(response, row.response_sha256)
  if (!same) throw new Error(`reading content ${open.id}: its bytes are not those that were stored`)
}

function matches(bytes: Uint8Array, sha256: Uint8Array | null): boolean {
  return sha256 === null || Buffer.compare(sha256Of(bytes), sha256) === 0
}

export function sha256Of(bytes: Uint8Array): Buffer {
  return new Bun.CryptoHasher('sha256').update(bytes).digest()
}
