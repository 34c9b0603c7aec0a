import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { RecordedExchange } from '../../src/capture/exchange.ts'
import { openContents, readContent } from '../../src/capture/storing/content.ts'
import { newId } from '../../src/lib/ids.ts'
import { openStore } from '../../src/store/index.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { called, handlerOn, recorded, stored } from './store-support.ts'
import { sameExchange } from './support.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await testDatabase()
}, 60_000)

afterAll(async () => {
  await database.drop()
})

const instructions = Array.from(
  { length: 900 },
  (_, n) => `Rule ${n}: ${Bun.hash(String(n)).toString(36)}.`,
).join(' ')

/** An agent's session of some 20 KB of instructions, the history resent with each call. */
function agentSession(session: string, length: number, at?: number): RecordedExchange[] {
  const messages = [`system: ${instructions}`]
  return Array.from({ length }, (_, n) => {
    messages.push(`user: ${session} asks ${Bun.hash(`${session}${n}`).toString(36)}`)
    const reply = `answer ${Bun.hash(`${n}${session}`)}`
    const call = called(
      { messages: [...messages], reply, session },
      at === undefined ? {} : { at: at + n * 1000 },
    )
    messages.push(`assistant: ${reply}`)
    return call
  })
}

async function bytesOf(
  exchanges: RecordedExchange[],
): Promise<{ bytes: number; deepest: number; bases: number }> {
  const [row] = await database.sql`
    select sum(length(data)) as bytes, max(depth) as deepest, count(base) as bases from contents
    where id = any(${exchanges.map((one) => one.open.id)}::uuid[])`
  return { bytes: Number(row?.bytes), deepest: Number(row?.deepest), bases: Number(row?.bases) }
}

async function allSame(exchanges: RecordedExchange[]): Promise<void> {
  const contents = openContents(database.sql)
  for (const exchange of exchanges)
    sameExchange((await contents.read(exchange.open.id)) ?? undefined, exchange)
}

test('a conversation grows with what is new, and every exchange is read back byte for byte', async () => {
  const exchanges = agentSession('grow', 60)
  const handler = handlerOn(database.sql)
  for (let at = 0; at < 60; at += 5) await stored(handler, exchanges.slice(at, at + 5))
  const { bytes, bases } = await bytesOf(exchanges)
  expect(bases).toBe(59)
  expect(bytes).toBeLessThan(60 * 700)
  await allSame(exchanges)
  for (const exchange of [exchanges[0], exchanges[31], exchanges[59]])
    sameExchange((await readContent(database.sql, exchange?.open.id ?? '')) ?? undefined, exchange)
})

test('contents that are fetched at once are read in any order, and ask the database nothing more', async () => {
  const exchanges = agentSession('fetched', 30)
  await stored(handlerOn(database.sql), exchanges)
  const { sql, close } = openStore(database.url, { max: 1 })
  const read = await openContents(sql).fetch(exchanges.map((one) => one.open.id))
  await close()
  for (const exchange of exchanges.toReversed())
    sameExchange((await read(exchange.open.id)) ?? undefined, exchange)
})

test('contents that are fetched are checked, and built upon others that are not', async () => {
  const exchanges = agentSession('checked', 12)
  await stored(handlerOn(database.sql), exchanges)
  const [earlier, damaged] = exchanges.slice(-2)
  await database.sql`update exchanges set request_sha256 = sha256('') where id = ${damaged?.open.id ?? ''}`
  const read = await openContents(database.sql).fetch([earlier, damaged].map((one) => one?.open.id ?? ''))
  sameExchange((await read(earlier?.open.id ?? '')) ?? undefined, earlier)
  await expect(read(damaged?.open.id ?? '')).rejects.toThrow('not those that were stored')
  expect(await read(newId())).toBeNull()
})

test('workers that take turns build upon what the other stored', async () => {
  const exchanges = agentSession('shared', 20)
  const handlers = [handlerOn(database.sql), handlerOn(database.sql)]
  for (const [n, exchange] of exchanges.entries()) {
    const handler = handlers[n % 2]
    if (handler !== undefined) await stored(handler, [exchange])
  }
  expect((await bytesOf(exchanges)).bytes).toBeLessThan(20 * 1000 + 10_000)
  await allSame(exchanges)
})

test('the first exchange of a conversation is built upon another of its kind', async () => {
  const exchanges = Array.from({ length: 10 }, (_, n) => agentSession(`first-${n}`, 1)).flat()
  const handler = handlerOn(database.sql)
  for (const exchange of exchanges) await stored(handler, [exchange])
  const { bases, deepest } = await bytesOf(exchanges)
  expect({ bases, deepest }).toEqual({ bases: 9, deepest: 1 })
})

test('a chain has a bound, and goes on after it', async () => {
  const exchanges = agentSession('long', 600)
  const handler = handlerOn(database.sql)
  for (let at = 0; at < 600; at += 50) await stored(handler, exchanges.slice(at, at + 50))
  expect((await bytesOf(exchanges)).deepest).toBe(256)
  const last = exchanges.at(-1)
  sameExchange((await readContent(database.sql, last?.open.id ?? '')) ?? undefined, last)
})

test('no content is built upon one of another day, whose partition may go first', async () => {
  const midnight = Math.floor(Date.now() / 86_400_000) * 86_400_000 - 5 * 86_400_000
  const [once, twice] = ['once', 'twice'].map((name) => agentSession(name, 8, midnight - 4000))
  const exchanges = [...(once ?? []), ...(twice ?? [])]
  // Both days in one batch, and each in its own, by another worker.
  for (const batch of [once, twice?.slice(0, 4), twice?.slice(4)])
    await stored(handlerOn(database.sql), batch ?? [])
  const rows = await database.sql`
    select c.id from contents c join contents b on b.id = c.base
    where c.id = any(${exchanges.map((one) => one.open.id)}::uuid[]) and c.tableoid <> b.tableoid`
  expect(rows.length).toBe(0)
  await allSame(exchanges)
})

test('what was rolled back is nothing to build upon', async () => {
  const handler = handlerOn(database.sql)
  const [poison, ...good] = agentSession('rolled', 5)
  if (poison === undefined) throw new Error('five exchanges')
  poison.end.status = 2 ** 40
  await stored(handler, [poison, ...good])
  await stored(handler, agentSession('rolled-on', 2))
  await allSame(good)
})

test('compressed requests and noise are stored as they are', async () => {
  const noise = crypto.getRandomValues(new Uint8Array(50_000))
  const packed = recorded(Bun.zstdCompressSync(Buffer.from(instructions)), Buffer.from('{}'), {
    open: { request_headers: [['content-encoding', 'zstd']] },
  })
  const exchanges = [recorded(noise, noise.slice().reverse()), packed]
  await stored(handlerOn(database.sql), exchanges)
  await allSame(exchanges)
})

test('R6: damage is noticed, never handed out', async () => {
  const [exchange] = agentSession('damage', 1)
  await stored(handlerOn(database.sql), [exchange as RecordedExchange])
  const id = exchange?.open.id ?? ''
  await database.sql`update exchanges set response_sha256 = sha256('x') where id = ${id}`
  await expect(readContent(database.sql, id)).rejects.toThrow('not those that were stored')
  await database.sql`update contents set base = gen_random_uuid() where id = ${id}`
  await expect(readContent(database.sql, id)).rejects.toThrow()
})
