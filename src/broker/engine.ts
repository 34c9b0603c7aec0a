import type { Job, JobsOptions, JobType, Processor } from 'bullmq'
import type { EngineJob, EngineState } from './inspect.ts'

/**
 * What differs between the engines: how to connect, and what to check. Everything else is BullMQ's and ours, and
 * the same for both.
 */
export type Engine = {
  kind: 'redis' | 'postgres'
  /** The least time between two removals of finished jobs by one consumer. */
  sweepEveryMs: number
  /** The producers' end of a queue, one object a name, kept. Rejects within `patienceMs` while the engine is down. */
  queue(name: string): Promise<InspectedQueue>
  /** Jobs without what they carry, by state and in the order in which they run or, latest first, ended. */
  list(queueName: string, state: EngineState, page: { start: number; count: number }): Promise<EngineJob[]>
  /** One of them; null where it is no more. */
  head(queueName: string, id: string): Promise<EngineJob | null>
  /** A connected worker that has not begun to take jobs. Rejects while the engine is down. */
  worker(name: string, process: Processor<unknown, unknown>, settings: WorkerSettings): Promise<JobWorker>
  /** One round trip. */
  ping(): Promise<void>
  /** @throws SetupError when the engine is one that would lose jobs or cannot work */
  verify(): Promise<void>
  /** Cuts every connection. Queues and workers are closed before. */
  close(): Promise<void>
}

/** How long a producer's call may take, in ms. */
export const patienceMs = 2_000

export type JobQueue = {
  add(name: string, data: unknown, options: JobsOptions): Promise<unknown>
  addBulk(jobs: { name: string; data: unknown; opts: JobsOptions }[]): Promise<unknown>
  /** `paused` is what Postgres calls waiting jobs of a paused queue. */
  getJobCounts(...states: (JobType | 'paused')[]): Promise<Record<string, number>>
  isPaused(): Promise<boolean>
  upsertJobScheduler(
    id: string,
    repeat: { every: number },
    template: { name: string; data: unknown; opts: JobsOptions },
  ): Promise<unknown>
  close(): Promise<void>
}

/** What `inspect-queue.ts` needs on top. */
export type InspectedQueue = JobQueue & {
  getRanges(types: ListedState[], start?: number, end?: number, asc?: boolean): Promise<string[]>
  getMeta(): Promise<{ paused?: boolean; concurrency?: number; max?: number; duration?: number }>
  getJobState(id: string): Promise<string>
  getJob(id: string): Promise<Job | undefined>
  getJobLogs(id: string, start?: number, end?: number): Promise<{ logs: string[] }>
  pause(): Promise<void>
  resume(): Promise<void>
  drain(delayed?: boolean): Promise<void>
  setGlobalConcurrency(most: number): Promise<unknown>
  removeGlobalConcurrency(): Promise<unknown>
  setGlobalRateLimit(max: number, duration: number): Promise<unknown>
  removeGlobalRateLimit(): Promise<unknown>
}

type ListedState = 'waiting' | 'prioritized' | 'active' | 'delayed' | 'completed' | 'failed'

export type JobWorker = {
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'lockRenewalFailed', listener: (ids: string[]) => void): unknown
  on(event: 'failed', listener: (job: FailedJob | undefined, error: Error) => void): unknown
  run(): Promise<void>
  close(force?: boolean): Promise<void>
  disconnect(): Promise<void>
}

export type FailedJob = { id?: string; attemptsMade: number; deferredFailure?: string }

export type WorkerSettings = {
  concurrency: number
  backoff: (attemptsMade: number) => number
}

/**
 * A worker that died is noticed when its lock has run out and the next check passes: at most 12.5 s, and a little.
 * BullMQ's defaults make that a minute. `maxStalledCount` is high because a crash is not the job's fault, and finite
 * because it may be.
 */
export const stalling = { lockDuration: 10_000, stalledInterval: 2_500, maxStalledCount: 100 } as const

/** Between tries of BullMQ's own loop while it cannot reach the engine; its default is 15 s. */
export const runRetryDelay = 500

/** Events kept a queue, for live views; BullMQ keeps 10,000. */
export const streams = { events: { maxLen: 1_000 } } as const
