import { expect, test } from 'bun:test'
import {
  elementsOf,
  memberOf,
  namesOf,
  stringOf,
  withMember,
  withoutMembers,
} from '../../../src/mcp/wire/raw-json.ts'

const odd =
  '{ "name" : "a\\"}]", "big": 12345678901234567890, "n": 1.0, "x": {"name": [1, "]"]}, "name2": null }'

test('a member comes out as its sender wrote it', () => {
  expect(memberOf(odd, 'big')).toBe('12345678901234567890')
  expect(memberOf(odd, 'n')).toBe('1.0')
  expect(memberOf(odd, 'x')).toBe('{"name": [1, "]"]}')
  expect(memberOf(odd, 'none')).toBeNull()
  expect(stringOf(odd, 'name')).toBe('a"}]')
  expect(stringOf(odd, 'big')).toBeNull()
  expect(namesOf(odd)).toEqual(['name', 'big', 'n', 'x', 'name2'])
})

test('of a member given twice the last counts, and an escaped key is the same key', () => {
  expect(memberOf('{"a":1,"a":2}', 'a')).toBe('2')
  expect(memberOf('{"\\u0061":1}', 'a')).toBe('1')
})

test('setting a member leaves every other byte alone', () => {
  expect(withMember(odd, 'name', '"b"')).toBe(odd.replace('"a\\"}]"', '"b"'))
  expect(withMember('{}', 'a', '1')).toBe('{"a":1}')
  expect(withMember(' { "b" : 2 } ', 'a', '1')).toBe(' { "b" : 2,"a":1} ')
  expect(withMember('{"a":1,"b":0,"a":2}', 'a', '3')).toBe('{"a":3,"b":0,"a":3}')
})

test('members are taken out wherever they stand', () => {
  expect(withoutMembers('{"a":1,"b":{"a":2},"c":3}', ['a', 'c'])).toBe('{"b":{"a":2}}')
  expect(withoutMembers('{"a":1}', ['a'])).toBe('{}')
  expect(withoutMembers(odd, ['none'])).toBe(odd)
})

test('an array comes apart into its elements', () => {
  expect(elementsOf(' [ {"a":[1,2]} , "x,]" ,3.0 ] ')).toEqual(['{"a":[1,2]}', '"x,]"', '3.0'])
  expect(elementsOf('[]')).toEqual([])
  expect(elementsOf('{"a":1}')).toEqual([])
})

test('what is no JSON gives nothing, and never throws', () => {
  for (const text of ['', '{', '[', '{"a"', '{"a":', '[1,', '"', '{"a":}', '{,}', '[,]', 'null', '{"a":"'])
    expect([memberOf(text, 'b'), withoutMembers(text, ['b']).length, elementsOf(text).length < 3]).toEqual([
      null,
      text.length,
      true,
    ])
})

test('what is put together again parses as the same', () => {
  const random = (limit: number) => Math.floor(Math.random() * limit)
  const value = (depth: number): unknown => {
    const kinds = [
      () => random(1e9) / 7,
      () => ['"', '\\', '}]', 'é\u2028', '\n'][random(5)],
      () => null,
      () => Object.fromEntries(Array.from({ length: random(4) }, (_, at) => [`k${at}"`, value(depth - 1)])),
      () => Array.from({ length: random(4) }, () => value(depth - 1)),
    ]
    return kinds[random(depth > 0 ? kinds.length : 3)]?.()
  }
  for (let round = 0; round < 500; round += 1) {
    const object = { a: value(3), 'b\\': value(3), c: [value(2), value(2)] }
    const raw = JSON.stringify(object, null, random(3))
    expect(JSON.parse(withMember(raw, 'd', '1'))).toEqual({ ...object, d: 1 })
    expect(JSON.parse(memberOf(raw, 'b\\') ?? '')).toEqual(object['b\\'])
    expect(elementsOf(memberOf(raw, 'c') ?? '').map((one) => JSON.parse(one))).toEqual(object.c)
    expect(JSON.parse(withoutMembers(raw, ['a', 'c']))).toEqual({ 'b\\': object['b\\'] })
  }
})
