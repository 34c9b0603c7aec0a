import type { Logger } from '#lib/log'
import { guard } from './guard.ts'
import { memoryStore } from './memory-store.ts'
import { postgresStore } from './postgres-store.ts'
import { redisStore } from './redis-store.ts'
import { type CacheOptions, openResponseCache, type ResponseCache } from './response-cache.ts'
import type { CacheStore } from './store.ts'

export type OpenCacheOptions = Pick<CacheOptions, 'observe' | 'maxAnswerBytes'> & {
  /** Where answers are kept. @default redis where `queueUrl` names one, else postgres */
  kind?: CacheStore['kind'] | undefined
  queueUrl?: string | undefined
  databaseUrl: string
  /** Of all that is kept. @default 256 MiB */
  maxBytes?: number | undefined
  log: Logger
}

/** The cache of this installation. Connects by itself; what it cannot reach it does without. */
export function openCache(options: OpenCacheOptions): ResponseCache {
  const { queueUrl, databaseUrl, log, maxBytes = 256 * 1024 * 1024, ...rest } = options
  const isRedis = queueUrl !== undefined && /^rediss?[:+]/.test(queueUrl)
  const kind = options.kind ?? (isRedis ? 'redis' : 'postgres')
  const store =
    kind === 'memory'
      ? memoryStore({ maxBytes })
      : kind === 'redis'
        ? redisStore({ url: queueUrl ?? '', log, maxBytes })
        : postgresStore({ url: databaseUrl, maxBytes })
  return openResponseCache({ ...rest, store: guard(store, { log }) })
}
