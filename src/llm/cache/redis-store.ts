import { openRedis } from '#broker'
import type { Logger } from '#lib/log'
import type { CacheBound, CacheStore } from './store.ts'

/** In braces what a cluster hashes: the books are kept in one script, so all of it lives on one node. */
const prefix = 'sluice:{cache}:'

/**
 * The queue's Redis must not evict, so the cache has to keep itself within its bound. One script puts an entry and
 * keeps the books: `index` by expiry, `sizes` by key, and their sum.
 */
const putScript = `
local index, sizes, total = KEYS[1], KEYS[2], KEYS[3]
local prefix, key, ttl, now, max = ARGV[1], ARGV[2], tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local function forget(one)
  local size = redis.call('HGET', sizes, one)
  if size then redis.call('DECRBY', total, size) end
  redis.call('HDEL', sizes, one)
  redis.call('ZREM', index, one)
  redis.call('UNLINK', prefix .. one)
end
for _, one in ipairs(redis.call('ZRANGEBYSCORE', index, '-inf', now, 'LIMIT', 0, 100)) do forget(one) end
forget(key)
local size = #ARGV[3]
if size > max then return 0 end
redis.call('SET', prefix .. key, ARGV[3], 'EX', ttl)
redis.call('HSET', sizes, key, size)
redis.call('ZADD', index, now + ttl * 1000, key)
local sum = redis.call('INCRBY', total, size)
while sum > max do
  local first = redis.call('ZRANGE', index, 0, 0)[1]
  if not first then redis.call('SET', total, 0) break end
  forget(first)
  sum = tonumber(redis.call('GET', total))
end
return 1`

export type RedisStoreOptions = CacheBound & {
  /** As `QUEUE_URL`. */
  url: string
  log: Logger
}

/** In the Redis of the queues, shared by all gateways. */
export function redisStore({ url, log, maxBytes }: RedisStoreOptions): CacheStore {
  const { client, close } = openRedis(url, { log, name: 'sluice:cache', commandMs: 1_000 })
  const books = [`${prefix}index`, `${prefix}sizes`, `${prefix}total`] as const

  return {
    kind: 'redis',
    durable: true,
    get: (key) => client.getBuffer(`${prefix}e:${key}`),
    async put(key, bytes, ttlSeconds) {
      await client.eval(
        putScript,
        books.length,
        ...books,
        ...[`${prefix}e:`, key, asBuffer(bytes), Math.ceil(ttlSeconds), Date.now(), maxBytes],
      )
    },
    async sweep() {},
    async close() {
      close()
    },
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
