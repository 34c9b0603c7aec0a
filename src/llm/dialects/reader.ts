import { sseParser } from '#lib/sse'
import type { ResponseReader, ResponseReading } from './dialect.ts'
import { type Json, object, objects, parseJson, readableBytes } from './json.ts'
import { splitJson } from './split-json.ts'

/** How one dialect adds up an answer, whether it comes whole or as the events of a stream. */
export type Fold = {
  /** A body that is one JSON object. */
  whole(body: Json): void
  /** One event of a stream. */
  event(event: Json): void
  /** What is known; `ended` where the stream said that it ended (`[DONE]`). May be called more than once. */
  result(ended: boolean): ResponseReading
}

/**
 * Pushes a response into a fold. What the bytes are is told by their first character, not by the request: an
 * error may be JSON where a stream was asked for. Understands SSE, a JSON object, a JSON array of objects
 * (Gemini without `alt=sse`) and JSON lines (WebSocket messages), broken off anywhere.
 */
export function foldReader(fold: Fold): ResponseReader {
  let ended = false
  let json: Uint8Array[] | null = null
  let size = 0
  let started = false
  const sse = sseParser(({ data }) => {
    if (data.trimEnd() === '[DONE]') {
      ended = true
      return
    }
    const event = object(parseJson(data))
    if (event !== null) fold.event(event)
  })

  function finish(): void {
    if (json === null) sse.end()
    else if (size <= readableBytes) foldJson(fold, new TextDecoder().decode(Buffer.concat(json)))
  }

  let read: ResponseReading | null = null
  return {
    push(chunk) {
      if (!started) {
        const first = firstCharacter(chunk)
        started = first !== null
        if (first === '{' || first === '[') json = []
      }
      if (json === null) return sse.push(chunk)
      size += chunk.byteLength
      if (size <= readableBytes) json.push(chunk)
    },
    result() {
      if (read === null) {
        finish()
        json = null
        read = fold.result(ended)
      }
      return read
    },
  }
}

function foldJson(fold: Fold, text: string): void {
  const parsed = parseJson(text)
  const body = object(parsed)
  const events = parsed === undefined ? splitJson(text) : objects(parsed)
  if (body !== null) fold.whole(body)
  else for (const event of events) fold.event(event)
}

/** Past blank space and a byte order mark. */
function firstCharacter(chunk: Uint8Array): string | null {
  for (const byte of chunk) {
    if (byte > 0x20 && byte !== 0xef && byte !== 0xbb && byte !== 0xbf) return String.fromCharCode(byte)
  }
  return null
}
