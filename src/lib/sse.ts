/** One event of a `text/event-stream`. */
export type SseEvent = {
  /** Null where the stream named none, which clients read as `message`. */
  event: string | null
  /** The `data` lines, joined by newlines. */
  data: string
}

export type SseParser = {
  /** Takes bytes in any chunking: characters, line ends and frames may be split anywhere. */
  push(chunk: Uint8Array): void
  /** Ends the stream. A last event without its empty line is delivered too: the sender may have died there. */
  end(): void
}

/** An event larger than this is dropped, so that a stream without line ends cannot fill the memory. */
const longestEvent = 32 * 1024 * 1024

/**
 * A reader of https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream, without
 * what only reconnecting clients need (`id`, `retry`). Takes LF, CR and CRLF, comments, a byte order mark and
 * `data:` with or without a space.
 */
export function sseParser(onEvent: (event: SseEvent) => void): SseParser {
  const decoder = new TextDecoder()
  let rest = ''
  let afterCr = false
  let name: string | null = null
  let data: string[] = []
  let size = 0

  function read(text: string): void {
    // A CR at a chunk's end was a line's end already: its LF belongs to it.
    const fresh = afterCr && text.startsWith('\n') ? text.slice(1) : text
    if (text !== '') afterCr = text.endsWith('\r')
    const lines = fresh.includes('\r') ? fresh.split(/\r\n|\r|\n/) : fresh.split('\n')
    const last = lines.pop() ?? ''
    for (const tail of lines) {
      line(rest + tail)
      rest = ''
    }
    rest = rest.length > longestEvent ? '' : rest + last
  }

  function line(text: string): void {
    if (text === '') {
      dispatch()
      return
    }
    const colon = text.indexOf(':')
    if (colon === 0) return
    const field = colon < 0 ? text : text.slice(0, colon)
    const value = colon < 0 ? '' : text.slice(text[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'event') name = value
    if (field !== 'data') return
    size += value.length
    if (size <= longestEvent) data.push(value)
  }

  function dispatch(): void {
    const event = { event: name, data: data.length === 1 ? (data[0] ?? '') : data.join('\n') }
    const full = data.length > 0 && size <= longestEvent
    name = null
    data = []
    size = 0
    if (full) onEvent(event)
  }

  return {
    push: (chunk) => read(decoder.decode(chunk, { stream: true })),
    end() {
      read(`${decoder.decode()}\n`)
      dispatch()
    },
  }
}
