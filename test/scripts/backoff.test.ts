import { expect, test } from 'bun:test'
import { backoff } from '../../scripts/start/backoff.ts'

test('each restart waits twice as long as the last, up to half a minute, and anew after a healthy minute', () => {
  const next = backoff()
  expect([1, 2, 3, 4, 5, 6, 7, 8].map(() => next(100))).toEqual([
    500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000,
  ])
  expect(next(60_000)).toBe(500)
})
