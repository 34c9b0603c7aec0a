import type { Sql } from 'postgres'
import { flowReports } from '#broker'
import { countStates } from '#jobs'
import type { Metrics, Reading } from '#lib/metrics'

export type JobMetricsOptions = {
  metrics: Metrics
  sql: Sql
  /** The queue whose flow by kind is that of jobs. */
  queue: string
  /** @default 15000 */
  everyMs?: number
}

/** Over which waits and runs are taken. */
const minutes = 5

/**
 * Jobs by state, and how long they waited and ran in the last five minutes, whichever worker ran them. Sampled in the
 * background; absent while the database is down. Returns how to stop it.
 */
export function jobMetrics({ metrics, sql, queue, everyMs = 15_000 }: JobMetricsOptions): () => void {
  let states: Reading[] = []
  let waits: Reading[] = []
  let runs: Reading[] = []
  let sampling = false
  const labels = ['kind', 'quantile']
  metrics.gauge(
    'sluice_jobs',
    'Jobs that have not succeeded, by state; 100,000 at most.',
    ['state'],
    () => states,
  )
  metrics.gauge(
    'sluice_job_wait_seconds',
    'From when it might run to its start, of 5 minutes.',
    labels,
    () => waits,
  )
  metrics.gauge(
    'sluice_job_run_seconds',
    'From the start of an attempt to its end, of 5 minutes.',
    labels,
    () => runs,
  )
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
      const reports = await flowReports(sql, { minutes, kindsOf: queue })
      waits = reports.flatMap(({ name, wait }) => quantiles(name, wait))
      runs = reports.flatMap(({ name, run }) => quantiles(name, run))
    } catch {
      states = []
      waits = []
      runs = []
    } finally {
      sampling = false
    }
  }
}

function quantiles(
  kind: string | null,
  { p50, p95, p99 }: Record<'p50' | 'p95' | 'p99', number | null>,
): Reading[] {
  const found = Object.entries({ '0.5': p50, '0.95': p95, '0.99': p99 })
  return found.flatMap(([quantile, ms]) =>
    ms === null ? [] : [{ labels: [kind ?? '', quantile], value: ms / 1_000 }],
  )
}
