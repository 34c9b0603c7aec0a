import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Broker, openBroker } from '#broker'
import { openCommits, readContent } from '#capture'
import { logging } from '#queues/logging'
import type { ExchangeOpen } from '../../../src/capture/exchange.ts'
import { openSpool } from '../../../src/capture/spool.ts'
import { type TestDatabase, testDatabase } from '../../support/postgres.ts'
import { redisMissing, type TestRedis, testRedis } from '../../support/redis.ts'
import { until } from '../../support/until.ts'
import { handlerOn } from '../store-support.ts'
import { endOf, openOf, sha256 } from '../support.ts'
import { bytes, quiet } from './opening.ts'
import { addsUp, scratch } from './support.ts'

/** From the gateway's spool over a real queue engine and a real worker into a real database. */
describe.each([
  ['Postgres', undefined],
  ['Redis', redisMissing()],
] as const)('a spool shipped over %s', (engine, missing) => {
  describe.skipIf(missing !== undefined)(missing ?? 'which is here', () => {
    let database: TestDatabase
    let redis: TestRedis | undefined
    let broker: Broker

    beforeAll(async () => {
      database = await testDatabase()
      redis = engine === 'Redis' ? await testRedis() : undefined
      broker = openBroker(redis?.url, database.url, { log: quiet, name: 'test' })
      broker.consume(logging, handlerOn(database.sql), { concurrency: 2, onError: () => {} })
    }, 60_000)
    afterAll(async () => {
      await broker?.close(1_000)
      await redis?.stop()
      await database?.drop()
    })

    test('R15: bytes that no JSON could carry, and bodies in parts, are stored as they were; the ledger adds up', async () => {
      const spool = await openSpool({
        ...{ dir: scratch(), maxBytes: 1024 ** 3, whenFull: 'block', log: quiet },
        ...{ producer: broker.producer(logging), commits: openCommits(database.sql) },
      })
      const odd = [
        Buffer.from([0, 0xff, 0xfe, 0xed, 0xa0, 0x80]),
        Buffer.from('{"text":"\\u0000 \\ud800"}'),
        bytes(3_500_000),
        Buffer.alloc(0),
        ...Array.from({ length: 50 }, (_, seed) => bytes(3_000, seed + 5)),
      ]
      const now = Date.now()
      const sent = odd.map((body) => {
        const open: ExchangeOpen = openOf({ started_at: now })
        const recording = spool.begin(open)
        recording.request(body)
        recording.response(body)
        recording.seal(endOf({ first_byte_at: now, ended_at: now }))
        return { id: open.id, hash: sha256(body) }
      })
      await until(
        'all are stored',
        () => {
          addsUp(spool.ledger())
          return spool.ledger().stored === sent.length
        },
        30_000,
      )
      for (const { id, hash } of sent) {
        const content = await readContent(database.sql, id)
        expect([id, sha256(content?.request), sha256(content?.response)]).toEqual([id, hash, hash])
      }
      await spool.close()
      const [row] = await database.sql`select accepted, stored, committed from spools where id = ${spool.id}`
      expect(row).toMatchObject({ accepted: sent.length, stored: sent.length, committed: sent.length })
    }, 60_000)
  })
})
