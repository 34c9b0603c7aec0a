import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { RecordedExchange } from '../../src/capture/exchange.ts'
import { rebuild } from '../../src/capture/storing/rebuild.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { called, handlerOn, interpretCall, quiet, stored } from './store-support.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await testDatabase()
}, 60_000)

afterAll(async () => {
  await database.drop()
})

/** An agent's thread: every call resends what was said, and asks one thing more. */
function thread(name: string, length: number, extra: object = {}): RecordedExchange[] {
  const messages = [`system: you are ${name}`]
  return Array.from({ length }, (_, n) => {
    messages.push(`user: ${name} asks ${n}`)
    const call = called({ messages: [...messages], reply: `${name} answers ${n}`, ...extra })
    messages.push(`assistant: ${name} answers ${n}`)
    return call
  })
}

async function conversationOf(exchange: RecordedExchange): Promise<string | null> {
  const [row] = await database.sql`select conversation_id from exchanges where id = ${exchange.open.id}`
  return row?.conversation_id ?? null
}

async function conversationsOf(exchanges: RecordedExchange[]): Promise<Set<string | null>> {
  return new Set(await Promise.all(exchanges.map(conversationOf)))
}

async function readTurns(conversation: string | null): Promise<string[]> {
  const rows = await database.sql`
    select role, text, number from turns where conversation_id = ${conversation} order by number`
  expect(rows.map((row) => row.number)).toEqual(rows.map((_, index) => index + 1))
  return rows.map((row) => `${row.role}: ${row.text}`)
}

function saidIn(name: string, length: number): string[] {
  const said = Array.from({ length }, (_, n) => [
    `user: ${name} asks ${n}`,
    `assistant: ${name} answers ${n}`,
  ])
  return [`system: you are ${name}`, ...said.flat()]
}

function shuffled<T>(list: T[]): T[] {
  return list
    .map((item, n) => ({ item, at: Math.sin(n * 7919) }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}

test('a session is one conversation whose turns are there once, with its sums', async () => {
  const exchanges = thread('ann', 6, { session: 's-ann' })
  const handler = handlerOn(database.sql)
  for (const exchange of exchanges) await stored(handler, [exchange])
  const [id, ...others] = [...(await conversationsOf(exchanges))]
  expect(others).toEqual([])
  expect(await readTurns(id ?? null)).toEqual(saidIn('ann', 6))
  const [row] = await database.sql`select * from conversations where id = ${id ?? null}`
  expect(row).toMatchObject({
    tenant: 'default',
    client: 'scripted',
    session: 's-ann',
    exchanges: 6,
    turns: 13,
    models: ['scripted-1'],
    input_tokens: 60,
    output_tokens: 30,
    cache_read_tokens: 12,
    cost_micros: 42,
    title: null,
  })
  expect(row?.started_at.getTime()).toBe(Math.floor(exchanges[0]?.open.started_at ?? 0))
  expect(row?.last_at.getTime()).toBe(Math.floor(exchanges[5]?.end.ended_at ?? 0))
})

test('sub-agents are conversations below the one that started them, whichever comes first', async () => {
  const handler = handlerOn(database.sql)
  const grandchild = called({ messages: ['user: look deeper'], session: 's-tree', agent: 'b', parent: 'a' })
  const child = called({ messages: ['user: look'], session: 's-tree', agent: 'a' })
  const main = called({ messages: ['user: find it'], session: 's-tree' })
  for (const exchange of [grandchild, child, main]) await stored(handler, [exchange])
  const rows = await database.sql`select id, parent_id, agent from conversations where session = 's-tree'`
  const by = (agent: string | null) => rows.find((row) => row.agent === agent)
  expect(by('b')?.parent_id).toBe(by('a')?.id)
  expect(by('a')?.parent_id).toBe(by(null)?.id)
  expect(by(null)?.parent_id).toBeNull()
})

test('the same session name in another tenant is another conversation', async () => {
  const handler = handlerOn(database.sql)
  const call = { messages: ['user: mine'], session: 's-shared' }
  const pair = [called(call), called(call, { open: { tenant: 'other' } })]
  await stored(handler, pair)
  expect((await conversationsOf(pair)).size).toBe(2)
})

test('an edit early in a resent history adds the edit and not the history again', async () => {
  const handler = handlerOn(database.sql)
  const said = ['user: one', 'assistant: 1', 'user: two', 'assistant: 2', 'user: three', 'assistant: 3']
  const first = called({ messages: [...said, 'user: four'], reply: '4', session: 's-edit' })
  const cleared = said.with(1, 'assistant: (cleared)')
  const next = called({
    messages: [...cleared, 'user: four', 'assistant: 4', 'user: five'],
    reply: '5',
    session: 's-edit',
  })
  await stored(handler, [first])
  await stored(handler, [next])
  const turns = await readTurns(await conversationOf(first))
  expect(turns.slice(8)).toEqual(['assistant: (cleared)', 'user: two', 'user: five', 'assistant: 5'])
})

test('a history without a session is found again by what it resends', async () => {
  const exchanges = thread('bob', 5)
  const handler = handlerOn(database.sql)
  for (const exchange of exchanges) await stored(handler, [exchange])
  expect(await conversationsOf(exchanges)).toEqual(new Set([exchanges[0]?.open.id ?? null]))
  expect(await readTurns(exchanges[0]?.open.id ?? null)).toEqual(saidIn('bob', 5))
})

test('within one batch, and in batches that arrive in any order, a history is still one conversation', async () => {
  const handler = handlerOn(database.sql)
  const together = thread('cat', 5)
  await stored(handler, together)
  expect((await conversationsOf(together)).size).toBe(1)
  for (const order of [thread('dan', 6).reverse(), shuffled(thread('eve', 8))]) {
    for (const exchange of order) await stored(handler, [exchange])
    expect((await conversationsOf(order)).size).toBe(1)
    const name = order[0]?.open.id === undefined ? '' : order.length === 6 ? 'dan' : 'eve'
    const [id = null] = await conversationsOf(order)
    expect((await readTurns(id)).toSorted()).toEqual(saidIn(name, order.length).toSorted())
  }
})

test('conversations that begin with the same words stay apart', async () => {
  const handler = handlerOn(database.sql)
  const start = { messages: ['user: hello'], reply: 'hi' }
  const [one, two] = [called(start), called(start)]
  await stored(handler, [one, two])
  const carriedOn = (text: string) =>
    called({ messages: ['user: hello', 'assistant: hi', `user: ${text}`], reply: text })
  const [first, second] = [carriedOn('first'), carriedOn('second')]
  await stored(handler, [first])
  await stored(handler, [second])
  expect((await conversationsOf([one, two])).size).toBe(2)
  expect((await conversationsOf([first, second])).size).toBe(2)
  const before = await conversationsOf([one, first])
  await rebuild({ sql: database.sql, interpret: interpretCall, log: quiet })
  expect((await conversationsOf([one, two])).size).toBe(2)
  expect((await conversationsOf([first, second])).size).toBe(2)
  expect(await conversationsOf([one, first])).toEqual(before)
})

test('the same question with the same answer is a conversation each time, in whatever order they come', async () => {
  const handler = handlerOn(database.sql)
  const twins = Array.from({ length: 9 }, () => called({ messages: ['user: ping'], reply: 'pong' }))
  for (const exchange of shuffled(twins)) await stored(handler, [exchange])
  expect((await conversationsOf(twins)).size).toBe(9)
  await rebuild({ sql: database.sql, interpret: interpretCall, log: quiet })
  expect((await conversationsOf(twins)).size).toBe(9)
  for (const exchange of twins)
    expect(await readTurns(exchange.open.id)).toEqual(['user: ping', 'assistant: pong'])
})

test('examples that every prompt begins with make no thread', async () => {
  const handler = handlerOn(database.sql)
  const examples = ['user: 1+1', 'assistant: 2', 'user: 2+2', 'assistant: 4']
  const asked = ['3+3', '4+4', '5+5'].map((sum) =>
    called({ messages: [...examples, `user: ${sum}`], reply: sum }),
  )
  for (const exchange of asked) await stored(handler, [exchange])
  expect((await conversationsOf(asked)).size).toBe(3)
})

test('a retry of a longer history stays in its conversation, also after a failure', async () => {
  const handler = handlerOn(database.sql)
  const asked = { messages: ['user: unseen start', 'assistant: yes', 'user: go on'] }
  const tries = [
    called({ ...asked, reply: null }),
    called({ ...asked, reply: 'done' }),
    called({ ...asked, reply: 'redone' }),
  ]
  for (const exchange of tries) await stored(handler, [exchange])
  expect((await conversationsOf(tries)).size).toBe(1)
  expect(await readTurns(await conversationOf(tries[0] as RecordedExchange))).toEqual([
    ...asked.messages,
    'assistant: done',
    'assistant: redone',
  ])
})

test('two workers on the same conversations at once number every turn once and lose none', async () => {
  const handlers = [handlerOn(database.sql), handlerOn(database.sql)]
  // No longer than the answers that are looked for out of order: past that a late beginning may stay apart.
  const named = thread('fay', 16, { session: 's-fay' })
  const unnamed = thread('gus', 16)
  const batches = shuffled([...named, ...unnamed])
  await Promise.all(
    handlers.map(async (handler, worker) => {
      for (const [n, exchange] of batches.entries()) if (n % 2 === worker) await stored(handler, [exchange])
    }),
  )
  for (const [name, exchanges] of [
    ['fay', named],
    ['gus', unnamed],
  ] as const) {
    const ids = await conversationsOf(exchanges)
    expect(ids.size).toBe(1)
    const [id = null] = ids
    expect((await readTurns(id)).toSorted()).toEqual(saidIn(name, 16).toSorted())
    const [row] = await database.sql`select exchanges, turns from conversations where id = ${id}`
    expect(row).toEqual({ exchanges: 16, turns: 33 })
  }
})

test('two workers that begin one thread at the same moment, out of order, make one of it', async () => {
  const [one, other] = [handlerOn(database.sql), handlerOn(database.sql)]
  for (let round = 0; round < 20; round += 1) {
    const exchanges = thread(`hal ${round}`, 16)
    const [late, later] = [exchanges[12], exchanges[15]]
    if (late === undefined || later === undefined) throw new Error('a thread of 16')
    await Promise.all([stored(one, [late]), stored(other, [later])])
    expect((await conversationsOf([late, later])).size).toBe(1)
  }
})

test('what the gateway refused is no conversation', async () => {
  const exchange = called(
    { messages: ['user: let me in'], reply: null },
    { end: { outcome: 'rejected', status: 401 } },
  )
  await stored(handlerOn(database.sql), [exchange])
  expect(await conversationOf(exchange)).toBeNull()
})
