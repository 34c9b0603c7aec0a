import { expect, test } from 'bun:test'
import { backoff } from '../../scripts/start/backoff.ts'

test('each restart waits twice as long as the last, up to half a minute, and anew after ten healthy seconds', () => {
  const next = backoff()
  expect([1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(() => next(9_999))).toEqual([
    100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000,
  ])
  expect([next(10_000), next(50)]).toEqual([100, 200])
})
