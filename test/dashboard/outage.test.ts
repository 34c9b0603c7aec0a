import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { adminKey, bearer } from '../access/support.ts'
import { note } from '../broker/server.ts'
import { ask } from '../processes/support.ts'
import { redisMissing, type TestRedis, testRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'
import { plantJob } from './rows.ts'
import { type TestBoard, testBoard } from './support.ts'

describe.skipIf(redisMissing() !== undefined)('the dashboard while Redis is down', () => {
  let redis: TestRedis
  let one: TestBoard

  beforeAll(async () => {
    redis = await testRedis()
    one = await testBoard(redis.url)
  }, 60_000)
  afterAll(async () => {
    await one[Symbol.asyncDispose]()
    await redis.stop()
  }, 30_000)

  const get = (path: string) => ask(one.app, path, { headers: bearer(adminKey) })

  test('Q1: it says so within seconds, shows the rows all the same, and is back with the engine', async () => {
    await one.broker.producer(one.queue).enqueue(note('x'), { id: 'kept' })
    const id = await plantJob(one.sql, { state: 'queued' })
    expect((await get('/api/queues')).json.up).toBe(true)
    await redis.kill()

    const from = performance.now()
    await until('it says so', async () => (await get('/api/queues')).json.up === false)
    expect(performance.now() - from).toBeLessThan(5_000)
    const { json } = await get(`/api/queues/${one.queue.name}`)
    expect(json.counts.waiting).toBe(1)
    expect(json.warnings).toMatchObject([{ code: 'engine-down' }])
    expect((await get('/api/queues/jobs/rows')).json.items).toMatchObject([{ id }])
    expect((await get(`/api/queues/${one.queue.name}/jobs`)).status).toBe(503)
    expect((await get('/queues/board')).status).toBeOneOf([200, 503])

    await redis.restart()
    await until('it is back', async () => (await get('/api/queues')).json.up === true, { ms: 15_000 })
    expect((await get(`/api/queues/${one.queue.name}`)).json.counts.waiting).toBe(1)
  }, 60_000)
})
