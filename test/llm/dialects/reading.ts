import type { ResponseReading } from '../../../src/llm/dialects/dialect.ts'
import { dialectNamed } from '../../../src/llm/dialects/dialects.ts'

const encoder = new TextEncoder()

export function named(name: string) {
  const dialect = dialectNamed(name)
  if (dialect === null) throw new Error(`no dialect ${name}`)
  return dialect
}

/** Reads a response that arrives in pieces of that many bytes. */
export function readBody(
  name: string,
  body: string | Uint8Array,
  piece = Number.MAX_SAFE_INTEGER,
): ResponseReading {
  const bytes = typeof body === 'string' ? encoder.encode(body) : body
  const reader = named(name).responseReader({ streamed: true, status: 200 })
  for (let at = 0; at < bytes.length; at += piece) reader.push(bytes.subarray(at, at + piece))
  return reader.result()
}

export function readRequest(name: string, body: unknown, path = '/') {
  return named(name).readRequest(encoder.encode(typeof body === 'string' ? body : JSON.stringify(body)), path)
}

/** Named events, as Anthropic and the Responses API send them. */
export function sse(events: readonly { type: string }[]): string {
  return events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('')
}

/** Events without names, as the others send them. */
export function data(events: readonly unknown[]): string {
  return events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')
}
