import { afterEach, beforeEach, expect, test } from 'bun:test'
import type { Interpret } from '#capture'
import type { RecordedExchange } from '../../src/capture/exchange.ts'
import { rebuild } from '../../src/capture/storing/rebuild.ts'
import { searchQuery } from '../../src/capture/storing/words.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { called, handlerOn, interpretCall, quiet, stored } from './store-support.ts'

let database: TestDatabase

beforeEach(async () => {
  database = await testDatabase()
}, 60_000)

afterEach(async () => {
  await database.drop()
})

/** A reader with faults: wrong counts, no sessions, half of what was said. */
const faulty: Interpret = (exchange) => {
  const means = interpretCall(exchange)
  const history = means.history.map((message) => ({
    ...message,
    text: 'wrong',
    digest: `${message.digest}x`,
  }))
  const usage = means.usage === null ? null : { ...means.usage, input: 999 }
  return { ...means, usage, session: null, history, reply: null, cost: null, model_served: 'wrong' }
}

function traffic(): RecordedExchange[] {
  const exchanges: RecordedExchange[] = []
  for (const [name, session] of [
    ['ann', 's-1'],
    ['bob', undefined],
    ['cat', 's-2'],
  ] as const) {
    const messages = ['system: rules']
    for (let n = 0; n < 5; n++) {
      messages.push(`user: ${name} asks ${n}`)
      const call = { messages: [...messages], reply: `${name} answers ${n}` }
      exchanges.push(called(session === undefined ? call : { ...call, session }))
      messages.push(`assistant: ${name} answers ${n}`)
    }
  }
  return exchanges
}

/** All that is derived, without the ids that are made anew. */
async function derivedState(from: TestDatabase) {
  return {
    exchanges: await from.sql`
      select id, conversation_id, model_asked, model_served, input_tokens, usage_final, outcome from exchanges order by id`,
    conversations: await from.sql`
      select id, tenant, parent_id, session, models, started_at, last_at, exchanges, turns, last_number, tip,
        input_tokens, cost_micros from conversations order by id`,
    turns: await from.sql`
      select conversation_id, number, key, role, exchange_id, reply, text from turns order by conversation_id, number`,
    words: await from.sql`
      select t.conversation_id, t.number, w.words from turn_words w join turns t on t.id = w.id
      order by t.conversation_id, t.number`,
  }
}

test('R5: what a faulty reader made of the bytes is derived again, as if it had never been', async () => {
  const exchanges = traffic()
  const other = await testDatabase()
  for (const [sql, interpret] of [
    [database.sql, faulty],
    [other.sql, interpretCall],
  ] as const) {
    const handler = handlerOn(sql, { interpret })
    for (const exchange of exchanges) await stored(handler, [exchange])
    await handler.indexed()
  }
  await rebuild({ sql: database.sql, interpret: interpretCall, log: quiet, prices: true })
  expect(await derivedState(database)).toEqual(await derivedState(other))
  const found = await database.sql`
    select from turn_words where words @@ ${searchQuery('answers', null)}::tsquery`
  expect(found.length).toBe(15)
  await other.drop()
})

test('R5: a rebuild with nothing to mend changes nothing, and costs stay as they were billed', async () => {
  const handler = handlerOn(database.sql)
  for (const exchange of traffic()) await stored(handler, [exchange])
  await handler.indexed()
  const before = await derivedState(database)
  const dearer: Interpret = (exchange) => ({
    ...interpretCall(exchange),
    cost: { micros: 1_000, currency: 'USD', price_version: 'dearer' },
  })
  await rebuild({ sql: database.sql, interpret: dearer, log: quiet })
  expect(await derivedState(database)).toEqual(before)
  await rebuild({ sql: database.sql, interpret: dearer, log: quiet, prices: true })
  const [sum] = await database.sql`select sum(cost_micros) as cost from exchanges`
  expect(Number(sum?.cost)).toBe(15_000)
})

test('R5: a rebuild that is stopped goes on where it was, and takes only its range', async () => {
  const exchanges = Array.from({ length: 150 }, (_, n) => called({ messages: [`user: range ${n}`] }))
  await stored(handlerOn(database.sql, { interpret: faulty }), exchanges)
  const stop = new AbortController()
  const range = { since: exchanges[10]?.open.started_at ?? 0, until: exchanges[140]?.open.started_at ?? 0 }
  let steps = 0
  const options = { sql: database.sql, interpret: interpretCall, log: quiet, ...range }
  const onProgress = () => {
    steps += 1
    if (steps === 2) stop.abort()
  }
  expect(await rebuild({ ...options, onProgress, signal: stop.signal })).toBeNull()
  const mended = async () => {
    const [row] = await database.sql`select count(*) as n from exchanges where model_served = 'scripted-1'`
    return Number(row?.n)
  }
  expect(await mended()).toBe(64)
  const seen: number[] = []
  const again = await rebuild({ ...options, onProgress: ({ done }) => void seen.push(done) })
  expect(again).toEqual({ done: 130, failed: 0 })
  expect(seen[0]).toBe(64)
  expect(await mended()).toBe(130)
})

test('R5: workers go on storing during a rebuild, into the same conversations', async () => {
  const handler = handlerOn(database.sql)
  const exchanges = traffic()
  for (const exchange of exchanges) await stored(handler, [exchange])
  const next = called({
    messages: [
      ...Array.from({ length: 5 }, (_, n) => [`user: bob asks ${n}`, `assistant: bob answers ${n}`]).flat(),
      'user: more',
    ],
    reply: 'yes',
  })
  await Promise.all([
    rebuild({ sql: database.sql, interpret: interpretCall, log: quiet, until: next.open.started_at }),
    stored(handler, [next]),
  ])
  const bob = exchanges[5]?.open.id ?? ''
  const turns =
    await database.sql`select number, text from turns where conversation_id = ${bob} order by number`
  expect(turns.length).toBe(13)
  expect(new Set(turns.map((turn) => turn.number)).size).toBe(13)
  const [row] = await database.sql`select exchanges, turns from conversations where id = ${bob}`
  expect(row).toEqual({ exchanges: 6, turns: 13 })
})

test('an exchange whose bytes are damaged is left as it is, and told of', async () => {
  const handler = handlerOn(database.sql)
  const [one, two] = [called({ messages: ['user: whole'] }), called({ messages: ['user: broken'] })]
  await stored(handler, [one, two])
  await database.sql`update contents set data = '\\x00' where id = ${two.open.id}`
  expect(await rebuild({ sql: database.sql, interpret: interpretCall, log: quiet })).toEqual({
    done: 1,
    failed: 1,
  })
  const turns = await database.sql`select from turns where exchange_id = ${two.open.id}`
  expect(turns.length).toBe(2)
})
