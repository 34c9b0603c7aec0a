import { describe, expect, test } from 'bun:test'
import { decodeExchanges, encodeExchange } from '../../src/capture/frame.ts'
import { exchange, sameExchange } from './support.ts'

const small = [exchange(1), exchange(2, { request: Buffer.alloc(0) }), exchange(3)]

describe('frames', () => {
  test('an exchange read back is the one that was written', () => {
    const large = exchange(4, { response: crypto.getRandomValues(new Uint8Array(65_536)) })
    const { exchanges, damaged } = decodeExchanges(encodeAll([...small, large]))
    expect(damaged).toEqual([])
    expect(exchanges.length).toBe(4)
    for (const [at, read] of exchanges.entries()) sameExchange(read, [...small, large][at])
  })

  test('a body of many frames is read back whole', () => {
    const body = Buffer.alloc(900_000, 'abcdefghijk')
    const { exchanges } = decodeExchanges(encodeExchange(exchange(1, { request: body, response: body })))
    expect(Buffer.compare(exchanges[0]?.request ?? Buffer.alloc(0), body)).toBe(0)
    expect(Buffer.compare(exchanges[0]?.response ?? Buffer.alloc(0), body)).toBe(0)
  })

  test('R15: bytes that are no text, and metas with NUL and lone surrogates, are read back as they were', () => {
    const odd = exchange(1, { request: Buffer.from([0, 0xff, 0xfe, 0xed, 0xa0, 0x80, 0]) })
    odd.open.path = '/v1/messages?q=\u0000\ud800'
    const { exchanges } = decodeExchanges(encodeExchange(odd))
    sameExchange(exchanges[0], odd)
  })

  test('unknown fields of a newer writer are let be', () => {
    const newer = exchange(1)
    Object.assign(newer.open, { colour: 'red' })
    const { exchanges, damaged } = decodeExchanges(encodeExchange(newer))
    expect(damaged).toEqual([])
    expect(exchanges[0]?.open.id).toBe(newer.open.id)
  })

  test('R16: truncated at any byte, every exchange before the cut is found and the rest is returned', () => {
    const bytes = encodeAll(small)
    const ends = small.map((_, at) => encodeAll(small.slice(0, at + 1)).length)
    for (let cut = 0; cut <= bytes.length; cut++) {
      const { exchanges, damaged } = decodeExchanges(bytes.subarray(0, cut))
      const whole = ends.filter((end) => end <= cut).length
      expect(exchanges.length).toBe(whole)
      const rest = cut - (ends[whole - 1] ?? 0)
      expect(damaged.reduce((sum, piece) => sum + piece.bytes.length, 0)).toBe(rest)
    }
  })

  test('R16: corrupted at any byte, the other exchanges are found and the broken one is returned', () => {
    const bytes = encodeAll(small)
    const ends = small.map((_, at) => encodeAll(small.slice(0, at + 1)).length)
    for (let at = 0; at < bytes.length; at++) {
      const broken = Buffer.from(bytes)
      broken[at] = (broken[at] ?? 0) ^ 0x55
      const { exchanges, damaged } = decodeExchanges(broken)
      const hit = ends.findIndex((end) => at < end)
      expect(exchanges.map((read) => read.open.id)).toEqual(
        small.filter((_, index) => index !== hit).map((kept) => kept.open.id),
      )
      const lost = small[hit]
      expect(damaged.length).toBe(1)
      expect(damaged[0]?.id ?? null).toBe(lost?.open.id ?? null)
      expect(damaged[0]?.bytes.length).toBe((ends[hit] ?? 0) - (ends[hit - 1] ?? 0))
    }
  })

  test('what looks like an exchange inside of a damaged payload is not believed', () => {
    const forged = exchange(9)
    const bytes = Buffer.from(encodeExchange(exchange(1, { request: encodeExchange(forged) })))
    const inside = bytes.indexOf(forged.request) - 100
    bytes.write('X', bytes.lastIndexOf(forged.open.path, inside))
    const { exchanges } = decodeExchanges(Buffer.concat([bytes, encodeExchange(exchange(2))]))
    expect(exchanges.map((read) => read.end.seq)).toEqual([2])
  })
})

function encodeAll(all: Parameters<typeof encodeExchange>[0][]): Buffer {
  return Buffer.concat(all.map(encodeExchange))
}
