import type { Metrics } from '#lib/metrics'
import type { OpenCacheOptions } from '#llm'

/** How requests that take part in the cache went. */
export function cacheMetrics(metrics: Metrics): NonNullable<OpenCacheOptions['observe']> {
  const help = 'Requests that the response cache has a part in, by what came of it; and answers stored.'
  const counter = metrics.counter('sluice_cache_total', help, ['state'])
  return (state) => counter.add([state])
}
