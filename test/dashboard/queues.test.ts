import { afterAll, describe } from 'bun:test'
import { redisMissing, testRedis } from '../support/redis.ts'
import { queueCases } from './queues.ts'

queueCases('Postgres', async () => undefined)

describe.skipIf(redisMissing() !== undefined)('Redis', () => {
  let stop = async () => {}
  queueCases('Redis', async () => {
    const redis = await testRedis()
    stop = redis.stop
    return redis.url
  })
  afterAll(() => stop())
})
