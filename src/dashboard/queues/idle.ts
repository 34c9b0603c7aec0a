import type { WorkerSeen } from '#broker'
import type { WorkerView } from './view.ts'

const idleForMs = 30_000

/** Finds workers that take nothing although there is something to take: by what they have begun, over half a minute. */
export type IdleWatch = (worker: WorkerSeen, backlog: boolean) => WorkerView

export function watchIdle(now: () => number = Date.now): IdleWatch {
  const since = new Map<string, { begun: number; at: number; seenAt: number }>()
  return (worker, backlog) => {
    const at = now()
    for (const [id, { seenAt }] of since) if (at - seenAt > 10 * idleForMs) since.delete(id)
    const before = since.get(worker.id)
    const still = backlog && worker.running === 0 && before?.begun === worker.begun
    const from = still ? (before?.at ?? at) : at
    since.set(worker.id, { begun: worker.begun, at: from, seenAt: at })
    return { ...worker, idle_beside_backlog: still && at - from >= idleForMs }
  }
}
