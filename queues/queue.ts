import type { z } from 'zod'

/**
 * The contract of one queue: everything that its producers and consumers, which may be of different
 * releases, must agree on. Pure data, so that any process can import it.
 *
 * Fields of a payload are only ever added, and as optional, while jobs of the last release may be in flight.
 */
export type QueueContract<Payload> = {
  name: string
  /**
   * Checked where a job leaves the queue, never where it enters: producers are ours and are hot. A plain `z.object`
   * passes over fields it does not know; a strict one would fail the jobs of a later release.
   */
  payload: z.ZodType<Payload>
  /** What a job carries is for its consumer alone: never shown to people. */
  opaque?: boolean
  retry: RetryPolicy
  retention: Retention
}

export type RetryPolicy = {
  /** Tries in all, the first included. */
  attempts: number
  /** The first wait in ms; doubled at each further try up to `backoffMaxMs`, with jitter. */
  backoffMs: number
  backoffMaxMs: number
}

/** How many finished jobs are kept, and for how long: about, since only a job that finishes removes older ones. */
export type Retention = {
  completed: { count: number; ageSeconds: number }
  failed: { count: number; ageSeconds: number }
}

export function defineQueue<Payload>(contract: QueueContract<Payload>): QueueContract<Payload> {
  return contract
}
