import { expect, test } from 'bun:test'
import { agreementOf, groupByWords } from '../../../src/llm/orchestra/agreement.ts'

function groups(...texts: string[]): number[] {
  const voices = texts.map((text, index) => ({ model: String(index), text }))
  return agreementOf(groupByWords(voices)).groups.map(({ models }) => models.length)
}

test('answers agree where their words do, whatever case, marks and fences stand around them', () => {
  expect(groups('Paris', ' paris. ', '**Paris**!')).toEqual([3])
  expect(groups('{"a": 1, "b": 2}', '```json\n{"b":2,"a":1}\n```')).toEqual([2])
  expect(
    groups(
      'The capital of France is the city of Paris, on the river Seine.',
      'The capital of France is the city of Paris, on the Seine.',
    ),
  ).toEqual([2])
})

test('answers differ by a number, by a negation, and by few words', () => {
  expect(groups('Yes', 'No')).toEqual([1, 1])
  expect(groups('3.14', '314', '-3')).toEqual([1, 1, 1])
  expect(
    groups('the change is safe to deploy on this Friday', 'the change is not safe to deploy on this Friday'),
  ).toEqual([1, 1])
  expect(
    groups('it takes about 12 days to get there by train', 'it takes about 21 days to get there by train'),
  ).toEqual([1, 1])
})

test('an agreement needs more than half, or k, and no other group as large', () => {
  const group = (...sizes: number[]) =>
    sizes.map((size, index) => ({ text: String(index), models: Array.from({ length: size }, String) }))
  expect(agreementOf(group(1, 2))).toMatchObject({ reached: true, needed: 2, agreement: 2 / 3 })
  expect(agreementOf(group(2, 2))).toMatchObject({ reached: false, needed: 3 })
  expect(agreementOf(group(2, 2), 2).reached).toBe(false)
  expect(agreementOf(group(2, 1, 1), 2).reached).toBe(true)
  expect(agreementOf([])).toMatchObject({ reached: false, agreement: 0 })
})
