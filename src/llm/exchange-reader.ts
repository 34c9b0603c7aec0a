import type { ExchangeOpen, SessionRef } from '#capture'
import { cleanText } from '#lib/errors'
import { decompress } from './decompress.ts'
import type { Dialect, RequestReading, ResponseReader, ResponseReading } from './dialects/dialect.ts'
import { dialectNamed, dialectOfPath } from './dialects/dialects.ts'
import { readableBytes } from './dialects/json.ts'
import { skimmer } from './dialects/skim.ts'
import { unread as unreadDialect } from './dialects/unread.ts'
import { readSession } from './session.ts'
import { openUnpacker, type Unpacker } from './unpacker.ts'

export type Headers = readonly (readonly [string, string])[]

export type ExchangeReader = {
  /** Adds bytes of the request, as they were sent. */
  request(chunk: Uint8Array): void
  /** Status and headers of the response; before its first byte. */
  head(status: number | null, headers: Headers): void
  /** Adds bytes of the response, as they were sent. */
  response(chunk: Uint8Array): void
  /** The response is over. Resolves when all of it was read; null: it was. */
  end(): Promise<void> | null
  /** What was understood up to now. Ends the reading. */
  result(): ExchangeReading
}

export type ExchangeReading = {
  request: RequestReading
  /** Its usage is null where nothing was billed: an answer that is fetched again was billed before. */
  response: ResponseReading
  streamed: boolean
  session: SessionRef | null
  /** Why a side that should be understood was not, in words for the record. */
  unread: string[]
}

/**
 * Reads both sides of an exchange as they pass, through their content encodings. Never throws.
 * @param options.countsOnly What was answered is not wanted: a stream is skimmed. @default false
 */
export function openExchangeReader(
  open: Pick<ExchangeOpen, 'dialect' | 'path' | 'method' | 'protocol' | 'request_headers'>,
  { countsOnly = false }: { countsOnly?: boolean } = {},
): ExchangeReader {
  const dialect: Pick<Dialect, 'readRequest' | 'responseReader' | 'skims'> =
    dialectNamed(open.dialect) ?? dialectOfPath(open.path) ?? unreadDialect
  const request = boundedBytes()
  const packed = boundedBytes()
  let encoding: string | null = null
  let stream = false
  let reader: ResponseReader = unreadDialect.responseReader({ streamed: false, status: 0 })
  let skim: ReturnType<typeof skimmer> | null = null
  let unpacker: Unpacker | null = null
  let plainBytes = 0

  return {
    request: request.push,
    head(status, headers) {
      const said = header(headers, 'content-encoding')
      encoding = said?.toLowerCase() === 'identity' ? null : said
      stream = header(headers, 'content-type')?.startsWith('text/event-stream') ?? false
      reader = dialect.responseReader({ streamed: stream, status: status ?? 0 })
      if (countsOnly && stream && dialect.skims !== undefined) skim = skimmer(dialect.skims, reader.push)
      if (countsOnly && stream && encoding !== null) unpacker = openUnpacker(encoding, plain)
    },
    response(chunk) {
      if (unpacker !== null) unpacker.push(chunk)
      else if (encoding !== null) packed.push(chunk)
      else plain(chunk)
    },
    end: () => unpacker?.end() ?? null,
    result() {
      const unread: string[] = []
      if (encoding !== null && unpacker === null) reader.push(readable('response', packed, encoding))
      else skim?.end()
      // Readers keep no answer that is larger, and say nothing of it.
      if (!stream && plainBytes > readableBytes && dialect !== unreadDialect)
        unread.push(unreadSide('response', null))
      const sent = readable('request', request, header(open.request_headers, 'content-encoding'))
      const asked = dialect.readRequest(sent, open.path)
      const answered = reader.result()
      const session = readSession(open.request_headers, asked.session)
      return {
        request: { ...asked, model: named(asked.model) },
        response: {
          ...answered,
          model: named(answered.model),
          error: reason(answered.error),
          usage: isBilled(open) ? answered.usage : null,
        },
        streamed: stream || (asked.stream && answered.error === null),
        session: session && { ...session, session: named(session.session) ?? '' },
        unread,
      }

      function readable(side: string, bytes: BoundedBytes, packing: string | null): Uint8Array {
        const plain = bytes.isWhole() ? decompress(bytes.bytes(), packing, readableBytes) : null
        if (plain === null && dialect !== unreadDialect) unread.push(unreadSide(side, packing))
        return plain ?? new Uint8Array()
      }
    },
  }

  function plain(chunk: Uint8Array): void {
    plainBytes += chunk.byteLength
    if (skim !== null) skim.push(chunk)
    else reader.push(chunk)
  }
}

function isBilled(open: Pick<ExchangeOpen, 'method' | 'protocol' | 'path'>): boolean {
  if (open.protocol === 'websocket') return true
  return open.method === 'POST' && !/\/cancel\/?($|\?)/.test(open.path)
}

/** Names go into columns and pages: bounded, and of text that a database takes. */
function named(text: string | null): string | null {
  return text === null ? null : cleanText(text.slice(0, 200))
}

/** A word for programs. What does not look like one may be content, which `metadata` mode must not keep. */
function reason(text: string | null): string | null {
  return text === null || /^[\w.:-]{1,64}$/.test(text) ? text : 'error'
}

/** It went on as it was: only the record does not know what it says. */
function unreadSide(side: string, encoding: string | null): string {
  const unpacked = encoding === null ? '' : `, unpacked as ${cleanText(encoding.slice(0, 40))},`
  return `unread: the ${side}${unpacked} is larger than ${readableBytes} bytes${encoding === null ? '' : ', or is not of that encoding'}`
}

type BoundedBytes = { push(chunk: Uint8Array): void; bytes(): Uint8Array; isWhole(): boolean }

/** Keeps nothing once there is too much to read. */
function boundedBytes(): BoundedBytes {
  let chunks: Uint8Array[] = []
  let size = 0
  return {
    push(chunk) {
      size += chunk.byteLength
      if (size <= readableBytes) chunks.push(chunk)
      else chunks = []
    },
    isWhole: () => size <= readableBytes,
    bytes: () => (chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)),
  }
}

function header(headers: Headers, wanted: string): string | null {
  return headers.find(([name]) => name === wanted)?.[1] ?? null
}
