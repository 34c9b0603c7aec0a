import type { QueueContract } from '#queues/queue'

/**
 * The queue engine of this process: BullMQ on Redis or on Postgres, by URL, same behaviour.
 *
 * Connections are opened lazily, few and shared. Whatever is thrown or returned by a handler is sanitised
 * before the engine sees it.
 */
export type Broker = {
  engine: 'redis' | 'postgres'
  producer<Payload>(contract: QueueContract<Payload>): Producer<Payload>
  consume<Payload>(
    contract: QueueContract<Payload>,
    handler: Handler<Payload>,
    options: ConsumeOptions,
  ): Consumer
  /** Counts by state, for metrics and dashboards. Rejects within 2 s while the engine is down. */
  counts(queue: string): Promise<QueueCounts>
  /** Resolves when a round trip to the engine worked. @throws BrokerDownError within 2 s otherwise */
  ping(): Promise<void>
  /** Stops consumers first (waiting for running jobs up to `graceMs`), then producers, then connections. */
  close(graceMs?: number): Promise<void>
}

export type Producer<Payload> = {
  /**
   * Resolves when the engine has the job. A job whose id the engine still knows is not added twice.
   * @throws BrokerDownError within 2 s (a command's time limit) while the engine is down: never hangs
   */
  enqueue(payload: Payload, options: { id: string; name?: string }): Promise<void>
}

export type Handler<Payload> = (payload: Payload, job: JobContext) => Promise<unknown>

export type JobContext = {
  id: string
  /** From 1. */
  attempt: number
  /** Aborted when the process must stop before the job is done, or the job was lost to another worker. */
  signal: AbortSignal
}

export type ConsumeOptions = {
  /** @default 1 */
  concurrency?: number
  /** Told about a job that failed for good, or an error of the engine itself. */
  onError: (error: unknown, job: { id: string; attempt: number; final: boolean } | null) => void
}

export type Consumer = {
  /** Takes no new job; resolves when the running ones are done, or have been handed back after `graceMs`. */
  close(graceMs?: number): Promise<void>
}

export type QueueCounts = {
  waiting: number
  active: number
  delayed: number
  completed: number
  failed: number
}
