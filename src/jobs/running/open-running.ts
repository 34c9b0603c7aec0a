import { hostname } from 'node:os'
import type { Sql } from 'postgres'
import type { Handler, Producer } from '#broker'
import type { Logger } from '#lib/log'
import type { JobsPayload } from '#queues/jobs'
import type { WebhooksPayload } from '#queues/webhooks'
import { openBulkWork } from '../bulk/work.ts'
import { openAnnouncer } from '../events/announce.ts'
import { openFeeder } from '../feeding/feeder.ts'
import type { Registry } from '../registry.ts'
import { openClock } from '../schedules/clock.ts'
import { openOutbox } from '../webhooks/outbox.ts'
import { openApart } from './apart.ts'
import { openCalls } from './calls.ts'
import { jobsHandler } from './run-job.ts'
import { openUnderway } from './underway.ts'

/** What a process that runs jobs does beside consuming the queue `jobs`. */
export type Running = {
  handler: Handler<JobsPayload>
  /**
   * Before the consumer is closed: hands nothing over any more. What this process gives back then goes to another one
   * at once, rather than to a consumer that is closing, where it would wait until its lock runs out (10 s).
   */
  stopFeeding(): Promise<void>
  /** Once the consumer is closed: waits a moment for what is being written. */
  close(): Promise<void>
}

export type RunningOptions = {
  /** Three connections at least. */
  sql: Sql
  producer: Pick<Producer<JobsPayload>, 'enqueueMany'>
  /** Where the ends of jobs are told from. */
  webhooks: Pick<Producer<WebhooksPayload>, 'enqueueMany'>
  registry: Registry
  gatewayUrl: string
  /** Places for jobs in this process. */
  concurrency: number
  /** Starts a process that calls `serveApart`, with the same kinds. */
  apart: readonly string[]
  log: Logger
}

const windDownMs = 2_000

/** Begins to hand jobs over to the queue engine. What comes back from it is for `handler`. */
export async function openRunning(options: RunningOptions): Promise<Running> {
  const { sql, producer, registry, concurrency, log } = options
  const worker = `${hostname()}-${process.pid}-${crypto.randomUUID().slice(0, 8)}`
  const announcer = openAnnouncer(sql)
  const kinds = registry.kinds.map(({ name }) => name)
  const underway = await openUnderway({ sql, log, worker, kinds, concurrency })
  const calls = openCalls(sql, options.gatewayUrl)
  const feeder = openFeeder({ sql, producer, announcer, log })
  const clock = openClock({ sql, registry, announcer, log })
  const bulk = openBulkWork({ sql, announcer, log })
  const outbox = openOutbox({ sql, producer: options.webhooks, log })
  const handler = jobsHandler({
    ...{ sql, registry, calls, underway, announcer, worker, log },
    apart: openApart({ command: options.apart, log }),
    onEnd: feeder.wake,
  })
  return {
    handler,
    stopFeeding: feeder.stop,
    async close() {
      await Promise.all([clock.stop(), bulk.stop(), outbox.stop(), feeder.stop()])
      await underway.settled(windDownMs)
      await underway.close()
      await announcer.close()
      await calls.close()
    },
  }
}
