import { errorText } from '#lib/errors'
import type { Logger } from '#lib/log'
import type { CacheStore } from './store.ts'

/** A store that never fails and never keeps anybody waiting. */
export type GuardedStore = Pick<CacheStore, 'kind' | 'durable' | 'close'> & {
  /** Null where it is not there, the store is away, or it takes longer than the patience. */
  get(key: string): Promise<Uint8Array | null>
  /** Resolves when it is there or given up: after the patience at the latest. */
  put(key: string, bytes: Uint8Array, ttlSeconds: number): Promise<void>
}

export type GuardOptions = {
  log: Logger
  /** How long an answer of the store is waited for. @default 40 */
  patienceMs?: number
  /** Calls of the store under way at most; those beyond find nothing. @default 128 */
  atOnce?: number
}

const shortestRestMs = 500
const longestRestMs = 30_000

/**
 * After a failure the store is left alone for a while, twice as long each time, so that an outage costs the
 * patience once and not with each request. Said once in the log, and once when it is over.
 */
export function guard(store: CacheStore, { log, patienceMs = 40, atOnce = 128 }: GuardOptions): GuardedStore {
  let underWay = 0
  let failures = 0
  let restsUntil = 0

  async function ask<Result>(work: () => Promise<Result>, otherwise: Result): Promise<Result> {
    if (underWay >= atOnce || performance.now() < restsUntil) return otherwise
    underWay += 1
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(() => late.reject(new Error(`no answer in ${patienceMs} ms`)), patienceMs)
    const asked = begin(work).finally(() => {
      underWay -= 1
    })
    try {
      const result = await Promise.race([asked, late.promise])
      recovered()
      return result
    } catch (error) {
      asked.catch(() => {})
      failed(error)
      return otherwise
    } finally {
      clearTimeout(timer)
    }
  }

  function failed(error: unknown): void {
    // Several under way at once fail of the same outage.
    if (performance.now() < restsUntil) return
    if (failures === 0)
      log.warn({ store: store.kind, reason: errorText(error) }, 'cache: away, going on without')
    restsUntil = performance.now() + Math.min(longestRestMs, shortestRestMs * 2 ** failures)
    failures += 1
  }

  function recovered(): void {
    if (failures === 0) return
    failures = 0
    log.info({ store: store.kind }, 'cache: back')
  }

  return {
    kind: store.kind,
    durable: store.durable,
    get: (key) => ask(() => store.get(key), null),
    put: (key, bytes, ttlSeconds) => ask(() => store.put(key, bytes, ttlSeconds), undefined),
    close: () => store.close(),
  }
}

async function begin<Result>(work: () => Promise<Result>): Promise<Result> {
  return await work()
}
