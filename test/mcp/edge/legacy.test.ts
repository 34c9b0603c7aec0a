import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Answer } from '../../../src/mcp/wire/message.ts'
import { type TestDatabase, testDatabase } from '../../support/postgres.ts'
import { until } from '../../support/until.ts'
import { readEvents } from './events.ts'
import { modern, startEdge, type TestEdge } from './support.ts'

const call = (name: string, id: string | number = 1) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: {}, _meta: { progressToken: 'p' } },
})
const done: Answer = { result: '{"content":[]}' }
const waiting = new Map<string, (answer: Answer) => void>()
const aborted: string[] = []

let database: TestDatabase
let edge: TestEdge

beforeAll(async () => {
  database = await testDatabase()
  edge = await startEdge({
    database,
    tools: {
      quick: async () => done,
      async progress({ notify }) {
        notify('notifications/progress', '{"progressToken":"p","progress":1}')
        const { promise, resolve } = Promise.withResolvers<Answer>()
        waiting.set('progress', resolve)
        return await promise
      },
      async ask({ ask }) {
        const answer = await ask('sampling/createMessage', '{"messages":[]}')
        return { result: JSON.stringify({ answer }) }
      },
      async slow({ signal }) {
        const { promise, resolve } = Promise.withResolvers<Answer>()
        signal.addEventListener('abort', () => {
          aborted.push('slow')
          resolve(done)
        })
        waiting.set('slow', resolve)
        return await promise
      },
    },
  })
}, 40_000)

afterAll(async () => {
  await edge.stop()
  await database.drop()
})

test('a session begins with initialize, and its header is all that there is of it', async () => {
  const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'x', version: '1' } }
  const answer = await edge.post({ jsonrpc: '2.0', id: 0, method: 'initialize', params })
  expect(answer.headers.get('mcp-session-id')).toMatch(/^[\w.-]+$/)
  const { result } = (await answer.json()) as { result: Record<string, unknown> }
  expect(result).toMatchObject({
    protocolVersion: '2025-06-18',
    capabilities: { tools: { listChanged: true } },
  })
  const rows = await database.sql`select * from mcp_sessions`
  expect(rows).toHaveLength(0)
})

test('a client that asks for a revision that nobody knows gets the newest with sessions', async () => {
  const params = { protocolVersion: '1999-01-01', capabilities: {}, clientInfo: { name: 'x', version: '1' } }
  const answer = await edge.post({ jsonrpc: '2.0', id: 0, method: 'initialize', params })
  expect(await answer.json()).toMatchObject({ result: { protocolVersion: '2025-11-25' } })
})

test('C11: initialize is accepted after server/discover, from the same client', async () => {
  const { body, headers } = modern('server/discover')
  const discovered = await edge.post(body, headers)
  expect(await discovered.json()).toMatchObject({ result: { supportedVersions: expect.any(Array) } })
  const session = await edge.session()
  const answer = await session.post({ jsonrpc: '2.0', id: 1, method: 'tools/list' })
  expect(answer.status).toBe(200)
})

test('an answer that nothing precedes is one JSON object, and it is on record when it is there', async () => {
  const session = await edge.session()
  const answer = await session.post(call('quick'))
  expect(answer.headers.get('content-type')).toBe('application/json')
  expect(await answer.json()).toEqual({ jsonrpc: '2.0', id: 1, result: { content: [] } })
  const hop = edge.hops.at(-1)
  expect(hop?.open).toMatchObject({ rpc: 'tools/call', name: 'quick', tenant: 'acme', keyId: 'a' })
  expect(hop?.response).toContain('"result"')
  expect(hop?.end).toMatchObject({ outcome: 'completed', status: 200 })
})

test('C2: progress comes while the call runs, on the stream of that call', async () => {
  const session = await edge.session()
  const answer = await session.post(call('progress'))
  expect(answer.headers.get('content-type')).toBe('text/event-stream')
  expect(answer.headers.get('x-accel-buffering')).toBe('no')
  const events = readEvents(answer)
  expect(await events.next()).toMatchObject({ data: '', id: expect.stringMatching(/_0$/) })
  expect(await events.message()).toMatchObject({ method: 'notifications/progress', params: { progress: 1 } })
  waiting.get('progress')?.(done)
  expect(await events.message()).toMatchObject({ id: 1, result: { content: [] } })
  expect(await events.next()).toBeNull()
})

test('clients of before 2025-11-25 get no event without data', async () => {
  const session = await edge.session('2025-06-18')
  const events = readEvents(await session.post(call('progress')))
  expect(await events.message()).toMatchObject({ method: 'notifications/progress' })
  waiting.get('progress')?.(done)
  await events.message()
})

test('what a server asks comes on the stream of the call, and its answer by a POST of its own', async () => {
  const session = await edge.session('2025-11-25', { sampling: {} })
  const events = readEvents(await session.post(call('ask')))
  await events.next()
  const { id, method } = await events.message()
  expect(method).toBe('sampling/createMessage')
  const taken = await session.post({ jsonrpc: '2.0', id, result: { role: 'assistant' } })
  expect(taken.status).toBe(202)
  expect(await events.message()).toMatchObject({
    result: { answer: { result: expect.stringContaining('assistant') } },
  })
  const again = await session.post({ jsonrpc: '2.0', id, result: {} })
  expect(again.status).toBe(400)
})

test('an answer, and a cancellation, may come to another gateway than the call', async () => {
  const session = await edge.session('2025-11-25', { sampling: {} })
  const other = await startEdge({ database })
  const events = readEvents(await session.post(call('ask')))
  await events.next()
  const { id } = await events.message()
  const result = { role: 'assistant' }
  expect((await other.post({ jsonrpc: '2.0', id, result }, session.headers)).status).toBe(202)
  expect(await events.message()).toMatchObject({ id: 1, result: { answer: { result: expect.any(String) } } })
  aborted.length = 0
  waiting.clear()
  const slow = session.post(call('slow', 'c-2'))
  await until('the call to arrive', () => waiting.has('slow'))
  const cancelled = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'c-2' } }
  await other.post(cancelled, session.headers)
  expect(await (await slow).text()).not.toContain('"result"')
  expect(aborted).toEqual(['slow'])
  await other.stop()
})

test('a client that said nothing of sampling is not asked', async () => {
  const session = await edge.session()
  const answer = await session.post(call('ask'))
  expect(await answer.json()).toMatchObject({ result: { answer: { error: { code: -32601 } } } })
})

test('a cancelled call is stopped and gets no response', async () => {
  const session = await edge.session()
  aborted.length = 0
  waiting.clear()
  const answering = session.post(call('slow', 'c-1'))
  await until('the call to arrive', () => waiting.has('slow'))
  const params = { requestId: 'c-1' }
  await session.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params })
  const text = await (await answering).text()
  expect(text).not.toContain('"result"')
  expect(aborted).toEqual(['slow'])
})

test('a call without an answer for a while becomes a stream, so that it can show that it lives', async () => {
  const session = await edge.session()
  const answer = await session.post(call('slow'))
  expect(answer.headers.get('content-type')).toBe('text/event-stream')
  waiting.get('slow')?.(done)
  const events = readEvents(answer)
  await events.next()
  expect(await events.message()).toMatchObject({ id: 1, result: { content: [] } })
})

test('log level and subscriptions of a session are stored, and come back where it is taken up', async () => {
  const session = await edge.session()
  const level = { level: 'warning' }
  await session.post({ jsonrpc: '2.0', id: 1, method: 'logging/setLevel', params: level })
  const uri = 'test://a'
  await session.post({ jsonrpc: '2.0', id: 2, method: 'resources/subscribe', params: { uri } })
  await until('it is stored', async () => {
    const rows = await database.sql`select * from mcp_sessions where resource_uris = ${[uri]}`
    return rows.length === 1
  })
  const other = await startEdge({ database })
  const headers = { ...session.headers }
  await other.post({ jsonrpc: '2.0', id: 3, method: 'tools/list' }, headers)
  expect(other.clients.at(-1)?.logLevel).toBe('warning')
  const stream = await fetch(other.url, {
    headers: { ...headers, authorization: 'Bearer sk-sluice-a', accept: 'text/event-stream' },
  })
  expect([...other.listeners][0]?.interest.resourceUris).toEqual([uri])
  await stream.body?.cancel()
  await other.stop()
})

test('DELETE ends a session, on every gateway', async () => {
  const session = await edge.session()
  const other = await startEdge({ database })
  const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' }
  expect((await other.post(list, session.headers)).status).toBe(200)
  const ended = await fetch(edge.url, {
    method: 'DELETE',
    headers: { ...session.headers, authorization: 'Bearer sk-sluice-a' },
  })
  expect(ended.status).toBe(204)
  expect((await session.post(list)).status).toBe(404)
  await until('the other gateway knows', async () => (await other.post(list, session.headers)).status === 404)
  await other.stop()
})

test('a batch of 2025-03-26 is answered as an array; later revisions have none', async () => {
  const session = await edge.session('2025-03-26')
  const batch = [
    call('quick', 1),
    { jsonrpc: '2.0', method: 'notifications/initialized' },
    { jsonrpc: '2.0', id: 2, method: 'ping' },
  ]
  const answers = (await (await session.post(batch)).json()) as { id: number }[]
  expect(answers.map(({ id }) => id).sort()).toEqual([1, 2])
  const silent = await session.post([{ jsonrpc: '2.0', method: 'notifications/initialized' }])
  expect(silent.status).toBe(202)
  const newer = await (await edge.session()).post(batch)
  expect(newer.status).toBe(400)
  expect(await newer.json()).toMatchObject({ error: { code: -32600 } })
})
