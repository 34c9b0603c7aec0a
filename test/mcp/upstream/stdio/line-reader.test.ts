import { expect, test } from 'bun:test'
import { openIdFinder } from '../../../../src/mcp/upstream/stdio/id-finder.ts'
import { openLineReader } from '../../../../src/mcp/upstream/stdio/line-reader.ts'

test('lines come whole, however they are cut up', () => {
  const text = `{"a":"ü€😀"}\n\n  \n${'x'.repeat(5_000)}\r\n{"b":2}\nunfinished`
  const expected = ['{"a":"ü€😀"}', 'x'.repeat(5_000), '{"b":2}']
  for (const size of [1, 2, 3, 7, 64, 4_096, 100_000])
    expect(read(text, size, 10_000).lines).toEqual(expected)
})

test('C10: a line for which there is no room is passed over, but for its id', () => {
  const large = `{"result":{"id":1,"text":"${'\\"id\\":2,'.repeat(500)}"},"jsonrpc":"2.0","id":42}`
  const flat = `{"jsonrpc":"2.0","text":"${'\\\\\\"}],\\"id\\":3,'.repeat(200)}","id":42}`
  for (const message of [large, flat])
    for (const size of [1, 5, 1_000, 100_000]) {
      const { lines, oversized } = read(`{"ok":1}\n${message}\n{"ok":2}\n`, size, 1_000)
      expect(lines).toEqual(['{"ok":1}', '{"ok":2}'])
      expect(oversized).toEqual([[42, message.length]])
    }
})

test('the id of a message is found wherever it stands, and no other', () => {
  const find = (text: string) => {
    const finder = openIdFinder()
    finder.push(Buffer.from(text))
    return finder.id()
  }
  expect(find('{"id":1,"result":{"id":2}}')).toBe(1)
  expect(find('{ "result" : [{"id":2},"}",{"x":"\\\\"}] , "id" : "a\\"b" }')).toBe('a"b')
  expect(find('{"result":{"id":2}}')).toBeNull()
  expect(find('{"xid":1,"id":null}')).toBeNull()
  expect(find('{"result":"\\",\\"id\\":5}","id":6')).toBeNull()
  expect(find(`{"id":"${'9'.repeat(200)}"}`)).toBeNull()
  expect(find('garbage "id":5 }{')).toBeNull()
})

function read(text: string, size: number, room: number) {
  const lines: string[] = []
  const oversized: [unknown, number][] = []
  const reader = openLineReader(
    { line: (line) => lines.push(line), oversized: (id, bytes) => oversized.push([id, bytes]) },
    () => room,
  )
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size))
  return { lines, oversized }
}
