/**
 * A queue as people look at it and act on it. The same on both engines; everything rejects within 2 s with a
 * BrokerDownError while the engine is down.
 */
export type Inspector = {
  overview(): Promise<QueueOverview>
  /**
   * Jobs of one state, without what they carry, so that a page of a queue of large jobs is small. Those that will run
   * come in the order in which they will, those that have ended latest first.
   */
  jobs(state: EngineState, page: { start: number; count: number }): Promise<EngineJob[]>
  /** Null where the engine does not know it, or no more. */
  job(id: string): Promise<EngineJobDetail | null>
  /** A failed job runs again. @throws SluiceError 404, 409 `wrong-state` */
  retry(id: string): Promise<void>
  /** A delayed job runs now. @throws SluiceError 404, 409 `wrong-state` */
  promote(id: string): Promise<void>
  /** @throws SluiceError 404, 409 `wrong-state` where a worker has it */
  remove(id: string): Promise<void>
  /** Workers take no new job, in any process, until `resume`. */
  pause(): Promise<void>
  resume(): Promise<void>
  /** Removes all that waits. @returns how many, as far as that can be told */
  drain(options: { delayed: boolean }): Promise<number>
  /** Jobs that run at once over all workers; null: as many as the workers take. */
  limitConcurrency(most: number | null): Promise<void>
  /** Jobs begun over all workers in that time; null: no limit. */
  limitRate(rate: Rate | null): Promise<void>
}

export type Rate = { max: number; per_ms: number }

export const engineStates = ['waiting', 'active', 'delayed', 'completed', 'failed'] as const
export type EngineState = (typeof engineStates)[number]

export type QueueOverview = Record<EngineState, number> & {
  paused: boolean
  concurrency: number | null
  rate: Rate | null
}

/** Times in ms since the epoch. */
export type EngineJob = {
  id: string
  name: string
  added_at: number
  /** Of a delayed job: when it will be due. */
  due_at: number | null
  started_at: number | null
  ended_at: number | null
  attempts: number
  attempts_most: number
  error: string | null
  data_bytes: number
}

export type EngineJobDetail = EngineJob & {
  state: EngineState | 'unknown'
  /** JSON, cut where it is long; null where the queue's contract calls it opaque. */
  data: string | null
  result: string | null
  stack: string[]
  logs: string[]
}
