import type { Sql } from 'postgres'
import { durationBounds, type Tally, takeTallies } from '#broker'
import { countStates } from '#jobs'
import type { Metrics, Reading } from '#lib/metrics'

export type JobMetricsOptions = {
  metrics: Metrics
  sql: Sql
  /** The queue whose jobs have kinds. */
  queue: string
  /** @default 15000 */
  everyMs?: number
}

/**
 * Jobs by state, which is the same on every gateway and absent while the database is down; and what workers measured,
 * which one gateway counts, so that a sum over gateways is right. Sampled in the background. Returns how to stop it.
 */
export function jobMetrics({ metrics, sql, queue, everyMs = 15_000 }: JobMetricsOptions): () => void {
  let states: Reading[] = []
  let sampling = false
  metrics.gauge(
    'sluice_jobs',
    'Jobs that have not succeeded, by state; 100,000 at most.',
    ['state'],
    () => states,
  )
  const count = tallied(metrics, queue)
  void sample()
  const timer = setInterval(() => void sample(), everyMs)
  timer.unref()
  return () => clearInterval(timer)

  async function sample(): Promise<void> {
    if (sampling) return
    sampling = true
    try {
      const counted = await countStates(sql)
      states = counted.map(({ state, count }) => ({ labels: [state], value: count }))
      for (const tally of await takeTallies(sql)) count(tally)
    } catch {
      states = []
    } finally {
      sampling = false
    }
  }
}

const waited = 'From when a job might run to its start.'
const ran = 'From the start of an attempt to its end.'
const outcomes = ['done', 'failed', 'retried'] as const

function tallied(metrics: Metrics, jobs: string): (tally: Tally) => void {
  const byQueue = { labels: ['queue'], buckets: durationBounds }
  const byKind = { labels: ['kind'], buckets: durationBounds }
  const ended = metrics.counter('sluice_queue_attempts_total', 'Attempts that ended.', ['queue', 'outcome'])
  const wait = metrics.histogram('sluice_queue_wait_seconds', waited, byQueue)
  const run = metrics.histogram('sluice_queue_run_seconds', ran, byQueue)
  const endedOf = metrics.counter('sluice_job_attempts_total', 'Attempts that ended.', ['kind', 'outcome'])
  const waitOf = metrics.histogram('sluice_job_wait_seconds', waited, byKind)
  const runOf = metrics.histogram('sluice_job_run_seconds', ran, byKind)
  return (tally) => {
    for (const outcome of outcomes) ended.add([tally.queue, outcome], tally[outcome])
    wait.merge([tally.queue], tally.wait.counts, tally.wait.sum)
    run.merge([tally.queue], tally.run.counts, tally.run.sum)
    if (tally.queue !== jobs) return
    for (const outcome of outcomes) endedOf.add([tally.name, outcome], tally[outcome])
    waitOf.merge([tally.name], tally.wait.counts, tally.wait.sum)
    runOf.merge([tally.name], tally.run.counts, tally.run.sum)
  }
}
