import { expect, test } from 'bun:test'
import zlib from 'node:zlib'
import { slices } from '../../../src/capture/storing/slices.ts'
import { until } from '../../support/until.ts'
import { bytes, spoolIn, storeIn } from './opening.ts'
import { record, scratch } from './support.ts'

const mebibyte = 1024 * 1024

test('R14: a thousand full prompts travel in batches of at most one mebibyte', async () => {
  const dir = scratch()
  const store = storeIn(dir)
  const sizes: number[] = []
  const producer: typeof store.producer = {
    async enqueue(payload, options) {
      sizes.push(zlib.zstdDecompressSync(Buffer.from(payload.frames, 'base64')).length)
      await store.producer.enqueue(payload, options)
    },
  }
  const spool = await spoolIn(dir, store, { producer })
  for (let seed = 0; seed < 1_000; seed++) record(spool, bytes(75_000, seed), bytes(500, seed))
  await until('all are stored', () => spool.ledger().stored === 1_000)
  await spool.close()
  expect(sizes.length).toBeGreaterThan(70)
  expect(Math.max(...sizes)).toBeLessThanOrEqual(mebibyte)
}, 60_000)

test('R14: a statement takes at most a thousand rows, and four mebibytes unless one row alone has more', () => {
  const rows = [...Array<number>(2_500).fill(10), ...Array<number>(20).fill(mebibyte), 9 * mebibyte, 1]
  const groups = [...slices(rows, (size) => size)]
  expect(groups.flat()).toEqual(rows)
  for (const group of groups) {
    expect(group.length).toBeLessThanOrEqual(1_000)
    const size = group.reduce((sum, one) => sum + one, 0)
    expect(group.length === 1 || size <= 4 * mebibyte).toBe(true)
  }
})
