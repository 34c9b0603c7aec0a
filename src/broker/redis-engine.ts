import { createRedisBackend, Queue } from 'bullmq'
import type { Logger } from '#lib/log'
import { settles } from './deadline.ts'
import { type Engine, type InspectedQueue, patienceMs, streams } from './engine.ts'
import { watchOutage } from './outage.ts'
import { openWorker } from './paced-worker.ts'
import { parseRedisUrl } from './redis-address.ts'
import { verifyRedis } from './redis-check.ts'
import { connectRedis, type RedisConnections, type RedisRole } from './redis-client.ts'
import { redisHeads, redisIds } from './redis-heads.ts'

/**
 * BullMQ on Redis. A process has one connection for all its producers, one for all its workers, and one more a
 * worker to wait on.
 */
export function openRedisEngine(url: string, { log, name }: { log: Logger; name: string }): Engine {
  const address = parseRedisUrl(url)
  const outage = watchOutage(log, 'redis')
  const open = new Map<RedisRole, RedisConnections>()
  const queues = new Map<string, InspectedQueue>()

  return {
    kind: 'redis',
    sweepEveryMs: 0,
    queue,
    async list(queueName, state, page) {
      const ids = await redisIds(await queue(queueName), state, page)
      return await redisHeads(connect('producer').client, `${prefix(queueName)}:${queueName}`, ids)
    },
    async head(queueName, id) {
      const { client, ready } = connect('producer')
      await ready(patienceMs)
      const [found] = await redisHeads(client, `${prefix(queueName)}:${queueName}`, [id])
      return found ?? null
    },
    async worker(queueName, process, settings) {
      const { client, ready } = connect('worker')
      await ready(patienceMs)
      const options = { connection: client, prefix: prefix(queueName), name }
      return await openWorker(queueName, process, settings, options, createRedisBackend)
    },
    async ping() {
      const { client, ready } = connect('producer')
      await ready(patienceMs)
      await client.ping()
    },
    async verify() {
      const { client, ready } = connect('producer')
      await ready(patienceMs)
      await verifyRedis(client, log)
    },
    async close() {
      await settles(patienceMs, Promise.all([...queues.values()].map((queue) => queue.close())))
      for (const connections of open.values()) connections.disconnect()
    },
  }

  async function queue(queueName: string): Promise<InspectedQueue> {
    const { client, ready } = connect('producer')
    await ready(patienceMs)
    const known = queues.get(queueName)
    if (known) return known
    // The version is checked by `verify`: here a lost answer would break this queue for good.
    const options = { connection: client, prefix: prefix(queueName), streams, skipVersionCheck: true }
    const made = new Queue(queueName, options, createRedisBackend)
    made.on('error', outage.down)
    queues.set(queueName, made)
    return made
  }

  function connect(role: RedisRole): RedisConnections {
    const known = open.get(role)
    if (known) return known
    const options = { name: `sluice:${name}:${role}`, outage, commandMs: patienceMs }
    const connections = connectRedis(address, role, options)
    open.set(role, connections)
    return connections
  }
}

/** In braces what a cluster hashes, so that all keys of one queue live on one node, and queues on several. */
function prefix(queueName: string): string {
  return `sluice:{${queueName}}`
}
