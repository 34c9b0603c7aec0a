import { describe, expect, test } from 'bun:test'
import zlib from 'node:zlib'
import { z } from 'zod'
import { pageOf, readCursor, writeCursor } from '../../src/capture/reading/cursor.ts'
import { decodedBytes } from '../../src/capture/reading/decode.ts'
import { exchangesQuery } from '../../src/capture/reading/exchanges.ts'
import { readQuery } from '../../src/lib/input.ts'
import { replaceMember, stringMember } from '../../src/lib/json-edit.ts'

const text = (bytes: Uint8Array | null) => (bytes === null ? null : new TextDecoder().decode(bytes))
const edited = (json: string, value: unknown) => text(replaceMember(Buffer.from(json), 'model', value))

describe('replacing one member of a JSON body', () => {
  test('leaves every other byte alone', () => {
    const json = '{ "max_tokens" : 1.0e2,\n\t"model" : "old" , "messages":[{"model":"inner","t":"a\\"}b"}] }'
    expect(edited(json, 'new')).toBe(json.replace('"old"', '"new"'))
  })

  test('finds an escaped key and replaces every duplicate', () => {
    expect(edited('{"mo\\u0064el":1,"x":{"model":2},"model":[1,{"a":"]"}]}', 'm')).toBe(
      '{"mo\\u0064el":"m","x":{"model":2},"model":"m"}',
    )
  })

  test('keeps text beyond ASCII, and escapes what it puts in', () => {
    expect(edited('{"a":"žluťoučký 🐎\\\\","model":null}', 'q"q')).toBe(
      '{"a":"žluťoučký 🐎\\\\","model":"q\\"q"}',
    )
  })

  test('says null where there is no such member or no object', () => {
    for (const json of ['{"a":1}', '{}', '[{"model":1}]', '"model"', 'not json', ''])
      expect(edited(json, 'm')).toBeNull()
  })

  test('leaves what is broken further on to who it is for', () => {
    expect(edited('{"model":"old","messages":[{"a', 'new')).toBe('{"model":"new","messages":[{"a')
  })

  test('nobody hides another value behind a spelling: the last counts, as most parsers have it', () => {
    const found = (json: string) => stringMember(Buffer.from(json), 'model')
    expect(found('{"model":"first","x":"\\u006d","model":"last"}')).toBe('last')
    expect(found('{"model":"first","mod\\u0065l":"hidden"}')).toBe('hidden')
    expect(found('{"model":"first","t":"caf\\u00e9 \\"model\\""}')).toBe('first')
  })
})

describe('decoding stored bytes', () => {
  const plain = Buffer.from(`${'the same words again '.repeat(5_000)}end`)
  const packed = {
    gzip: zlib.gzipSync(plain),
    deflate: zlib.deflateSync(plain),
    br: zlib.brotliCompressSync(plain),
    zstd: zlib.zstdCompressSync(plain),
    'br, gzip': zlib.gzipSync(zlib.brotliCompressSync(plain)),
  }

  test.each(Object.entries(packed))('%s is undone', async (encoding, bytes) => {
    const decoded = await decodedBytes(bytes, encoding, 10 ** 9)
    expect(decoded?.whole).toBe(true)
    expect(Buffer.compare(decoded?.bytes ?? Buffer.alloc(0), plain)).toBe(0)
  })

  test('a decompression bomb is cut at the limit', async () => {
    const decoded = await decodedBytes(zlib.gzipSync(Buffer.alloc(50 * 1024 * 1024)), 'gzip', 1_000)
    expect(decoded?.bytes.length).toBe(1_000)
    expect(decoded?.whole).toBe(false)
  })

  test('R10: what a broken stream still says is given', async () => {
    const cut = packed.gzip.subarray(0, packed.gzip.length - 20)
    expect((await decodedBytes(cut, 'gzip', 10 ** 9))?.bytes.length).toBeGreaterThan(1_000)
  })

  test('an unknown encoding is null, and garbage is empty', async () => {
    expect(await decodedBytes(plain, 'snappy', 10)).toBeNull()
    expect((await decodedBytes(plain, 'gzip', 10))?.bytes.length).toBe(0)
  })
})

describe('the query of a list', () => {
  const read = (query: string) =>
    readQuery(new Request(`http://gateway/api/exchanges?${query}`), exchangesQuery)

  test('reads times, tags and the default limit', () => {
    expect(read('since=2026-01-02&tag=a,%20b')).toEqual({
      since: Date.UTC(2026, 0, 2),
      tag: ['a', 'b'],
      limit: 50,
    })
    expect(read('since=1767312000000').since).toBe(1_767_312_000_000)
  })

  test.each([
    ['limit=0', '?limit: must be 1 to 500'],
    ['limit=501', '?limit: must be 1 to 500'],
    ['limit=ten', '?limit: must be a whole number'],
    ['since=yesterday', '?since: must be an ISO 8601 time'],
    ['status=600', '?status: must be a status as in 404, or a class as in 4xx'],
    ['outcome=good', '?outcome: must be one of completed, '],
    ['model=%00', '?model: must not contain NUL'],
    ['conversation=7', '?conversation: must be an id'],
    ['min_cost_micros=-1', '?min_cost_micros: must be a whole number'],
    ['since=2026-01-01&since=2026-01-02', '?since: given twice'],
    ['colour=red', '?colour: not known here'],
  ])('R12: %s is refused by name', (query, reason) => {
    expect(() => read(query)).toThrow(reason)
  })
})

describe('a cursor', () => {
  const shape = z.tuple([z.string(), z.number()])

  test('comes back as it was given', () => {
    expect(readCursor(shape, writeCursor(['ž', 7]))).toEqual(['ž', 7])
    expect(readCursor(shape, undefined)).toBeUndefined()
  })

  test.each(['x', '%%%', writeCursor([7]), writeCursor(['a', 'b'])])('%s is refused', (cursor) => {
    expect(() => readCursor(shape, cursor)).toThrow('cursor: not one that this list gave')
  })

  test('stands only where there is more', () => {
    const make = { item: (n: number) => n * 2, position: (n: number) => [n] }
    expect(pageOf([1, 2, 3], 2, make)).toEqual({ items: [2, 4], next_cursor: writeCursor([2]) })
    expect(pageOf([1, 2], 2, make)).toEqual({ items: [2, 4], next_cursor: null })
    expect(pageOf([], 2, make)).toEqual({ items: [], next_cursor: null })
  })
})
