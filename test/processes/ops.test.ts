import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Access } from '#access'
import type { SpoolLedger } from '#capture'
import { SetupError } from '#lib/errors'
import { openMetrics } from '#lib/metrics'
import { exchangeMetrics, spoolMetrics } from '../../src/processes/exchange-metrics.ts'
import { processMetrics } from '../../src/processes/process-metrics.ts'
import { queueMetrics } from '../../src/processes/queue-metrics.ts'
import { type Probe, readiness } from '../../src/processes/readiness.ts'
import { adminKey, bearer, plantKey, testAccess } from '../access/support.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { until } from '../support/until.ts'
import { ask, testApp } from './support.ts'

let database: TestDatabase
let access: Access

beforeAll(async () => {
  database = await testDatabase()
  access = await testAccess(database.sql)
})

afterAll(async () => {
  await access.close()
  await database.drop()
})

describe('/health', () => {
  test('answers dialect B of the service contract and, where nothing clashes, A and C', async () => {
    const app = testApp(access, { ops: { endpoint: () => 'http://127.0.0.1:8080' } })
    const { status, json } = await ask(app, '/health')
    expect(status).toBe(200)
    expect(json).toMatchObject({ name: 'sluice-gateway', service: 'sluice-gateway', status: 'active' })
    expect(json.endpoint).toBe('http://127.0.0.1:8080')
    for (const field of [
      'id',
      'steward',
      'proof',
      'cost_usd',
      'yield_usd',
      'updated_at',
      'timestamp',
      'version',
    ])
      expect(json).toHaveProperty(field)
    expect(json.uptime_seconds).toBeInteger()
  })

  test('keeps its id, and says when the process is stopping', async () => {
    let stopping = false
    const app = testApp(access, { ops: { draining: () => stopping } })
    const before = await ask(app, '/health')
    stopping = true
    const after = await ask(app, '/health')
    expect(after.json.id).toBe(before.json.id)
    expect(after.json.status).toBe('inactive')
    expect((await ask(app, '/ready')).status).toBe(503)
    expect((await ask(app, '/ready/proxying')).status).toBe(503)
  })
})

describe('/ready', () => {
  const fine: Probe = { name: 'spool', neededFor: 'proxying', check: () => null }

  test('is 503 with reasons while the database is away, and still ready to proxy', async () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED 10.1.2.3:5432'), { code: 'ECONNREFUSED' })
    const probes: Probe[] = [
      { name: 'database', neededFor: 'record', check: () => Promise.reject(refused) },
      {
        name: 'schema',
        neededFor: 'record',
        check: () => Promise.reject(new SetupError('run `bun run migrate`')),
      },
      fine,
    ]
    const app = testApp(access, { ops: { ready: readiness(probes) } })
    const whole = await ask(app, '/ready')
    expect(whole.status).toBe(503)
    expect(whole.json).toMatchObject({ ready: false, proxying: true })
    expect(whole.json.checks).toEqual([
      { name: 'database', needed_for: 'record', ok: false, reason: 'ECONNREFUSED' },
      { name: 'schema', needed_for: 'record', ok: false, reason: 'run `bun run migrate`' },
      { name: 'spool', needed_for: 'proxying', ok: true, reason: null },
    ])
    expect(whole.text).not.toContain('10.1.2.3')
    expect((await ask(app, '/ready/proxying')).status).toBe(200)
  })

  test('waits 2 s for a probe that never answers, not longer', async () => {
    const stuck: Probe = { name: 'queue', neededFor: 'record', check: () => new Promise(() => {}) }
    const started = performance.now()
    const verdicts = await readiness([stuck, fine])()
    expect(performance.now() - started).toBeLessThan(3_000)
    expect(verdicts[0]).toMatchObject({ ok: false, reason: 'no answer in 2000 ms' })
  })

  test('asks the database once a second, however many ask', async () => {
    let asked = 0
    const ready = readiness([{ ...fine, check: () => String(++asked) && null }])
    await Promise.all(Array.from({ length: 100 }, ready))
    expect(asked).toBe(1)
  })
})

describe('/metrics', () => {
  test('need the scope `read`, unless only this machine can ask', async () => {
    const reader = await plantKey(database.sql, { scopes: ['read'] })
    const caller = await plantKey(database.sql, { scopes: ['call'] })
    await access.refresh()
    for (const path of ['/metrics', '/metrics/json']) {
      const app = testApp(access)
      expect((await ask(app, path)).status).toBe(401)
      expect((await ask(app, path, { headers: bearer(caller.key) })).status).toBe(403)
      expect((await ask(app, path, { headers: bearer(reader.key) })).status).toBe(200)
      expect((await ask(app, path, { headers: bearer(adminKey) })).status).toBe(200)
      expect((await ask(testApp(access, { ops: { openMetrics: true } }), path)).status).toBe(200)
    }
  })

  test('tell of the process, of exchanges, of the spool and of queues', async () => {
    const metrics = openMetrics()
    const stopProcess = processMetrics(metrics, { version: '1.2.3', process: 'gateway' })
    const times = { startedAt: 1_000, firstByteAt: 1_004, endedAt: 1_012 }
    exchangeMetrics(metrics)({ provider: 'mock', outcome: 'completed', ...times })
    spoolMetrics(metrics, () => ledger)
    const counts = { waiting: 7, active: 1, delayed: 0, completed: 5, failed: 2 }
    const stopQueues = queueMetrics({ metrics, queues: ['logging'], counts: async () => counts })
    const app = testApp(access, { ops: { metrics, openMetrics: true } })
    const scrape = async () => (await ask(app, '/metrics')).text
    await until('the queue is up', async () => (await scrape()).includes('sluice_queue_up 1'))
    const text = await scrape()
    for (const line of [
      'sluice_exchanges_total{provider="mock",outcome="completed"} 1',
      'sluice_exchange_seconds_bucket{provider="mock",le="0.025"} 1',
      'sluice_first_byte_seconds_bucket{provider="mock",le="0.005"} 1',
      'sluice_spool_accepted_total{spool="host-0"} 15',
      'sluice_spool_exchanges{spool="host-0",state="queued"} 3',
      'sluice_spool_bytes{spool="host-0",what="max"} 1000',
      'sluice_queue_jobs{queue="logging",state="waiting"} 7',
    ]) {
      expect(text).toContain(`${line}\n`)
    }
    for (const name of ['process_cpu_seconds_total', 'process_resident_memory_bytes', 'process_open_fds'])
      expect(Number(new RegExp(`^${name} (.+)$`, 'm').exec(text)?.[1])).toBeGreaterThan(0)
    const json = (await ask(app, '/metrics/json')).json
    expect(json.items.map((family: { name: string }) => family.name)).toContain('sluice_info')
    stopProcess()
    stopQueues()
  })

  test('do not show an old depth while the queue engine is down', async () => {
    const metrics = openMetrics()
    const counts = () => Promise.reject(new Error('down'))
    const stop = queueMetrics({ metrics, queues: ['logging'], counts })
    const samples = (name: string) => metrics.families().find((family) => family.name === name)?.samples ?? []
    await until('the queue is down', () => samples('sluice_queue_up')[0]?.value === 0)
    expect(samples('sluice_queue_jobs')).toEqual([])
    stop()
  })
})

const ledger: SpoolLedger = {
  ...{ spool: 'host-0', accepted: 15, stored: 10, spooled: 2, queued: 3, quarantined: 0, dropped: 0 },
  ...{ open: 1, bytes: 100, max_bytes: 1000 },
}
