import type { CacheBound, CacheStore } from './store.ts'

type Kept = { bytes: Uint8Array; expiresAt: number }

/** What a key and its place in the map weigh, about. */
const overhead = 200

/** In this process alone: what was used longest ago goes first. `time` in ms. */
export function memoryStore({ maxBytes }: CacheBound, time: () => number = Date.now): CacheStore {
  const kept = new Map<string, Kept>()
  let size = 0

  function drop(key: string, { bytes }: Kept): void {
    kept.delete(key)
    size -= bytes.byteLength + overhead
  }

  return {
    kind: 'memory',
    durable: false,
    async get(key) {
      const found = kept.get(key)
      if (found === undefined) return null
      if (found.expiresAt <= time()) {
        drop(key, found)
        return null
      }
      kept.delete(key)
      kept.set(key, found)
      return found.bytes
    },
    async put(key, bytes, ttlSeconds) {
      const before = kept.get(key)
      if (before !== undefined) drop(key, before)
      if (bytes.byteLength + overhead > maxBytes) return
      kept.set(key, { bytes, expiresAt: time() + ttlSeconds * 1000 })
      size += bytes.byteLength + overhead
      for (const [oldest, entry] of kept) {
        if (size <= maxBytes) break
        drop(oldest, entry)
      }
    },
    async sweep() {
      const now = time()
      for (const [key, entry] of kept) if (entry.expiresAt <= now) drop(key, entry)
    },
    async close() {
      kept.clear()
      size = 0
    },
  }
}
