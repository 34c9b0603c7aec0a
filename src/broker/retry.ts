import type { JobsOptions } from 'bullmq'
import type { QueueContract, RetryPolicy } from '#queues/queue'

/** The wait before the next try, in ms: doubled each time up to the cap, then between half and all of that. */
export function backoffMs(policy: RetryPolicy, attemptsMade: number, random = Math.random()): number {
  const full = Math.min(policy.backoffMaxMs, policy.backoffMs * 2 ** Math.max(0, attemptsMade - 1))
  return Math.round(full * (0.5 + random / 2))
}

/** What a contract's policies are in BullMQ's terms. The wait itself is worked out by the consumer. */
export function jobOptions(contract: Pick<QueueContract<never>, 'retry' | 'retention'>): JobsOptions {
  const { completed, failed } = contract.retention
  return {
    attempts: contract.retry.attempts,
    backoff: { type: 'contract' },
    removeOnComplete: completed.count === 0 ? true : { count: completed.count, age: completed.ageSeconds },
    removeOnFail: failed.count === 0 ? true : { count: failed.count, age: failed.ageSeconds },
    stackTraceLimit: 3,
  }
}
