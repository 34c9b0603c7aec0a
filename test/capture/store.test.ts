import { afterAll, beforeAll, expect, test } from 'bun:test'
import { openCommits } from '../../src/capture/storing/commits.ts'
import { readContent } from '../../src/capture/storing/content.ts'
import { newId } from '../../src/lib/ids.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { called, handlerOn, job, payloadOf, recorded, rowOf, stored } from './store-support.ts'
import { sameExchange, sha256 } from './support.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await testDatabase()
}, 60_000)

afterAll(async () => {
  await database.drop()
})

test('R6: an exchange is stored with its hashes, lengths, usage and cost, and read back byte for byte', async () => {
  const exchange = called({ messages: ['user: hello'] }, { open: { tags: ['a "b"', 'c\\d', 'é,{}'] } })
  await stored(handlerOn(database.sql), [exchange])
  const row = await rowOf(database.sql, exchange.open.id)
  expect(row).toMatchObject({
    tenant: 'default',
    method: 'POST',
    outcome: 'completed',
    status: 200,
    tags: ['a "b"', 'c\\d', 'é,{}'],
    input_tokens: 10,
    cost_micros: 7,
    currency: 'USD',
    usage_final: true,
    request_bytes: exchange.request.length,
  })
  expect(Buffer.from(row?.request_sha256).toString('hex')).toBe(sha256(exchange.request))
  expect(Buffer.from(row?.response_sha256).toString('hex')).toBe(sha256(exchange.response))
  expect(row?.started_at.getTime()).toBe(Math.floor(exchange.open.started_at))
  sameExchange((await readContent(database.sql, exchange.open.id)) ?? undefined, exchange)
})

test('R2: a batch delivered twice, at once or later, is stored once', async () => {
  const handlers = [handlerOn(database.sql), handlerOn(database.sql)]
  const exchanges = Array.from({ length: 20 }, (_, n) => called({ messages: [`user: twice ${n}`] }))
  const payload = payloadOf(exchanges, { spool: 'twice-0' })
  await Promise.all(handlers.map((handler) => handler(payload, job)))
  await handlers[0]?.(payload, job)
  const [count] = await database.sql`
    select count(*) as n from exchanges where id = any(${exchanges.map((one) => one.open.id)}::uuid[])`
  expect(count?.n).toBe(20)
  const [ledger] = await database.sql`select committed from spools where id = 'twice-0'`
  expect(ledger?.committed).toBe(20)
  expect(await openCommits(database.sql).committed('twice-0', [payload.batch, 'no'])).toEqual(
    new Map([[payload.batch, { stored: 20, quarantined: 0 }]]),
  )
})

test('an exchange that a crashed gateway sent in two batches is stored once and counted in both', async () => {
  const handler = handlerOn(database.sql)
  const exchange = called({ messages: ['user: again'] })
  await stored(handler, [exchange])
  expect(await stored(handler, [exchange, called({ messages: ['user: new'] })])).toEqual({
    stored: 2,
    quarantined: 0,
  })
  const [conversation] =
    await database.sql`select exchanges from conversations where id = ${exchange.open.id}`
  expect(conversation?.exchanges).toBe(1)
})

test('a batch below the floor is passed over, as its marker may be gone', async () => {
  const handler = handlerOn(database.sql)
  const late = called({ messages: ['user: late'] })
  await stored(handler, [called({ messages: ['user: floor'] })], { spool: 'floor-0', batch: '9', floor: 8 })
  await stored(handler, [late], { spool: 'floor-0', batch: '7', floor: 0 })
  expect(await rowOf(database.sql, late.open.id)).toBeUndefined()
})

test('R7: two exchanges with the same id of their provider are two rows', async () => {
  const twins = [1, 2].map(() => recorded(Buffer.from('{}'), Buffer.from('{"id":"chatcmpl-1"}')))
  await stored(handlerOn(database.sql), twins)
  for (const twin of twins) expect(await rowOf(database.sql, twin.open.id)).toBeDefined()
})

test('an error inside of a stream that began well makes the exchange an upstream error', async () => {
  const exchange = called({ messages: ['user: in band'] })
  const handler = handlerOn(database.sql, {
    interpret: () => ({
      model_asked: 'm',
      model_served: null,
      streamed: true,
      usage: null,
      cost: null,
      error: 'overloaded_error',
      session: null,
      history: [],
      reply: null,
    }),
  })
  await stored(handler, [exchange])
  expect(await rowOf(database.sql, exchange.open.id)).toMatchObject({
    outcome: 'upstream_error',
    error: 'overloaded_error',
  })
})

test('a batch in parts is stored with its last part, in any order before it', async () => {
  const handler = handlerOn(database.sql)
  const commits = openCommits(database.sql)
  const exchange = recorded(crypto.getRandomValues(new Uint8Array(30_000)), Buffer.from('{}'))
  const whole = Buffer.from(Bun.zstdDecompressSync(Buffer.from(payloadOf([exchange]).frames, 'base64')))
  const part = (n: number) => ({
    ...payloadOf([], { spool: 'parts-0', batch: '77', part: n, parts: 3 }),
    frames: Buffer.from(Bun.zstdCompressSync(whole.subarray(n * 12_000, (n + 1) * 12_000))).toString(
      'base64',
    ),
  })
  await expect(handler(part(2), job)).rejects.toThrow('0 of 2 earlier parts are here')
  await handler(part(1), job)
  await handler(part(1), job)
  expect([...(await commits.committed('parts-0', ['77-p0', '77-p1', '77'])).keys()]).toEqual(['77-p1'])
  await handler(part(0), job)
  await handler(part(2), job)
  await handler(part(0), job)
  await handler(part(2), job)
  sameExchange((await readContent(database.sql, exchange.open.id)) ?? undefined, exchange)
  expect((await commits.committed('parts-0', ['77-p0', '77-p1', '77'])).size).toBe(3)
  const [left] = await database.sql`select count(*) as n from spool_parts`
  expect(left?.n).toBe(0)
})

test('in metadata mode only what the gateway measured is stored', async () => {
  const exchange = recorded(new Uint8Array(), new Uint8Array(), {
    open: { mode: 'metadata', provider: 'mock' },
    end: {
      request_bytes: 100,
      response_bytes: 200,
      request_sha256: 'ab'.repeat(32),
      response_sha256: 'cd'.repeat(32),
      metered: {
        model_asked: 'asked',
        model_served: 'served',
        streamed: true,
        usage: {
          input: 3,
          output: 4,
          cache_read: null,
          cache_write: null,
          cache_write_1h: null,
          reasoning: null,
          final: false,
        },
        session: 'meta-session',
        agent: null,
        parent_agent: null,
        client: 'claude-code',
      },
    },
  })
  await stored(handlerOn(database.sql), [exchange])
  const row = await rowOf(database.sql, exchange.open.id)
  expect(row).toMatchObject({
    mode: 'metadata',
    model_served: 'served',
    streamed: true,
    input_tokens: 3,
    usage_final: false,
    cost_micros: 42,
    request_bytes: 100,
  })
  expect(Buffer.from(row?.request_sha256).toString('hex')).toBe('ab'.repeat(32))
  const [conversation] = await database.sql`select * from conversations where id = ${row?.conversation_id}`
  expect(conversation).toMatchObject({ session: 'meta-session', turns: 0, exchanges: 1, cost_micros: 42 })
})

test('exchanges of long ago and of a clock that is wrong get partitions of their own', async () => {
  const days = [Date.UTC(2019, 1, 3), Date.now() - 40 * 86_400_000, Date.UTC(2031, 0, 1)]
  const exchanges = days.map((at) => called({ messages: ['user: when'] }, { at }))
  await stored(handlerOn(database.sql), exchanges)
  for (const exchange of exchanges)
    sameExchange((await readContent(database.sql, exchange.open.id)) ?? undefined, exchange)
})

test('whoever listens hears the ids of what was stored', async () => {
  const heard = new Set<string>()
  const exchanges = Array.from({ length: 450 }, (_, n) => called({ messages: [`user: tail ${n}`] }))
  const { promise, resolve } = Promise.withResolvers<void>()
  const listening = await database.sql.listen('sluice_exchanges', (payload) => {
    for (const id of payload.split(',')) heard.add(id)
    if (exchanges.every((exchange) => heard.has(exchange.open.id))) resolve()
  })
  await stored(handlerOn(database.sql), exchanges)
  await promise
  await listening.unlisten()
})

test('there is no content for an id that was never stored', async () => {
  expect(await readContent(database.sql, newId())).toBeNull()
})
