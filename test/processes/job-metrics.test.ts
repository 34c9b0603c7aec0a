import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Flow, openFlow } from '#broker'
import { openMetrics, prometheusText } from '#lib/metrics'
import { jobMetrics } from '../../src/processes/job-metrics.ts'
import { quiet } from '../capture/store-support.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { until } from '../support/until.ts'

let database: TestDatabase
let flows: Flow[]

beforeAll(async () => {
  database = await testDatabase()
  flows = ['one', 'two'].map((process) => openFlow({ sql: database.sql, process, log: quiet, everyMs: 1e6 }))
})
afterAll(async () => {
  for (const flow of flows) await flow.close()
  await database.drop()
})

function gateway() {
  const metrics = openMetrics()
  const stop = jobMetrics({ metrics, sql: database.sql, queue: 'jobs', everyMs: 5 })
  const value = (series: string) => {
    const line = prometheusText(metrics.families())
      .split('\n')
      .find((one) => one.startsWith(`${series} `))
    return line === undefined ? 0 : Number(line.slice(series.length + 1))
  }
  return { stop, value }
}

test('what workers measured is a histogram, and adds up over gateways', async () => {
  const gateways = [gateway(), gateway(), gateway()]
  const sum = (series: string) => gateways.reduce((total, { value }) => total + value(series), 0)
  const sample = { queue: 'jobs', name: 'export', outcome: 'done' as const }
  for (let round = 0; round < 10; round += 1) {
    for (const flow of flows) {
      flow.observe({ ...sample, waitMs: 3, runMs: 1_500 })
      flow.observe({ ...sample, waitMs: null, runMs: 9_000_000, outcome: 'failed' })
      flow.observe({ ...sample, queue: 'webhooks', name: 'x', waitMs: 100, runMs: 100 })
    }
    await Promise.all(flows.map((flow) => flow.flush()))
  }
  await until('all is counted', () => sum('sluice_job_run_seconds_count{kind="export"}') === 40)
  await until('by queue, too', () => sum('sluice_queue_run_seconds_count{queue="webhooks"}') === 20)
  const of = (what: string, labels: string) => sum(`sluice_${what}{${labels}}`)
  expect(of('job_wait_seconds_bucket', 'kind="export",le="0.004"')).toBe(20)
  expect(of('job_wait_seconds_count', 'kind="export"')).toBe(20)
  expect(of('job_run_seconds_bucket', 'kind="export",le="1.024"')).toBe(0)
  expect(of('job_run_seconds_bucket', 'kind="export",le="2.048"')).toBe(20)
  expect(of('job_run_seconds_bucket', 'kind="export",le="+Inf"')).toBe(40)
  expect(of('job_run_seconds_sum', 'kind="export"')).toBeCloseTo(20 * 1.5 + 20 * 9_000, 6)
  expect(of('job_attempts_total', 'kind="export",outcome="failed"')).toBe(20)
  expect(of('queue_attempts_total', 'queue="jobs",outcome="done"')).toBe(20)
  expect(of('queue_wait_seconds_bucket', 'queue="webhooks",le="0.064"')).toBe(0)
  expect(of('queue_wait_seconds_bucket', 'queue="webhooks",le="0.128"')).toBe(20)
  for (const { stop } of gateways) stop()
})
