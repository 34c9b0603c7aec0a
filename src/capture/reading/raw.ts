import type postgres from 'postgres'
import { SluiceError } from '#lib/errors'
import type { RecordedExchange } from '../exchange.ts'
import { readContent } from '../storing/content.ts'
import { decodedStream } from './decode.ts'
import { findExchange } from './exchanges.ts'
import { streamed } from './streamed.ts'

export type Side = 'request' | 'response'

/**
 * The exchange with its bytes.
 * @throws SluiceError 404 where it is not there, is another tenant's, or was recorded without content; 410 where that
 *   was deleted
 */
export async function findRecorded(
  sql: postgres.Sql,
  { id, tenant }: { id: string; tenant: string | null },
): Promise<RecordedExchange> {
  const { mode } = await findExchange(sql, id, tenant)
  if (mode === 'erased')
    throw new SluiceError(410, 'erased', 'The content of this exchange was deleted with its conversation')
  if (mode !== 'full') {
    const message = `The content of this exchange was not captured: its key's capture mode is ${mode}`
    throw new SluiceError(404, 'not-captured', message)
  }
  const recorded = await readContent(sql, id)
  if (recorded === null) throw new SluiceError(404, 'no-content', 'The content of this exchange is not there')
  return recorded
}

/** The headers of both sides; null where they are not there. */
export async function recordedHeaders(sql: postgres.Sql, id: string) {
  const recorded = await readContent(sql, id)
  return {
    request_headers: recorded?.open.request_headers ?? null,
    response_headers: recorded?.end.response_headers ?? null,
  }
}

/**
 * One side's bytes as they passed, to be saved and not shown: a browser must never run as ours what a client or
 * an upstream sent. With `decoded` compression is undone.
 * @throws SluiceError 422 where the compression is not known
 */
export function rawResponse(
  recorded: RecordedExchange,
  side: Side,
  { decoded }: { decoded: boolean },
): Response {
  const { id } = recorded.open
  const type = headerOf(recorded, side, 'content-type') ?? 'application/octet-stream'
  const encoding = headerOf(recorded, side, 'content-encoding')
  const headers: Record<string, string> = {
    'content-type': type,
    'content-disposition': `attachment; filename="${id}.${side}${extension(type)}"`,
    'x-content-type-options': 'nosniff',
    'content-security-policy': "sandbox; default-src 'none'",
    'cache-control': 'private, no-store',
    'sluice-exchange': id,
  }
  const bytes = recorded[side] as Uint8Array<ArrayBuffer>
  // The encoding is told beside, not as `content-encoding`: clients would undo it, and get other bytes than stored.
  if (encoding !== null) headers['sluice-content-encoding'] = encoding
  if (!decoded)
    return new Response(bytes, { headers: { ...headers, 'content-length': String(bytes.length) } })
  const stream = decodedStream(bytes, encoding)
  if (stream === null) {
    throw new SluiceError(
      422,
      'unknown-encoding',
      `decoding the ${side}: content-encoding ${encoding} is not known`,
    )
  }
  return streamed(stream, { headers })
}

/** The value of a recorded header; null where there is none, or it is not fit to be sent again. */
export function headerOf({ open, end }: RecordedExchange, side: Side, name: string): string | null {
  const headers = side === 'request' ? open.request_headers : end.response_headers
  const value = headers.find(([found]) => found === name)?.[1] ?? null
  return value === null || !/^[\x20-\x7e]+$/.test(value) ? null : value
}

function extension(type: string): string {
  if (/^application\/(?:[\w.-]+\+)?json/i.test(type)) return '.json'
  if (/^text\/event-stream/i.test(type)) return '.sse'
  if (/^text\//i.test(type)) return '.txt'
  return '.bin'
}
