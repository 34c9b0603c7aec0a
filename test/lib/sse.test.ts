import { describe, expect, test } from 'bun:test'
import { type SseEvent, sseParser } from '../../src/lib/sse.ts'

const encoder = new TextEncoder()

function parse(...chunks: (string | Uint8Array)[]): SseEvent[] {
  const events: SseEvent[] = []
  const parser = sseParser((event) => events.push(event))
  for (const chunk of chunks) parser.push(typeof chunk === 'string' ? encoder.encode(chunk) : chunk)
  parser.end()
  return events
}

describe('an event stream', () => {
  test('is read with names, several data lines and comments', () => {
    const events = parse(': ping\n\nevent: a\ndata: one\ndata: two\n\nid: 7\nretry: 5\ndata:x\n\n')
    expect(events).toEqual([
      { event: 'a', data: 'one\ntwo' },
      { event: null, data: 'x' },
    ])
  })

  test.each([
    ['LF', '\n'],
    ['CRLF', '\r\n'],
    ['CR', '\r'],
  ])('may end its lines with %s, and start with a byte order mark', (_, end) => {
    const text = `\uFEFFevent: a${end}data: one${end}${end}data: two${end}${end}`
    expect(parse(text)).toEqual([
      { event: 'a', data: 'one' },
      { event: null, data: 'two' },
    ])
    // CRLF split between two chunks is still one line's end.
    expect(parse(...[...text])).toEqual(parse(text))
  })

  test('T7: may be cut at any byte, in a character or a frame', () => {
    const bytes = encoder.encode('event: grüße\r\ndata: {"text":"héllo 🎉 日本"}\r\n\r\ndata: ende\n\n')
    const whole = parse(bytes)
    expect(whole[0]?.data).toBe('{"text":"héllo 🎉 日本"}')
    for (let at = 1; at < bytes.length; at += 1) {
      expect(parse(bytes.slice(0, at), bytes.slice(at))).toEqual(whole)
    }
    expect(parse(...Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(whole)
  })

  test('R10: delivers a last event that its sender had no time to end', () => {
    expect(parse('data: one\n\ndata: two')).toEqual([
      { event: null, data: 'one' },
      { event: null, data: 'two' },
    ])
  })

  test('survives invalid UTF-8', () => {
    const events = parse('data: a', Uint8Array.of(0xff, 0xfe), 'b\n\ndata: c\n\n')
    expect(events.map(({ data }) => data)).toEqual(['a\uFFFD\uFFFDb', 'c'])
  })

  test('drops an event without end instead of keeping all of it', () => {
    const events: SseEvent[] = []
    const parser = sseParser((event) => events.push(event))
    const megabyte = encoder.encode('x'.repeat(1024 * 1024))
    parser.push(encoder.encode('data: '))
    for (let sent = 0; sent < 40; sent += 1) parser.push(megabyte)
    parser.push(encoder.encode('\n\ndata: next\n\n'))
    parser.end()
    expect(events).toEqual([{ event: null, data: 'next' }])
  })
})
