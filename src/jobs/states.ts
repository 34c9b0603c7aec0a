export const ended = ['succeeded', 'failed', 'cancelled', 'expired'] as const
export type Ended = (typeof ended)[number]

/**
 * waiting     on other jobs
 * scheduled   for a time to come: its own, or that of a further attempt
 * queued      may run; the feeder takes it
 * admitted    the queue engine has it
 * running     a worker has it
 * succeeded, failed (kept with its reason: the dead letters), cancelled, expired (its ttl was over before it began)
 */
export const states = ['waiting', 'scheduled', 'queued', 'admitted', 'running', ...ended] as const
export type State = (typeof states)[number]

export function isEnded(state: string): state is Ended {
  return (ended as readonly string[]).includes(state)
}
