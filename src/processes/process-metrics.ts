import { readdirSync } from 'node:fs'
import type { Metrics, Reading } from '#lib/metrics'

const lagBuckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5]

/** What every process tells of itself, under the names that Prometheus's dashboards expect. Returns how to stop it. */
export function processMetrics(metrics: Metrics, about: { version: string; process: string }): () => void {
  const startedAt = Date.now() / 1000 - process.uptime()
  metrics.gauge('sluice_info', 'What runs here.', ['version', 'process', 'bun'], () => [
    { labels: [about.version, about.process, Bun.version], value: 1 },
  ])
  metrics.total('process_cpu_seconds_total', 'User and system CPU time.', [], () => {
    const { user, system } = process.cpuUsage()
    return one((user + system) / 1_000_000)
  })
  metrics.gauge('process_resident_memory_bytes', 'Resident memory.', [], () => one(process.memoryUsage.rss()))
  metrics.gauge('process_start_time_seconds', 'Start, since the epoch.', [], () => one(startedAt))
  metrics.gauge('process_open_fds', 'Open file descriptors; absent where there is no /proc.', [], openFiles)
  return eventLoopLag(metrics)
}

function one(value: number): Reading[] {
  return [{ labels: [], value }]
}

function openFiles(): Reading[] {
  try {
    return one(readdirSync('/proc/self/fd').length)
  } catch {
    return []
  }
}

/** How late a timer fires: what a request would have waited for other work of this process. */
function eventLoopLag(metrics: Metrics): () => void {
  const everyMs = 500
  const lag = metrics.histogram('sluice_event_loop_lag_seconds', 'How late a timer fired, twice a second.', {
    buckets: lagBuckets,
  })
  let due = performance.now() + everyMs
  const timer = setInterval(() => {
    const time = performance.now()
    lag.observe([], Math.max(0, time - due) / 1000)
    due = time + everyMs
  }, everyMs)
  timer.unref()
  return () => clearInterval(timer)
}
