import type { QueueCounts } from '#broker'
import type { Metrics, Reading } from '#lib/metrics'

export type QueueMetricsOptions = {
  metrics: Metrics
  queues: readonly string[]
  counts: (queue: string) => Promise<QueueCounts>
  /** @default 15000 */
  everyMs?: number
}

const states = ['waiting', 'active', 'delayed', 'failed'] as const
const queueLimit = 20

/**
 * Depths of the queues, sampled in the background: a scrape costs the engine nothing, however many there are, and
 * does not wait for it. While the engine is down the gauge is absent and `sluice_queue_up` is 0: an old depth would
 * look like a fresh one. Returns how to stop it.
 */
export function queueMetrics({ metrics, queues, counts, everyMs = 15_000 }: QueueMetricsOptions): () => void {
  let depths: Reading[] = []
  let up: boolean | null = null
  let sampling = false
  metrics.gauge('sluice_queue_jobs', 'Jobs, by queue and state.', ['queue', 'state'], () => depths)
  metrics.gauge('sluice_queue_up', 'Did the queue engine answer the last time?', [], () =>
    up === null ? [] : [{ labels: [], value: up ? 1 : 0 }],
  )
  void sample()
  const timer = setInterval(() => void sample(), everyMs)
  timer.unref()
  return () => clearInterval(timer)

  async function sample(): Promise<void> {
    if (sampling) return
    sampling = true
    try {
      const found: Reading[] = []
      for (const queue of queues.slice(0, queueLimit)) {
        const now = await counts(queue)
        for (const state of states) found.push({ labels: [queue, state], value: now[state] })
      }
      depths = found
      up = true
    } catch {
      depths = []
      up = false
    } finally {
      sampling = false
    }
  }
}
