import { expect, test } from 'bun:test'
import { type Backlog, forecast, remember } from '../../src/dashboard/queues/forecast.ts'
import { watchIdle } from '../../src/dashboard/queues/idle.ts'
import { warningsOf } from '../../src/dashboard/queues/warnings.ts'

const minute = 60_000

test('a backlog that shrinks says when it is gone; one that grows or stands still does not', () => {
  const at = (...sizes: number[]): Backlog[] => sizes.map((size, n) => ({ at: n * minute, size }))
  expect(forecast(at(1_000, 900, 800))).toEqual({ trend: 'draining', drains_in_s: 480 })
  expect(forecast(at(100, 200))).toEqual({ trend: 'growing', drains_in_s: null })
  expect(forecast(at(100_000, 99_999))).toEqual({ trend: 'steady', drains_in_s: null })
  expect(forecast(at(10, 0))).toEqual({ trend: 'idle', drains_in_s: null })
  expect(forecast([])).toEqual({ trend: 'idle', drains_in_s: null })
  expect(
    forecast([
      { at: 0, size: 10 },
      { at: 1_000, size: 9 },
    ]),
  ).toMatchObject({ drains_in_s: null })
})

test('of a backlog five minutes are remembered', () => {
  const history: Backlog[] = []
  for (let n = 0; n < 20; n += 1) remember(history, n, n * minute)
  expect(history.map(({ size }) => size)).toEqual([14, 15, 16, 17, 18, 19])
})

test('Q2: a worker that takes nothing for half a minute beside a backlog is named; a busy or a new one is not', () => {
  let now = 0
  const idle = watchIdle(() => now)
  const worker = {
    ...{ id: 'w', queue: 'q', process: 'worker q', host: 'h', pid: 1, concurrency: 2 },
    ...{ running: 0, begun: 5, started_at: '', seen_at: '' },
  }
  const judged = (change: Partial<typeof worker>, backlog = true) =>
    idle({ ...worker, ...change }, backlog).idle_beside_backlog
  expect(judged({})).toBe(false)
  now = 29_000
  expect(judged({})).toBe(false)
  now = 31_000
  expect(judged({})).toBe(true)
  expect(judged({ begun: 6 })).toBe(false)
  now = 70_000
  expect(judged({ begun: 6, running: 1 })).toBe(false)
  now = 110_000
  expect(judged({ begun: 6 }, false)).toBe(false)
})

test('warnings come only where something is wrong', () => {
  const queue = {
    ...{ name: 'q', up: true, paused: false, concurrency: null, trend: 'steady' as const },
    counts: { waiting: 0, active: 0, delayed: 0, completed: 5, failed: 1 },
    workers: [],
    flow: null,
  }
  const codes = (change: Partial<Parameters<typeof warningsOf>[0]>) =>
    warningsOf({ ...queue, ...change }).map(({ code }) => code)
  const waiting = { ...queue.counts, waiting: 2_000 }
  const none = { p50: null, p95: null, p99: null }
  const flow = { per_minute: 1, done: 5, failed: 5, retried: 0, wait: none, run: none }
  expect(codes({})).toEqual([])
  expect(codes({ counts: waiting, paused: true })).toEqual([])
  expect(codes({ counts: waiting })).toEqual(['no-workers'])
  expect(codes({ counts: waiting, trend: 'growing' })).toEqual(['no-workers', 'backlog-grows'])
  expect(codes({ flow })).toEqual(['failing'])
  expect(codes({ flow: { ...flow, done: 6 } })).toEqual([])
  expect(codes({ up: false, counts: waiting })).toEqual(['engine-down'])
})
