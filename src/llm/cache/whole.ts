import { decompress } from '../decompress.ts'
import { dialectNamed } from '../dialects/dialects.ts'
import { parseJson, readableBytes } from '../dialects/json.ts'
import type { HeaderList } from '../headers.ts'

/**
 * Is this an answer to its end, without an error in it? A connection that closed in order says little: a stream
 * must have said why it stopped, and a body must be JSON.
 */
export function isWhole(dialect: string | null, headers: HeaderList, body: Uint8Array): boolean {
  const plain = decompress(body, headerOf(headers, 'content-encoding'), readableBytes)
  if (plain === null || plain.byteLength === 0) return false
  const streamed = headerOf(headers, 'content-type')?.startsWith('text/event-stream') ?? false
  const reader = dialectNamed(dialect)?.responseReader({ streamed, status: 200 })
  reader?.push(plain)
  const read = reader?.result()
  if (read === undefined || read.error !== null) return false
  if (streamed) return read.stop_reason !== null && read.stop_reason !== 'in_progress'
  return parseJson(new TextDecoder().decode(plain)) !== undefined
}

export function headerOf(headers: HeaderList, name: string): string | null {
  return headers.find(([found]) => found === name)?.[1] ?? null
}
