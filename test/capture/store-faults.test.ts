import { afterAll, beforeAll, expect, test } from 'bun:test'
import { openStore } from '#store'
import { readContent } from '../../src/capture/storing/content.ts'
import { failureOf } from '../../src/capture/storing/failure.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { until } from '../support/until.ts'
import { called, handlerOn, job, payloadOf, recorded, rowOf, stored } from './store-support.ts'
import { sameExchange } from './support.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await testDatabase()
}, 60_000)

afterAll(async () => {
  await database.drop()
})

test('R15: NUL, lone surrogates, invalid UTF-8 and 5 MB of base64 are stored byte for byte, and so is their batch', async () => {
  const odd = [
    called({ messages: ['user: nul \u0000 and \\u0000'], reply: 'nul \u0000' }),
    recorded(Buffer.from('{"messages":["user: half \\ud800"]}'), Buffer.from('{"reply":"\\udc00 half"}')),
    recorded(Buffer.from([0x7b, 0xff, 0xfe, 0x00, 0xc0]), Buffer.from([0x80, 0x00, 0xed, 0xa0, 0x80])),
    called({
      messages: [
        `user: ${Buffer.from(crypto.getRandomValues(new Uint8Array(65_536)))
          .toString('base64')
          .repeat(60)}`,
      ],
    }),
    recorded(new Uint8Array(), new Uint8Array()),
    called(
      { messages: ['user: usual'] },
      { open: { path: '/v1/\u0000x', tags: ['\u0000'] }, end: { error: 'a\u0000' } },
    ),
  ]
  expect(await stored(handlerOn(database.sql), odd)).toEqual({ stored: 6, quarantined: 0 })
  for (const exchange of odd)
    sameExchange((await readContent(database.sql, exchange.open.id)) ?? undefined, exchange)
})

test('R15: an exchange that cannot be stored is kept aside with its bytes, and nothing else is lost', async () => {
  const exchanges = [1, 2, 3].map((n) => called({ messages: [`user: poison ${n}`] }))
  const [first, poison, last] = exchanges
  if (!first || !poison || !last) throw new Error('three exchanges')
  poison.end.status = 2 ** 40
  expect(await stored(handlerOn(database.sql), exchanges, { spool: 'poison-0' })).toEqual({
    stored: 2,
    quarantined: 1,
  })
  for (const good of [first, last])
    sameExchange((await readContent(database.sql, good.open.id)) ?? undefined, good)
  const [kept] =
    await database.sql`select reason, bytes from quarantine where exchange_id = ${poison.open.id}`
  expect(kept?.reason).toContain('out of range')
  expect(Buffer.from(kept?.bytes).includes(Buffer.from(poison.request))).toBe(true)
  const [ledger] =
    await database.sql`select committed, committed_quarantined from spools where id = 'poison-0'`
  expect(ledger).toMatchObject({ committed: 2, committed_quarantined: 1 })
})

test('damaged frames and bytes that are no frames are kept aside, and not tried again', async () => {
  const handler = handlerOn(database.sql)
  const whole = called({ messages: ['user: whole'] })
  const payload = payloadOf([called({ messages: ['user: torn'] }), whole], { spool: 'damaged-0' })
  const frames = Buffer.from(Bun.zstdDecompressSync(Buffer.from(payload.frames, 'base64')))
  frames[40] = (frames[40] ?? 0) ^ 0xff
  const torn = Buffer.from(Bun.zstdCompressSync(frames)).toString('base64')
  expect(await handler({ ...payload, frames: torn }, job)).toMatchObject({ stored: 1, quarantined: 1 })
  expect(await rowOf(database.sql, whole.open.id)).toBeDefined()
  const noise = { ...payloadOf([], { spool: 'damaged-0' }), frames: Buffer.from('noise').toString('base64') }
  expect(await handler(noise, job)).toMatchObject({ stored: 0, quarantined: 1 })
})

test('an exchange whose reader fails is stored with its bytes and without a meaning', async () => {
  const exchange = called({ messages: ['user: unread'] })
  const interpret = () => {
    throw new Error('a fault of the reader')
  }
  await stored(handlerOn(database.sql, { interpret }), [exchange])
  expect(await rowOf(database.sql, exchange.open.id)).toMatchObject({
    model_asked: null,
    conversation_id: null,
  })
  sameExchange((await readContent(database.sql, exchange.open.id)) ?? undefined, exchange)
})

test('R2: a connection that is cut at any moment rejects the job or has committed it, and loses nothing', async () => {
  const cut = openStore(database.url, { max: 2, name: 'cut' })
  const handler = handlerOn(cut.sql)
  const exchanges = Array.from({ length: 300 }, (_, n) =>
    called({ messages: [`user: cut ${n} ${'x'.repeat(2000)}`], session: `cut-${n % 7}` }),
  )
  const payload = payloadOf(exchanges, { spool: 'cut-0' })
  for (let delayMs = 0; delayMs < 120; delayMs += 8) {
    const outcome = handler(payload, job).then(
      () => 'stored',
      () => 'rejected',
    )
    await Bun.sleep(delayMs) // a moment like any other: each round another one
    await database.sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'cut' and datname = current_database()`
    if ((await outcome) === 'stored') break
  }
  // The last cut may only be noticed now.
  await until('it is taken', () => taken(handler(payload, job)))
  const [row] = await database.sql`
    select count(*) as n, (select count(*) from quarantine where spool = 'cut-0') as aside,
      (select committed from spools where id = 'cut-0') as committed,
      (select sum(exchanges) from conversations where session like 'cut-%') as counted
    from exchanges where spool = 'cut-0'`
  expect(row).toMatchObject({ n: 300, aside: 0, committed: 300 })
  expect(Number(row?.counted)).toBe(300)
  await handler.close()
  await cut.close()
}, 60_000)

test('while the database is down a job is rejected, nothing is quarantined, and the next try stores it', async () => {
  const broken = await testDatabase()
  const handler = handlerOn(broken.sql)
  const exchange = called({ messages: ['user: patient'] })
  const payload = payloadOf([exchange])
  const name = new URL(broken.url).pathname.slice(1)
  /** From the next sessions on, and there are no others. */
  const setReadOnly = async (word: 'on' | 'off') => {
    await database.sql.unsafe(`alter database ${name} set default_transaction_read_only = ${word}`)
    await database.sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${name}`
  }
  await broken.sql`alter table exchanges rename to away`
  await expect(handler(payload, job)).rejects.toThrow()
  await broken.sql`alter table away rename to exchanges`
  await setReadOnly('on')
  for (let tries = 0; tries < 3; tries += 1) await expect(handler(payload, job)).rejects.toThrow()
  await setReadOnly('off')
  await until('it is stored', () => taken(handler(payload, job)))
  expect(await rowOf(broken.sql, exchange.open.id)).toBeDefined()
  expect(await broken.sql`select from quarantine`).toHaveLength(0)
  await broken.drop()
})

function taken(work: Promise<unknown>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  )
}

test.each([
  ['unavailable', ['CONNECTION_CLOSED', 'CONNECT_TIMEOUT', 'ECONNREFUSED', '57P01', '53300', '25006']],
  ['contended', ['40001', '40P01', '23505', '23514']],
  ['poison', ['22021', '22003', '54000', undefined]],
])('R2: what the database says makes a batch %s', (failure, codes) => {
  for (const code of codes) {
    const error = Object.assign(new Error('said'), code === undefined ? {} : { code })
    expect([code, failureOf(error)]).toEqual([code, failure])
  }
})
