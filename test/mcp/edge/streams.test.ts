import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Answer } from '../../../src/mcp/wire/message.ts'
import { leastGrowth } from '../../support/growth.ts'
import { type TestDatabase, testDatabase } from '../../support/postgres.ts'
import { promptly } from '../../support/promptly.ts'
import { until } from '../../support/until.ts'
import { readEvents } from './events.ts'
import { rawListeners } from './raw-listeners.ts'
import { keys, modern, sessionOn, startEdge, type TestEdge } from './support.ts'

const done: Answer = { result: '{"content":[]}' }
const waiting = new Map<string, (answer: Answer) => void>()
const large = `{"data":"${'x'.repeat(60_000)}"}`
const listChanged = { method: 'notifications/tools/list_changed' }
const call = (name: string) => ({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name } })

let database: TestDatabase
let edge: TestEdge

beforeAll(async () => {
  database = await testDatabase()
  edge = await startEdge({
    database,
    edge: { heartbeatMs: 20, limits: { keepAliveMs: 150, writeTimeoutMs: 500, queueBytes: 200_000 } },
    tools: {
      async steps({ notify }) {
        for (const progress of [1, 2, 3]) notify('notifications/progress', `{"progress":${progress}}`)
        const { promise, resolve } = Promise.withResolvers<Answer>()
        waiting.set('steps', resolve)
        return await promise
      },
      async heap({ notify }) {
        notify('notifications/progress', '{"progress":0}')
        const { promise: more, resolve: send } = Promise.withResolvers<Answer>()
        waiting.set('heap', send)
        await more
        for (let at = 0; at < 4; at += 1) notify('notifications/message', large)
        const { promise, resolve } = Promise.withResolvers<Answer>()
        waiting.set('heap', resolve)
        return await promise
      },
      async flood({ notify, signal }) {
        const more = `{"data":"${'x'.repeat(60_000)}"}`
        while (!signal.aborted) {
          notify('notifications/message', more)
          await Bun.sleep(0) // for the other calls and clients
        }
        return done
      },
      quick: async () => done,
    },
  })
}, 40_000)

afterAll(async () => {
  await edge.stop()
  await database.drop()
})

/** The listener that came last. */
const newest = () => [...edge.listeners].at(-1)

test('C7: a stream that has nothing to say shows that it lives', async () => {
  const session = await edge.session()
  const events = readEvents(await session.get())
  await events.block()
  expect(await events.block()).toMatchObject({ comment: true })
  expect(await events.block()).toMatchObject({ comment: true })
  await events.cancel()
})

test('C7: re-opening GET on a live session is 200, and the new stream takes over', async () => {
  const session = await edge.session()
  const first = readEvents(await session.get())
  await first.next()
  const answer = await session.get()
  expect(answer.status).toBe(200)
  const second = readEvents(answer)
  expect(await first.next()).toBeNull()
  await second.next()
  // It may have missed something between the two.
  expect(await second.message()).toMatchObject(listChanged)
  await second.cancel()
})

test('a first stream is told of changes alone', async () => {
  const session = await edge.session()
  const events = readEvents(await session.get())
  expect(await events.next()).toMatchObject({ data: '' })
  newest()?.tell({ kind: 'prompts' })
  expect(await events.message()).toMatchObject({ method: 'notifications/prompts/list_changed' })
  await events.cancel()
})

test('a stream of before a restart goes on after it: it is told once that the lists may have changed', async () => {
  const session = await edge.session()
  const events = readEvents(await session.get())
  const lastSeen = (await events.next())?.id ?? ''
  const other = await startEdge({ database })
  const again = await sessionOn(other, session.id).get({ 'last-event-id': lastSeen })
  expect(again.status).toBe(200)
  const resumed = readEvents(again)
  await resumed.next()
  expect(await resumed.message()).toMatchObject(listChanged)
  await resumed.cancel()
  await events.cancel()
  await other.stop()
})

test('a call whose stream broke off goes on where the client saw it last', async () => {
  const session = await edge.session()
  const answer = await session.post(call('steps'))
  const events = readEvents(answer)
  await events.next()
  const first = await events.next()
  await events.cancel()
  const resumed = readEvents(await session.get({ 'last-event-id': first?.id ?? '' }))
  expect(await resumed.message()).toMatchObject({ params: { progress: 2 } })
  waiting.get('steps')?.(done)
  expect(await resumed.message()).toMatchObject({ params: { progress: 3 } })
  expect(await resumed.message()).toMatchObject({ id: 1, result: { content: [] } })
  expect(await resumed.next()).toBeNull()
})

test('C13: more than the limit may be missed: all of it comes at once, and does not cut off who comes back', async () => {
  const session = await edge.session()
  const events = readEvents(await session.post(call('heap')))
  await events.next()
  const first = await events.next()
  await events.cancel()
  waiting.get('heap')?.(done)
  const resumed = readEvents(await session.get({ 'last-event-id': first?.id ?? '' }))
  const message = { method: 'notifications/message' }
  for (let at = 0; at < 4; at += 1) expect(await resumed.message()).toMatchObject(message)
  waiting.get('heap')?.(done)
  expect(await resumed.message()).toMatchObject({ id: 1, result: { content: [] } })
  expect(await resumed.next()).toBeNull()
})

test('a call that this gateway does not know comes from the record; where it broke off, with an error', async () => {
  const exchange = Bun.randomUUIDv7()
  const data = `{"jsonrpc":"2.0","method":"x","params":${large}}`
  let recorded: string | null = null
  const other = await startEdge({
    database,
    edge: { limits: { queueBytes: 1_000 } },
    async eventsAfter({ tenant }, id, n) {
      if (tenant !== 'acme' || id !== exchange || n !== 1) return null
      const sse = `id: ${exchange}_2\ndata: ${data}\n\n`
      return { sse, last: 2, final: false, ended: true, requestId: 9, keyId: 'a', session: recorded }
    },
  })
  const session = await other.session()
  const foreign = await session.get({ 'last-event-id': `${exchange}_1` })
  expect(foreign.status).toBe(400)
  await session.post(call('quick'))
  recorded = other.hops.at(-1)?.open.session ?? null
  const events = readEvents(await session.get({ 'last-event-id': `${exchange}_1` }))
  expect(await events.next()).toMatchObject({ id: `${exchange}_2`, data })
  expect(await events.message()).toMatchObject({ id: 9, error: { code: -32603 } })
  expect(await events.next()).toBeNull()
  const unknown = await session.get({ 'last-event-id': `${exchange}_7` })
  expect(unknown.status).toBe(400)
  expect((await session.get({ 'last-event-id': 'nonsense' })).status).toBe(400)
  await other.stop()
})

test('C13: a client that takes nothing is cut off, and others do not notice', async () => {
  const { body, headers } = modern('tools/call', { name: 'flood' })
  const session = await edge.session()
  const grown = await leastGrowth(async () => {
    const stuck = await edge.post(body, headers)
    const hop = edge.hops.at(-1)
    for (let at = 0; at < 50; at += 1) {
      const answer = await session.post(call('quick'))
      expect(answer.status).toBe(200)
      await answer.text()
    }
    await until('the stuck client is cut off', () => hop?.end?.outcome === 'client_gone')
    await stuck.body?.cancel().catch(() => {})
  })
  expect(grown).toBeLessThan(100)
})

test('C13: a socket that is read no more is given up when its time is over, be its queue short', async () => {
  const patient = await startEdge({
    database,
    edge: {
      heartbeatMs: 20,
      limits: { keepAliveMs: 150, writeTimeoutMs: 300, queueBytes: 64 * 1024 * 1024 },
    },
    tools: {
      async much({ notify, signal }) {
        const more = `{"data":"${'x'.repeat(100_000)}"}`
        for (let at = 0; at < 200; at += 1) notify('notifications/message', more)
        const { promise, resolve } = Promise.withResolvers<Answer>()
        signal.addEventListener('abort', () => resolve(done))
        return await promise
      },
    },
  })
  const { hostname, port, host } = new URL(patient.url)
  const { body, headers } = modern('tools/call', { name: 'much' })
  const text = JSON.stringify(body)
  const sent = {
    host,
    authorization: 'Bearer sk-sluice-a',
    'content-length': String(text.length),
    ...headers,
  }
  const head = Object.entries(sent).map(([name, value]) => `${name}: ${value}\r\n`)
  const stuck = await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      open(socket) {
        socket.write(`POST /mcp HTTP/1.1\r\n${head.join('')}\r\n${text}`)
        socket.pause()
      },
      data() {},
    },
  })
  await until('it is given up', () => patient.hops.at(-1)?.end?.outcome === 'client_gone')
  stuck.end()
  await patient.stop()
})

test('a stream does not outlive the key that it was opened with', async () => {
  const key = 'sk-sluice-for-a-while'
  keys[key] = { ...(keys['sk-sluice-a'] as NonNullable<(typeof keys)[string]>), keyId: 'while' }
  const authorization = `Bearer ${key}`
  const { body, headers } = modern('subscriptions/listen', { notifications: { toolsListChanged: true } })
  const listening = readEvents(await edge.post(body, { ...headers, authorization }))
  await listening.message()
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } }
  const begun = await edge.post({ jsonrpc: '2.0', id: 0, method: 'initialize', params }, { authorization })
  const session = sessionOn(edge, begun.headers.get('mcp-session-id') ?? '')
  const unasked = readEvents(await session.get({ authorization }))
  await unasked.next()
  delete keys[key]
  expect(await listening.next()).toBeNull()
  expect(await unasked.next()).toBeNull()
})

test('1,000 listeners are told of a change within a second', async () => {
  const { body, headers } = modern('subscriptions/listen', { notifications: { toolsListChanged: true } })
  const authorization = 'Bearer sk-sluice-a'
  const listeners = await rawListeners(1_000, {
    url: edge.url,
    body: JSON.stringify(body),
    headers: { ...headers, authorization, 'content-type': 'application/json' },
  })
  let times = 0
  await promptly('all are told', 1_000, async () => {
    times += 1
    for (const { tell } of edge.listeners) tell({ kind: 'tools' })
    await until('all heard it', () => listeners.heard('tools/list_changed', times) === 1_000)
  })
  listeners.close()
  await until('nobody listens', () => edge.listeners.size === 0)
}, 30_000)
