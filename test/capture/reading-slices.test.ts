import { describe, expect, test } from 'bun:test'
import { newestFirst, type Slice } from '../../src/capture/reading/newest-first.ts'
import { oldestFirst } from '../../src/capture/reading/oldest-first.ts'
import { nextEdge, pieces } from '../../src/capture/reading/slices.ts'

const hour = 3_600_000
const day = 24 * hour
const now = Math.floor(Date.now() / day) * day + 13.5 * hour

describe('reading newest first', () => {
  /** Rows are times; the fetch is as a table would answer. */
  const table = (times: number[], seen: Slice[] = []) => {
    const sorted = times.toSorted((a, b) => b - a)
    return async (slice: Slice) => {
      seen.push(slice)
      const { from = -Infinity, before = Infinity } = slice
      return sorted.filter((time) => time >= from && time < before).slice(0, slice.limit)
    }
  }

  test('gives every row once, however they lie', async () => {
    for (const step of [minutes(7), 3 * hour, 5 * day, 50 * day]) {
      const times = Array.from({ length: 60 }, (_, n) => now - n * step)
      const found: number[] = []
      for (let until: number | undefined = now + 1; until !== undefined; ) {
        const { rows }: { rows: number[] } = await newestFirst(
          { since: undefined, until, limit: 7 },
          table(times),
        )
        found.push(...rows)
        until = rows.length === 7 ? rows.at(-1) : undefined
      }
      expect(found).toEqual(times)
    }
  })

  test('reads neither before nor after what is asked', async () => {
    const times = Array.from({ length: 100 }, (_, n) => now - n * hour)
    const options = { since: now - 50 * hour, until: now - 10 * hour, limit: 100 }
    const { rows, reached } = await newestFirst(options, table(times))
    expect(rows).toEqual(times.slice(11, 51))
    expect(reached).toBeNull()
  })

  test('R12: stops at its budget and says where', async () => {
    const seen: Slice[] = []
    const read = table([], seen)
    const slow = async (slice: Slice) => {
      for (const end = performance.now() + 4; performance.now() < end; );
      return await read(slice)
    }
    const options = { since: undefined, until: now, limit: 5, budgetMs: 10 }
    const { rows, reached } = await newestFirst(options, slow)
    expect(rows).toEqual([])
    expect(reached).toBe(seen.at(-1)?.from ?? 0)
    expect(seen.length).toBeLessThan(4)
  })

  test('where everything begins is asked once, and nothing is read before it', async () => {
    const seen: Slice[] = []
    let asked = 0
    const oldest = async () => {
      asked++
      return now - 40 * day
    }
    const times = [now - 39 * day, now - 2 * day]
    const { rows, reached } = await newestFirst(
      { since: undefined, until: now, limit: 5, oldest },
      table(times, seen),
    )
    expect(rows).toEqual([now - 2 * day, now - 39 * day])
    expect({ reached, asked, from: seen.at(-1)?.from }).toEqual({
      reached: null,
      asked: 1,
      from: now - 40 * day,
    })
    const none = await newestFirst(
      { since: undefined, until: now, limit: 5, oldest: async () => null },
      table([], seen),
    )
    expect(none).toEqual({ rows: [], reached: null })
  })

  test('a full page ends the reading', async () => {
    const seen: Slice[] = []
    await newestFirst({ since: undefined, until: now, limit: 2 }, table([now - 1, now - 2, now - 3], seen))
    expect(seen.length).toBe(1)
  })
})

describe('slices', () => {
  test('stay within a day, or begin at the start of one', () => {
    expect(nextEdge(now, hour)).toBe(now - hour)
    expect(nextEdge(now, 20 * hour)).toBe(now - 13.5 * hour)
    expect(nextEdge(now - 13.5 * hour, 2 * day)).toBe(now - 13.5 * hour - 2 * day)
    expect(nextEdge(now - 500 * day, day)).toBeNull()
  })

  test('fall into days, newest first, that cover them', () => {
    const start = now - 13.5 * hour
    expect(pieces({ from: start - 2 * day, before: now })).toEqual([
      { from: start, before: now },
      { from: start - day, before: start },
      { from: start - 2 * day, before: start - day },
    ])
    expect(pieces({ from: start - day, before: start })).toEqual([{ from: start - day, before: start }])
    expect(pieces({ from: now - 2, before: now - 1 })).toEqual([{ from: now - 2, before: now - 1 }])
    expect(pieces({ from: undefined, before: now })).toEqual([{ from: undefined, before: now }])
    const far = pieces({ from: start - 5_000 * day, before: now })
    expect(far.length).toBeLessThan(40)
    expect(far.at(-1)?.from).toBe(start - 5_000 * day)
  })
})

test('windows of an export cover the range, wider while reading is quick', () => {
  const windows = oldestFirst({ since: now - 30 * day, until: now })
  const found = []
  for (let next = windows.next(); !next.done; next = windows.next(10)) found.push(next.value)
  expect(found[0]?.since).toBe(now - 30 * day)
  expect(found.at(-1)?.until).toBe(now)
  expect(found.length).toBeLessThan(8)
  for (const [n, { since }] of found.entries()) if (n > 0) expect(since).toBe(found[n - 1]?.until ?? 0)
  const slow = oldestFirst({ since: 0, until: day })
  slow.next()
  const second = slow.next(5_000).value
  expect(second).toEqual({ since: hour, until: hour + hour / 4 })
})

function minutes(n: number): number {
  return n * 60_000
}
