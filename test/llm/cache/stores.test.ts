import { afterAll, beforeAll, describe } from 'bun:test'
import { pino } from 'pino'
import { memoryStore } from '../../../src/llm/cache/memory-store.ts'
import { postgresStore } from '../../../src/llm/cache/postgres-store.ts'
import { redisStore } from '../../../src/llm/cache/redis-store.ts'
import { type TestDatabase, testDatabase } from '../../support/postgres.ts'
import { redisMissing, type TestRedis, testRedis } from '../../support/redis.ts'
import { until } from '../../support/until.ts'
import { storeCases } from './stores.ts'

const log = pino({ level: 'silent' })

storeCases('memory', async (maxBytes) => {
  const store = memoryStore({ maxBytes })
  return { store, close: () => store.close() }
})

describe('Postgres', () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await testDatabase()
  })
  afterAll(() => database.drop())
  storeCases('postgres', async (maxBytes) => {
    await database.sql`truncate response_cache`
    const store = postgresStore({ url: database.url, maxBytes })
    return { store, close: () => store.close() }
  })
})

describe.skipIf(redisMissing() !== undefined)('Redis', () => {
  let redis: TestRedis
  beforeAll(async () => {
    redis = await testRedis()
  })
  afterAll(() => redis.stop())
  let db = 0
  storeCases('redis', async (maxBytes) => {
    db += 1
    const store = redisStore({ url: `${redis.url}/${db}`, log, maxBytes })
    await until('Redis answers', () =>
      store.get('0').then(
        () => true,
        () => false,
      ),
    )
    return { store, close: () => store.close() }
  })
})
