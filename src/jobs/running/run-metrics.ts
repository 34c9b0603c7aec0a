import type { Metrics } from '#lib/metrics'
import type { Begun } from './begin.ts'
import type { Over } from './end.ts'

const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800]

/** Counts attempts, and how long they waited and ran. */
export function runMetrics(metrics: Metrics | undefined): (job: Begun, over: Over) => void {
  if (metrics === undefined) return () => {}
  const labels = ['kind', 'outcome']
  const attempts = metrics.counter('sluice_job_attempts_total', 'Attempts of jobs ended.', labels)
  const wait = metrics.histogram('sluice_job_wait_seconds', 'From when it might run to its attempt.', {
    ...{ labels: ['kind'], buckets },
  })
  const run = metrics.histogram('sluice_job_run_seconds', 'From the start of an attempt to its end.', {
    ...{ labels: ['kind'], buckets },
  })
  return (job, { outcome }) => {
    attempts.add([job.kind, outcome])
    wait.observe([job.kind], job.wait_ms / 1_000)
    run.observe([job.kind], Math.max(0, performance.now() - job.began) / 1_000)
  }
}
