import { afterAll, beforeAll, expect, test } from 'bun:test'
import { spawnProcess, type TestProcess } from '../support/process.ts'
import { until } from '../support/until.ts'
import { type Exchange, type Page, type Product, startProduct } from './product.ts'

/** Calls that a job makes are on the account of the key that submitted it. */
let product: Product
let worker: TestProcess
let key: { id: string; key: string }

beforeAll(async () => {
  product = await startProduct('postgres')
  worker = spawnProcess(['bun', 'src/processes/worker.ts', 'jobs'], {
    env: {
      ...{ DATABASE_URL: product.databaseUrl, DATA_DIR: product.dataDir, GATEWAY_URL: product.url },
      LOG_LEVEL: 'info',
    },
  })
  await worker.line(/"msg":"ready"/, 20_000)
  key = await api('POST', '/api/keys', { name: 'submits', tags: ['nightly'] })
}, 60_000)

afterAll(async () => {
  await worker.kill('SIGTERM')
  await product.stop()
})

async function api<Body>(method: string, path: string, body: object, as = product.adminKey): Promise<Body> {
  const headers = { authorization: `Bearer ${as}` }
  const answer = await fetch(`${product.url}${path}`, { method, headers, body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as Body
}

type Job = { id: string; state: string; error: string | null }

async function done(as: string): Promise<Job> {
  const messages = [{ role: 'user', content: 'Hello' }]
  const input = { path: '/p/mock/v1/messages', body: { model: 'mock', max_tokens: 64, messages } }
  const { id } = await api<Job>('POST', '/api/jobs', { kind: 'http-request', attempts: 1, input }, as)
  let job: Job | null = null
  await until('the job is over', async () => {
    job = await product.read<Job>(`/api/jobs/${id}`)
    return ['succeeded', 'failed'].includes(job.state)
  })
  return job as unknown as Job
}

test('its budget and its limits hold, and the exchange is its own, with its tags', async () => {
  const job = await done(key.key)
  expect(job).toMatchObject({ state: 'succeeded', error: null })
  await product.settled()
  const { items } = await product.read<Page<Exchange & { key_id: string }>>(
    `/api/exchanges?tag=job:${job.id}`,
  )
  expect(items).toMatchObject([{ key_id: key.id }])
  expect(items[0]?.tags.toSorted()).toEqual([`job:${job.id}`, 'nightly'].sort())

  // A price makes the mock cost something.
  await api('PUT', '/api/prices', { provider: 'mock', model: null, input: 1_000_000, output: 1_000_000 })
  const rule = { scope: 'key', subject: key.id }
  await api('POST', '/api/budgets', { ...rule, name: 'small', period: 'total', limit_micros: 1 })
  const broke = await done(key.key)
  expect(broke.state).toBe('failed')
  expect(broke.error).toContain('402')

  const other = await api<typeof key>('POST', '/api/keys', { name: 'submits too' })
  const limit = { scope: 'key', subject: other.id, window_seconds: 3_600 }
  await api('POST', '/api/limits', { ...limit, name: 'once', requests: 1 })
  expect((await done(other.key)).state).toBe('succeeded')
  expect((await done(other.key)).error).toContain('429')
  expect((await done(product.adminKey)).state).toBe('succeeded')
}, 60_000)
