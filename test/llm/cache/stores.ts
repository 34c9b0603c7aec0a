import { expect, test } from 'bun:test'
import type { CacheStore } from '../../../src/llm/cache/store.ts'
import { until } from '../../support/until.ts'

export type OpenedStore = { store: CacheStore; close(): Promise<void> }

/** What every store must do. `open` makes an empty one with that bound. */
export function storeCases(name: string, open: (maxBytes: number) => Promise<OpenedStore>): void {
  const bytes = (size: number, fill: number) => new Uint8Array(size).fill(fill)
  const keyOf = (text: string) => Bun.SHA256.hash(text, 'hex')

  test(`${name}: gives back what was put, byte for byte, and null for what was not`, async () => {
    const { store, close } = await open(1_000_000)
    const every = Uint8Array.from({ length: 256 }, (_, byte) => byte)
    await store.put(keyOf('a'), every, 60)
    expect(Buffer.compare((await store.get(keyOf('a'))) ?? bytes(0, 0), every)).toBe(0)
    expect(await store.get(keyOf('b'))).toBeNull()
    await close()
  })

  test(`${name}: the last put of a key holds`, async () => {
    const { store, close } = await open(1_000_000)
    await store.put(keyOf('a'), bytes(10, 1), 60)
    await store.put(keyOf('a'), bytes(20, 2), 60)
    expect((await store.get(keyOf('a')))?.byteLength).toBe(20)
    await close()
  })

  test(`${name}: forgets what has expired`, async () => {
    const { store, close } = await open(1_000_000)
    await store.put(keyOf('a'), bytes(10, 1), 1)
    expect(await store.get(keyOf('a'))).not.toBeNull()
    await until('it is forgotten', async () => (await store.get(keyOf('a'))) === null)
    await store.sweep()
    await close()
  })

  test(`${name}: stays within its bound, and the newest is there`, async () => {
    const { store, close } = await open(50_000)
    for (let n = 0; n < 30; n++) await store.put(keyOf(`n${n}`), bytes(5_000, n), 60 + n)
    await store.sweep()
    const kept: number[] = []
    for (let n = 0; n < 30; n++) if ((await store.get(keyOf(`n${n}`))) !== null) kept.push(n)
    expect(kept).toContain(29)
    expect(kept.length).toBeGreaterThan(5)
    expect(kept.length).toBeLessThanOrEqual(10)
    await close()
  })

  test(`${name}: what is larger than the bound is not kept, and takes nothing else with it`, async () => {
    const { store, close } = await open(20_000)
    await store.put(keyOf('small'), bytes(100, 1), 60)
    await store.put(keyOf('large'), bytes(30_000, 2), 60)
    expect(await store.get(keyOf('large'))).toBeNull()
    expect(await store.get(keyOf('small'))).not.toBeNull()
    await close()
  })
}
