import { expect, test } from 'bun:test'
import { parseExactly } from '#lib/exact-json'

const wrong = (text: string) => parseExactly(text).inexact.map(({ pointer }) => pointer)

test('an integer that a double cannot hold is found, with its path', () => {
  expect(wrong('9007199254740993')).toEqual([''])
  expect(wrong('{"a":[1,{"b/c~":[12345678901234567890,-9007199254740995]}],"id": 9007199254740993}')).toEqual(
    ['/id', '/a/1/b~1c~0/0', '/a/1/b~1c~0/1'],
  )
  expect(wrong('[1e400,-1E+999]')).toEqual(['/0', '/1'])
})

test('what is kept as it is, or is no number, passes', () => {
  for (const text of [
    '[9007199254740992,9007199254740991,-9007199254740992,100000000000000000000,1e22,0.1,1.2345678901234567890]',
    '{"s":"12345678901234567890","t":": 12345678901234567890","u":"\\" 12345678901234567890"," 12345678901234567890":1}',
    'null',
  ])
    expect([wrong(text), parseExactly(text).value]).toEqual([[], JSON.parse(text)])
})

test('what is no JSON is an error, however it looks', () => {
  for (const text of ['[1e4000e]', '{"a": 12345678901234567890', '12345678901234567890 "'])
    expect(() => parseExactly(text)).toThrow(SyntaxError)
})

test('as many of them as fit into a body are found in time', () => {
  const text = `[${'12345678901234567890,'.repeat(400_000)}0]`
  const from = performance.now()
  expect(wrong(text).length).toBe(400_000)
  expect(performance.now() - from).toBeLessThan(5_000)
})

test('strings of megabytes, with quotes in them, hide none of them', () => {
  for (const part of ['x\\"', '\\\\', '\\\\\\"', 'plain'])
    expect(wrong(`{"s":"${part.repeat(2_000_000)}","n":12345678901234567891}`)).toEqual(['/n'])
})
