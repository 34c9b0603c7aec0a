/**
 * Where cached answers are kept, for as long as they live. Keys are sha256 in hex; what is kept is opaque.
 *
 * Any function may reject while the store is away; who uses it goes through `guard`, which turns that into "not
 * there". A store is bounded: past its bound it forgets what would expire first, or was used longest ago.
 */
export type CacheStore = {
  kind: 'memory' | 'redis' | 'postgres'
  /** Does what is put here leave this process's memory? */
  durable: boolean
  /** Null where it is not there, or not any more. */
  get(key: string): Promise<Uint8Array | null>
  put(key: string, bytes: Uint8Array, ttlSeconds: number): Promise<void>
  /** Removes what has expired and what is past the bound, where that does not come by itself. */
  sweep(): Promise<void>
  close(): Promise<void>
}

export type CacheBound = {
  /** Bytes at most, as they are kept. */
  maxBytes: number
}
