import { expect, test } from 'bun:test'
import { openMetrics, prometheusText } from '#lib/metrics'

test('counters, gauges and histograms read as Prometheus expects them', () => {
  const metrics = openMetrics()
  const calls = metrics.counter('calls_total', 'Calls.\nAll of them.', ['provider', 'outcome'])
  calls.add(['mock', 'completed'])
  calls.add(['mock', 'completed'], 2)
  calls.add(['a"b\\c\nd', 'rejected'])
  const time = metrics.histogram('call_seconds', 'Time.', { buckets: [0.1, 1] })
  for (const value of [0.05, 0.1, 0.5, 7]) time.observe([], value)
  metrics.gauge('depth', 'Depth.', ['queue'], () => [{ labels: ['logging'], value: 3 }])
  metrics.total('bytes_total', 'Bytes.', [], () => [{ labels: [], value: 2 ** 40 }])
  expect(prometheusText(metrics.families())).toBe(`# HELP calls_total Calls.\\nAll of them.
# TYPE calls_total counter
calls_total{provider="mock",outcome="completed"} 3
calls_total{provider="a\\"b\\\\c\\nd",outcome="rejected"} 1
# HELP call_seconds Time.
# TYPE call_seconds histogram
call_seconds_bucket{le="0.1"} 2
call_seconds_bucket{le="1"} 3
call_seconds_bucket{le="+Inf"} 4
call_seconds_sum 7.65
call_seconds_count 4
# HELP depth Depth.
# TYPE depth gauge
depth{queue="logging"} 3
# HELP bytes_total Bytes.
# TYPE bytes_total counter
bytes_total 1099511627776
`)
})

test('a family asked for twice is one; under another type it is an error', () => {
  const metrics = openMetrics()
  metrics.counter('calls_total', 'Calls.').add([])
  metrics.counter('calls_total', 'Calls.').add([])
  expect(metrics.families()).toHaveLength(1)
  expect(metrics.families()[0]?.samples[0]?.value).toBe(2)
  expect(() => metrics.gauge('calls_total', 'Calls.', [], () => [])).toThrow(
    'metric calls_total: is a counter already',
  )
})

test('no client can fill memory with labels', () => {
  const metrics = openMetrics()
  const calls = metrics.counter('calls_total', 'Calls.', ['provider'])
  for (let count = 0; count < 10_000; count++) calls.add([`provider-${count}`])
  const samples = metrics.families()[0]?.samples ?? []
  expect(samples.length).toBeLessThanOrEqual(501)
  expect(samples.reduce((sum, { value }) => sum + value, 0)).toBe(10_000)
  expect(samples.at(-1)).toEqual({ suffix: '', labels: { provider: 'other' }, value: 9_500 })
})
