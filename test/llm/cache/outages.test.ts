import { describe, expect, test } from 'bun:test'
import { guard } from '../../../src/llm/cache/guard.ts'
import { postgresStore } from '../../../src/llm/cache/postgres-store.ts'
import { redisStore } from '../../../src/llm/cache/redis-store.ts'
import type { CacheStore } from '../../../src/llm/cache/store.ts'
import { type Gate, openGate } from '../../support/gate.ts'
import { testDatabase } from '../../support/postgres.ts'
import { redisMissing, testRedis } from '../../support/redis.ts'
import { until } from '../../support/until.ts'
import { asked, cacheGateway, message, quietLog } from './support.ts'

const on = { headers: { 'sluice-cache': 'on' } }

function outageCases(
  name: string,
  open: () => Promise<{ store: CacheStore; gate: Gate; close(): Promise<void> }>,
) {
  test(`${name}: away or frozen it means no cache, at once, and back it is used again`, async () => {
    const { store, gate, close } = await open()
    const gateway = cacheGateway((count) => message(`answer ${count}`), { store })
    const ask = async () => {
      const began = performance.now()
      const text = await (await gateway.post(asked, on)).text()
      return { answer: /answer \d+/.exec(text)?.[0], ms: performance.now() - began }
    }
    await until('an answer is stored', async () => {
      await ask()
      return gateway.states.at(-1) === 'hit'
    })
    gate.freeze()
    const reached = gateway.asked()
    const first = await ask()
    const others = [await ask(), await ask(), await ask()]
    expect(gateway.asked()).toBe(reached + 4)
    // Its patience is 40 ms; a busy machine adds to it.
    expect(first.ms).toBeLessThan(1_000)
    // The outage costs the patience once, not each time.
    expect(Math.min(...others.map(({ ms }) => ms))).toBeLessThan(30)
    gate.thaw()
    gate.shut()
    expect((await ask()).ms).toBeLessThan(1_000)
    gate.open()
    await until(
      'it is used again',
      async () => {
        await ask()
        return gateway.states.at(-1) === 'hit'
      },
      { ms: 20_000 },
    )
    await close()
  }, 30_000)
}

describe('the cache while its store is away', () => {
  outageCases('postgres', async () => {
    const database = await testDatabase()
    const gate = openGate(Number(new URL(database.url).port))
    const url = new URL(database.url)
    url.port = String(gate.port)
    const store = postgresStore({ url: url.href, maxBytes: 1e7 })
    return {
      ...{ store, gate },
      async close() {
        await store.close()
        gate.close()
        await database.drop()
      },
    }
  })

  describe.skipIf(redisMissing() !== undefined)('Redis', () => {
    outageCases('redis', async () => {
      const redis = await testRedis()
      const gate = openGate(redis.port)
      const store = redisStore({ url: `redis://127.0.0.1:${gate.port}`, log: quietLog, maxBytes: 1e7 })
      return {
        ...{ store, gate },
        async close() {
          await store.close()
          gate.close()
          await redis.stop()
        },
      }
    })
  })

  test('a store that fails is left alone for a while, and never heard of', async () => {
    let calls = 0
    const failing: CacheStore = {
      ...{ kind: 'memory', durable: false },
      async get() {
        calls += 1
        throw new Error('no')
      },
      async put() {
        throw new Error('no')
      },
      sweep: async () => {},
      close: async () => {},
    }
    const guarded = guard(failing, { log: quietLog })
    for (let n = 0; n < 10; n++) expect(await guarded.get('key')).toBeNull()
    await guarded.put('key', new Uint8Array(1), 1)
    expect(calls).toBe(1)
  })
})
