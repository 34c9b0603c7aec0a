import { describe, expect, test } from 'bun:test'
import { inOrder } from '../../../src/llm/routing/order.ts'

/** Repeatable chance: mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

const one = { name: 'one', weight: 7, priority: 0 }
const two = { name: 'two', weight: 2, priority: 0 }
const three = { name: 'three', weight: 1, priority: 0 }
const spare = { name: 'spare', weight: 1_000, priority: 1 }

describe('the order of candidates', () => {
  test('is drawn by weight', () => {
    const random = seeded(42)
    const first: Record<string, number> = {}
    for (let n = 0; n < 10_000; n += 1) {
      const [winner] = inOrder([one, two, three], { busy: null, random })
      first[winner?.name ?? ''] = (first[winner?.name ?? ''] ?? 0) + 1
    }
    expect(first.one).toBeWithin(6_800, 7_200)
    expect(first.two).toBeWithin(1_850, 2_150)
    expect(first.three).toBeWithin(900, 1_100)
  })

  test('has all of them, and a higher priority first whatever the weight', () => {
    const random = seeded(7)
    for (let n = 0; n < 200; n += 1) {
      const order = inOrder([spare, three, one, two], { busy: null, random })
      expect(new Set(order).size).toBe(4)
      expect(order.at(-1)).toBe(spare)
    }
  })

  test('is by calls under way for the weight, where the least busy is wanted', () => {
    const busy = new Map([
      [one, 7],
      [two, 1],
      [three, 0],
    ])
    const load = (candidate: typeof one) => busy.get(candidate) ?? 0
    expect(inOrder([one, two, three], { busy: load, random: seeded(1) })).toEqual([three, two, one])
    busy.set(three, 1)
    expect(inOrder([one, two, three], { busy: load, random: seeded(1) })[0]).toBe(two)
  })
})
