/** Plain bytes of stored contents by exchange id, the least recently used given up first. */
export type PlainCache = {
  get(id: string): Uint8Array | undefined
  set(id: string, plain: Uint8Array): void
  has(id: string): boolean
  clear(): void
}

/** Larger contents are not worth a quarter of the cache. */
const largestShare = 4

export function plainCache(maxBytes: number): PlainCache {
  const held = new Map<string, Uint8Array>()
  let bytes = 0

  function forget(id: string): void {
    bytes -= held.get(id)?.length ?? 0
    held.delete(id)
  }

  return {
    get(id) {
      const plain = held.get(id)
      if (plain === undefined) return undefined
      held.delete(id)
      held.set(id, plain)
      return plain
    },
    set(id, plain) {
      forget(id)
      if (plain.length > maxBytes / largestShare) return
      held.set(id, plain)
      bytes += plain.length
      for (const oldest of held.keys()) {
        if (bytes <= maxBytes) break
        forget(oldest)
      }
    },
    has: (id) => held.has(id),
    clear() {
      held.clear()
      bytes = 0
    },
  }
}
