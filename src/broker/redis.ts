import type { Logger } from '#lib/log'
import { parseRedisUrl } from './redis-address.ts'
import { connectRedis, type RedisClient } from './redis-client.ts'

export type { RedisClient }

/**
 * A connection of its own to the Redis that `QUEUE_URL` names, for something else than jobs. It connects at once,
 * comes back by itself for ever, and its commands reject while Redis is away or past `commandMs`.
 * @throws SetupError when the URL names no Redis
 */
export function openRedis(
  url: string,
  { log, name, commandMs }: { log: Logger; name: string; commandMs: number },
): { client: RedisClient; close(): void } {
  let last: unknown = new Error('not connected')
  const outage = {
    down(error: unknown) {
      last = error
      log.debug({ name, error }, 'redis: no connection')
    },
    closed() {},
    up() {},
    reason: () => last,
  }
  const { client, ready, disconnect } = connectRedis(parseRedisUrl(url), 'producer', {
    name,
    outage,
    commandMs,
  })
  ready(commandMs).catch(() => {})
  return { client, close: disconnect }
}
