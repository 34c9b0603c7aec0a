import { expect, test } from 'bun:test'
import { planFlow } from '../../../src/jobs/submission/flow.ts'
import { batchItem } from '../../../src/jobs/submission/shapes.ts'

test('a batch in which all wait for the same hundred is planned at once', () => {
  const roots = Array.from({ length: 100 }, (_, n) => ({ kind: 'echo', ref: `r${n}` }))
  const rest = Array.from({ length: 9_900 }, () => ({
    kind: 'echo',
    depends_on: roots.map(({ ref }) => ref),
  }))
  const items = [...roots, ...rest].map((item) => batchItem.parse(item))
  const began = performance.now()
  const { order, errors } = planFlow(items, new Set())
  expect(performance.now() - began).toBeLessThan(3_000)
  expect([order.length, errors.size]).toEqual([10_000, 0])
})
