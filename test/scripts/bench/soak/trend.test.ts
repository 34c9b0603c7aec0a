import { expect, test } from 'bun:test'
import { leastSquares, trendOf } from '../../../../scripts/bench/soak/trend.ts'

const series = (perMinute: number[]) => ({ name: 'RSS', unit: 'MiB', perMinute, allowedPerHour: 8 })
const noise = (n: number) => [3, -2, 1, -3, 2, -1][n % 6] ?? 0

test('a straight line is found with no error', () => {
  const { slope, error } = leastSquares([1, 3, 5, 7])
  expect(slope).toBeCloseTo(2)
  expect(error).toBeCloseTo(0)
})

test('what rises under noise grows, what is noise alone does not', () => {
  const rising = Array.from({ length: 40 }, (_, n) => 100 + n / 2 + noise(n))
  expect(trendOf(series(rising), 10)).toMatchObject({ grows: true, perHour: expect.closeTo(30, -1) })
  const flat = Array.from({ length: 40 }, (_, n) => 100 + noise(n))
  expect(trendOf(series(flat), 10).grows).toBe(false)
})

test('what rises while it warms up does not count, nor does what too few readings say', () => {
  const warming = Array.from({ length: 40 }, (_, n) => Math.min(n, 10) * 10 + noise(n))
  expect(trendOf(series(warming), 10).grows).toBe(false)
  expect(trendOf(series([1, 50, 100]), 1).grows).toBe(false)
})
