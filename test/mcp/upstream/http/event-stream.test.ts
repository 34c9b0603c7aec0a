import { expect, test } from 'bun:test'
import { openEventStream, type StreamEvent } from '../../../../src/mcp/upstream/http/event-stream.ts'

test('events come whole, however they are cut up', () => {
  const text =
    ': hi\r\nid: 1\r\nretry: 250\r\ndata:\r\n\r\nevent: message\rid:2\rdata: {"ü":\rdata:  1}\r\rdata: a\n\ndata: cut'
  const expected = [
    { event: 'message', data: '{"ü":\n 1}' },
    { event: null, data: 'a' },
  ]
  for (const size of [1, 2, 3, 10, 1_000]) {
    const { events, stream } = read(text, size, 1_000)
    expect(events).toEqual(expected)
    expect(stream.lastId()).toBe('2')
    expect(stream.retryMs()).toBe(250)
  }
})

test('C10: an event for which there is no room is passed over, but for the id in it', () => {
  const large = `{"result":{"text":"${'y'.repeat(5_000)}"},"jsonrpc":"2.0","id":7}`
  const lines = `data: ${'z'.repeat(600)}\n`.repeat(3)
  for (const size of [1, 64, 900, 100_000]) {
    const { events, oversized } = read(
      `data: a\n\nid: 9\ndata: ${large}\n\n${lines}\ndata: b\n\n`,
      size,
      1_000,
    )
    expect(events.map(({ data }) => data)).toEqual(['a', 'b'])
    expect(oversized.map(([id]) => id)).toEqual([7, null])
  }
})

function read(text: string, size: number, room: number) {
  const events: StreamEvent[] = []
  const oversized: [unknown, number][] = []
  const stream = openEventStream(
    { event: (event) => events.push(event), oversized: (bytes, id) => oversized.push([id, bytes]) },
    () => room,
  )
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += size) stream.push(bytes.subarray(at, at + size))
  return { events, oversized, stream }
}
