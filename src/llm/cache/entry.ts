import type { HeaderList } from '../headers.ts'

/** An answer as it was given, and may be given again. */
export type CacheEntry = {
  status: number
  headers: HeaderList
  body: Uint8Array
  /** ms since the epoch. */
  storedAt: number
  /** The exchange that it was the answer of. */
  exchange: string
}

type Head = { v: 1; status: number; headers: HeaderList; stored_at: number; exchange: string }

/** The length of the head, the head as JSON, the body; all of it zstd. */
export async function packEntry({
  status,
  headers,
  body,
  storedAt,
  exchange,
}: CacheEntry): Promise<Uint8Array> {
  const head: Head = { v: 1, status, headers, stored_at: storedAt, exchange }
  const json = Buffer.from(JSON.stringify(head))
  const length = Buffer.alloc(4)
  length.writeUInt32LE(json.byteLength)
  return await Bun.zstdCompress(Buffer.concat([length, json, body]))
}

/** Null where the bytes are no entry, or one of another version. */
export async function unpackEntry(packed: Uint8Array): Promise<CacheEntry | null> {
  try {
    const plain = await Bun.zstdDecompress(packed as Uint8Array<ArrayBuffer>)
    const length = plain.readUInt32LE(0)
    const head = JSON.parse(plain.subarray(4, 4 + length).toString()) as Head
    if (head.v !== 1) return null
    const { status, headers, exchange } = head
    return { status, headers, exchange, storedAt: head.stored_at, body: plain.subarray(4 + length) }
  } catch {
    return null
  }
}

/** What of an answer's head is kept: not what belongs to that one connection, moment or account. */
export function keptHeaders(headers: HeaderList): HeaderList {
  return headers.filter(([name]) => !momentary.test(name))
}

const momentary =
  /^(content-length|date|age|connection|keep-alive|transfer-encoding|set-cookie|retry-after|server-timing|alt-svc|cf-ray|via|.*ratelimit.*|sluice-(exchange|cache|attempt|route).*)$/
