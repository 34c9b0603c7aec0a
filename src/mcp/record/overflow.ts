import { may, type Principal } from '#access'
import type { FoundExchange } from '#capture'
import { isId } from '#lib/ids'
import type { RawJson } from '../wire/message.ts'
import { memberOf } from '../wire/raw-json.ts'
import { fieldsOf, listOf, parse } from './fields.ts'
import { findRecorded, type RecordSources } from './find-recorded.ts'
import { type OwnResult, ownExchange } from './own-result.ts'
import type { Recorder } from './recorder.ts'
import { resultText } from './result-text.ts'

export type Oversized = {
  tenant: string
  keyId: string | null
  /** That records the server's answer; of a tool of our own, which nothing else records, what it was asked. */
  of: string | OwnResult
  server: string
  /** The tool, prompt or resource. */
  name: string
  result: RawJson
}

/** A piece, and what it is of: whoever may not use that may not read it. */
export type Piece = { text: string; mimeType: string; server: string; name: string }

/** Results that are too large for an agent's context, to be read in pieces, as long as the record is kept. */
export type Overflow = {
  /** @throws SpoolFullError where it cannot be recorded */
  store(oversized: Oversized): Promise<{ uri: string; bytes: number }>
  /**
   * A piece of it, which ends with where to go on. Null where there is none that this key got, or that it could read
   * in the record.
   * @throws SluiceError 503 where the record cannot be read
   */
  read(principal: Reader, uri: string): Promise<Piece | null>
}

export type Reader = Pick<Principal, 'tenant' | 'keyId' | 'scopes'>

const prefix = 'sluice://overflow/'
/** Characters in a piece: 12,000 tokens or so. */
const pieceLength = 48_000
const mostBytes = 64 * 1024 * 1024
/** Pieces follow each other; and in `metadata` mode there is no other place. */
const keptMs = 3_600_000

/** `text`: the result, or, once it was read, what is read of it. */
type Kept = Omit<Oversized, 'of' | 'result'> & { text: string; isRaw: boolean; at: number }

export function openOverflow(sources: RecordSources & { recorder: Recorder }): Overflow {
  const kept = new Map<string, Kept>()
  let held = 0

  return {
    async store({ of, ...oversized }) {
      const id = typeof of === 'string' ? of : await ownExchange(sources.recorder, of, oversized)
      const { tenant, keyId, server, name, result: text } = oversized
      keep(id, { tenant, keyId, server, name, text, isRaw: true, at: Date.now() })
      return { uri: `${prefix}${id}`, bytes: Buffer.byteLength(text) }
    },
    async read(reader, uri) {
      const asked = parsed(uri)
      if (asked === null) return null
      const found = kept.get(asked.exchange) ?? (await recorded(reader, asked.exchange))
      if (found === null || !mayRead(reader, found)) return null
      if (found.isRaw) unwrap(asked.exchange, found)
      const { text, server, name } = found
      return { text: piece(text, asked), mimeType: 'text/plain', server, name }
    },
  }

  async function recorded({ tenant }: Reader, id: string): Promise<Kept | null> {
    const found = await findRecorded(sources, { id, tenant })
    const text = found === null ? null : resultIn(found)
    if (found === null || text === null) return null
    const { key_id: keyId, mcp } = found.open
    const of = { tenant, keyId, server: mcp?.peer ?? '', name: mcp?.name ?? '' }
    return keep(id, { ...of, text, isRaw: true, at: Date.now() })
  }

  function keep(id: string, one: Kept): Kept {
    forget(id)
    kept.set(id, one)
    held += one.text.length
    for (const [oldest, { at }] of kept) {
      if (held <= mostBytes && Date.now() - at < keptMs) break
      forget(oldest)
    }
    return one
  }

  /** Not before somebody reads it: most are never read, and to parse 30 MB takes a while. */
  function unwrap(id: string, one: Kept): void {
    const text = readable(one.text)
    if (kept.get(id) === one) held += text.length - one.text.length
    one.text = text
    one.isRaw = false
  }

  function forget(id: string): void {
    held -= kept.get(id)?.text.length ?? 0
    kept.delete(id)
  }
}

function mayRead(reader: Reader, { tenant, keyId }: Kept): boolean {
  return reader.tenant === tenant && (reader.keyId === keyId || may(reader, 'read'))
}

function parsed(uri: string): { exchange: string; from: number } | null {
  const [, exchange = '', from = '0'] =
    /^sluice:\/\/overflow\/([0-9a-f-]{36})(?:\?from=(\d{1,12}))?$/.exec(uri) ?? []
  return isId(exchange) ? { exchange, from: Number(from) } : null
}

function piece(text: string, { exchange, from }: { exchange: string; from: number }): string {
  const end = from + pieceLength
  if (from >= text.length) return `[there are ${text.length} characters; ask for ?from= below that]`
  if (end >= text.length) return text.slice(from)
  return `${text.slice(from, end)}\n[characters ${from} to ${end} of ${text.length}; go on with ${prefix}${exchange}?from=${end}]`
}

/** Its text where it is all text, else the whole of it as JSON. */
function readable(result: RawJson): string {
  const fields = fieldsOf(parse(result))
  const said = listOf(fields.messages).map(({ content }) => content)
  const blocks: unknown[] = [fields.content, fields.contents, said].find(isFilled) ?? []
  const isText = blocks.length > 0 && blocks.every((block) => typeof fieldsOf(block).text === 'string')
  return isText ? resultText(fields) : result
}

function isFilled(value: unknown): value is unknown[] {
  return Array.isArray(value) && value.length > 0
}

/** The server's answer. On this hop each frame is a line. */
function resultIn({ open, response }: FoundExchange): RawJson | null {
  if (open.mcp?.hop !== 'upstream' || open.mode !== 'full') return null
  const lines = new TextDecoder().decode(response).split('\n')
  for (const line of lines.reverse()) {
    const result = memberOf(line, 'result')
    if (result !== null) return result
  }
  return null
}
