import { createPostgresBackend, Queue } from 'bullmq'
import type { Logger } from '#lib/log'
import { settles } from './deadline.ts'
import { type Engine, type InspectedQueue, patienceMs, streams } from './engine.ts'
import { watchOutage } from './outage.ts'
import { openWorker } from './paced-worker.ts'
import { postgresHead, postgresList } from './postgres-heads.ts'
import { openPool } from './postgres-pool.ts'
import { ensureSchema } from './postgres-schema.ts'

/** Two removals at once deadlock, and Postgres takes a second to see it: at most ten a second from here. */
const sweepEveryMs = 100

/** BullMQ on Postgres. A process has two sessions for all its calls, and one a worker to listen on. */
export function openPostgresEngine(url: string, { log, name }: { log: Logger; name: string }): Engine {
  const outage = watchOutage(log, 'postgres')
  const { pool, grow, shrink, end } = openPool(url, { name, outage, connectMs: patienceMs - 500 })
  const queues = new Map<string, Promise<InspectedQueue>>()
  let migrated: Promise<void> | undefined
  const query = (text: string, parameters: unknown[]) => pool.query(text, parameters)

  return {
    kind: 'postgres',
    sweepEveryMs,
    async queue(queueName) {
      await ready()
      const known = queues.get(queueName)
      if (known) return await known
      const opening = openQueue(queueName)
      queues.set(queueName, opening)
      opening.catch(() => queues.delete(queueName))
      return await opening
    },
    async list(queueName, state, page) {
      await ready()
      return await postgresList(query, queueName, { state, ...page })
    },
    async head(queueName, id) {
      await ready()
      return await postgresHead(query, queueName, id)
    },
    async worker(queueName, process, settings) {
      await ready()
      grow()
      try {
        const worker = await openWorker(
          queueName,
          process,
          settings,
          { connection: pool, name },
          createPostgresBackend,
        )
        worker.once('closed', shrink)
        return worker
      } catch (error) {
        shrink()
        throw error
      }
    },
    async ping() {
      await pool.query('select 1')
    },
    verify: ready,
    async close() {
      const open = await Promise.allSettled(queues.values())
      for (const queue of open) if (queue.status === 'fulfilled') await queue.value.close()
      await settles(patienceMs, end())
    },
  }

  /** Tried again by the next call if it fails. */
  async function ready(): Promise<void> {
    migrated ??= ensureSchema(pool).catch((error) => {
      migrated = undefined
      throw error
    })
    await migrated
  }

  async function openQueue(queueName: string): Promise<InspectedQueue> {
    const queue = new Queue(queueName, { connection: pool, streams }, createPostgresBackend)
    queue.on('error', () => {})
    try {
      await queue.waitUntilReady()
      return queue
    } catch (error) {
      // BullMQ remembers a first connection that failed for ever.
      await queue.close().catch(() => {})
      throw error
    }
  }
}
