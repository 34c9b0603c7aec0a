import type { Queue } from 'bullmq'
import type { QueueContract } from '#queues/queue'
import type { Inspector } from './inspect.ts'

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
  /**
   * Has a job made every `everyMs`, the first at once, one for all processes that ask for the same id. Resolves when
   * the engine knows, which may take as long as it is down, or when the broker is closed: not for a request's path.
   * Asked again, for example by the next process, it changes nothing but the payload.
   */
  schedule<Payload>(contract: QueueContract<Payload>, schedule: Schedule, payload: Payload): Promise<void>
  /** Counts by state, for metrics and dashboards. Rejects within 2 s while the engine is down. */
  counts(queue: string): Promise<QueueCounts>
  inspect(queue: Pick<QueueContract<never>, 'name' | 'opaque'>): Inspector
  /** BullMQ's own object, for tools that know it. @throws BrokerDownError */
  native(queue: string): Promise<Queue>
  /** Resolves when a round trip to the engine worked. @throws BrokerDownError within 2 s otherwise */
  ping(): Promise<void>
  /**
   * For the start of a process: is this an engine that keeps jobs? Also prepares Postgres for BullMQ.
   * @throws SetupError when the engine would lose jobs (Redis that evicts keys) or cannot work (too old)
   * @throws BrokerDownError when it cannot be reached: no reason for a gateway not to start
   */
  verify(): Promise<void>
  /** Stops consumers first (waiting for running jobs up to `graceMs`), then producers, then connections. */
  close(graceMs?: number): Promise<void>
}

export type Producer<Payload> = {
  /**
   * Resolves when the engine has the job. A job whose id the engine still knows is not added twice.
   * @throws BrokerDownError within 2 s (a command's time limit) while the engine is down: never hangs
   */
  enqueue(payload: Payload, options: EnqueueOptions): Promise<void>
  /** As `enqueue` for each, in few round trips. Where it rejects, some may have been taken. */
  enqueueMany(jobs: readonly (EnqueueOptions & { payload: Payload })[]): Promise<void>
}

export type EnqueueOptions = {
  /** Without a colon. */
  id: string
  /** @default the queue's name */
  name?: string
  /** Since when it has waited, in ms since the epoch. @default now */
  timestamp?: number
}

export type Schedule = {
  /** Without a colon. */
  id: string
  everyMs: number
}

/**
 * Does a job's work. What it throws makes a retry by the contract's policy, a `FinalJobError` none. Its result, up to
 * 64 K characters of JSON, is kept with the job for people to look at.
 *
 * A job comes at least once: its worker may die after the work and before the engine knew.
 */
export type Handler<Payload> = (payload: Payload, job: JobContext) => Promise<unknown>

export type JobContext = {
  id: string
  /** From 1. A try that was cut off by a crash or handed back does not count. */
  attempt: number
  /** Aborted when the process must stop before the job is done, or the job was lost to another worker. */
  signal: AbortSignal
  /** For a handler that sees to failures itself: how the job went, where it is not as its return says. */
  judge?: (outcome: 'done' | 'failed' | 'retried') => void
}

export type ConsumeOptions = {
  /** @default 1 */
  concurrency?: number
  /** Told about each try that failed (`final`: there will be no other), and, with null, of the engine's own errors. */
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
