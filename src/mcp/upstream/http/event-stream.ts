import type { Id } from '../../wire/message.ts'
import { type IdFinder, openIdFinder } from '../stdio/id-finder.ts'

export type StreamEvent = {
  event: string | null
  data: string
}

export type EventStream = {
  push(chunk: Uint8Array): void
  /** The id of the last event that had one; null: none had. */
  lastId(): string | null
  /** The server's wish for the time before the next try, in ms; null: none. */
  retryMs(): number | null
}

export type StreamEvents = {
  event(event: StreamEvent): void
  /** An event for which there was no room has passed; `id`: of the message in it, where it was on one line. */
  oversized(bytes: number, id: Id | null): void
}

/**
 * A reader of event streams for those who come back: https://html.spec.whatwg.org/multipage/server-sent-events.html
 * with `id` and `retry`, in bounded memory. What is cut off at the end is not delivered: it comes again.
 */
export function openEventStream(on: StreamEvents, room: () => number): EventStream {
  const decoder = new TextDecoder()
  let parts: string[] = []
  let partial = 0
  /** Of a line for which there is no room. */
  let passing: IdFinder | null = null
  let passedId: Id | null = null
  let afterCr = false
  let name: string | null = null
  let data: string[] = []
  let size = 0
  let pendingId: string | null = null
  let lastId: string | null = null
  let retryMs: number | null = null

  function read(text: string): void {
    const fresh = afterCr && text.startsWith('\n') ? text.slice(1) : text
    if (text !== '') afterCr = text.endsWith('\r')
    const lines = fresh.includes('\r') ? fresh.split(/\r\n|\r|\n/) : fresh.split('\n')
    const last = lines.pop() ?? ''
    for (const line of lines) {
      add(line)
      endLine()
    }
    add(last)
  }

  function add(text: string): void {
    if (text === '') return
    partial += text.length
    if (passing !== null) passing.push(Buffer.from(text))
    else parts.push(text)
    if (passing !== null || partial <= room()) return
    const line = parts.join('')
    passing = openIdFinder()
    passing.push(Buffer.from(line.replace(/^data: ?/, '')))
    parts = [line.slice(0, 5)]
  }

  function endLine(): void {
    passedId ??= passing?.id() ?? null
    take(parts.length === 1 ? (parts[0] ?? '') : parts.join(''), partial)
    parts = []
    partial = 0
    passing = null
  }

  function take(line: string, length: number): void {
    if (line === '') {
      dispatch()
      return
    }
    const colon = line.indexOf(':')
    if (colon === 0) return
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'event') name = value
    else if (field === 'id' && !value.includes('\0')) pendingId = value
    else if (field === 'retry' && /^\d+$/.test(value)) retryMs = Number(value)
    else if (field === 'data') {
      size += length
      if (size <= room()) data.push(value)
    }
  }

  function dispatch(): void {
    const event = { event: name, data: data.length === 1 ? (data[0] ?? '') : data.join('\n') }
    const [had, bytes, id] = [data.length > 0, size, passedId]
    passedId = null
    name = null
    data = []
    size = 0
    if (pendingId !== null) lastId = pendingId
    pendingId = null
    if (bytes > room()) on.oversized(bytes, id)
    else if (had && event.data !== '') on.event(event)
  }

  return {
    push: (chunk) => read(decoder.decode(chunk, { stream: true })),
    lastId: () => lastId,
    retryMs: () => retryMs,
  }
}
