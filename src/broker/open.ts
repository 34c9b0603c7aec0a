import type { Queue } from 'bullmq'
import { SetupError } from '#lib/errors'
import type { Logger } from '#lib/log'
import { releaser } from '#lib/release'
import type { Broker } from './broker.ts'
import { startConsumer } from './consumer.ts'
import type { Engine } from './engine.ts'
import { BrokerDownError } from './errors.ts'
import type { Flow } from './flow.ts'
import { inspectQueue } from './inspect-queue.ts'
import { openPostgresEngine } from './postgres-engine.ts'
import { asked, createProducer } from './producer.ts'
import { openRedisEngine } from './redis-engine.ts'
import { keepSchedule } from './schedule.ts'

/**
 * The queue engine that the URL names; without one, the database itself. Connects with the first use.
 *
 * `flow` is told of what consumers do. `name` is shown in the engine's list of connections. For the forms of a Redis
 * URL see `redis-address.ts`; `postgres://…` names another database than the record's. Keep away from
 * transaction-mode poolers: workers listen.
 * @throws SetupError when the URL is none of these
 */
export function openBroker(
  queueUrl: string | undefined,
  databaseUrl: string,
  { log, name, flow }: { log: Logger; name: string; flow?: Flow },
): Broker {
  const engine = openEngine(queueUrl ?? databaseUrl, { log, name })
  const stopping = new AbortController()
  const held = releaser((what, error) => log.warn({ what, error }, 'not closed cleanly'))
  const consumers = new Set<{ close(graceMs?: number): Promise<void> }>()
  held.add('queue engine', () => engine.close())
  let closing: Promise<void> | undefined

  return {
    engine: engine.kind,
    producer: (contract) => createProducer(engine, contract),
    consume(contract, handler, options) {
      const consumer = startConsumer(engine, contract, { handler, options, log, flow })
      consumers.add(consumer)
      return consumer
    },
    schedule: (contract, schedule, payload) =>
      keepSchedule(engine, contract, { ...schedule, payload }, stopping.signal),
    async counts(queueName) {
      return await asked(`Count the jobs of ${queueName}`, async () => {
        const queue = await engine.queue(queueName)
        const states = [
          'waiting',
          'prioritized',
          'paused',
          'active',
          'delayed',
          'completed',
          'failed',
        ] as const
        const found = await queue.getJobCounts(...states)
        return {
          waiting: Math.max(found.waiting ?? 0, found.paused ?? 0) + (found.prioritized ?? 0),
          active: found.active ?? 0,
          delayed: found.delayed ?? 0,
          completed: found.completed ?? 0,
          failed: found.failed ?? 0,
        }
      })
    },
    inspect: (queue) => inspectQueue(engine, queue),
    native: (queueName) =>
      asked(`Open ${queueName}`, async () => (await engine.queue(queueName)) as unknown as Queue),
    ping: () => asked('Ping the queue engine', () => engine.ping()),
    async verify() {
      try {
        await engine.verify()
      } catch (error) {
        if (error instanceof SetupError) throw error
        throw new BrokerDownError('Check the queue engine', error)
      }
    },
    close(graceMs) {
      closing ??= close(graceMs)
      return closing
    },
  }

  async function close(graceMs?: number): Promise<void> {
    stopping.abort()
    await Promise.all([...consumers].map((consumer) => consumer.close(graceMs)))
    await held.releaseAll()
  }
}

function openEngine(url: string, options: { log: Logger; name: string }): Engine {
  if (/^postgres(ql)?:/.test(url)) return openPostgresEngine(url, options)
  return openRedisEngine(url, options)
}
