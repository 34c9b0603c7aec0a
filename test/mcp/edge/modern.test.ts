import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Answer } from '../../../src/mcp/wire/message.ts'
import { type TestDatabase, testDatabase } from '../../support/postgres.ts'
import { until } from '../../support/until.ts'
import { readEvents } from './events.ts'
import { modern, startEdge, type TestEdge } from './support.ts'

let database: TestDatabase
let edge: TestEdge
let aborted = 0

beforeAll(async () => {
  database = await testDatabase()
  edge = await startEdge({
    database,
    tools: {
      region: async () => ({ result: '{"resultType":"complete","content":[]}' }),
      needs: async () => ({ error: { code: -32021, message: 'x', data: '{"requiredCapabilities":{}}' } }),
      async progress({ notify }) {
        notify('notifications/progress', '{"progress":1}')
        return { result: '{"resultType":"complete","content":[]}' }
      },
      async hang({ signal, notify }) {
        notify('notifications/progress', '{"progress":1}')
        const { promise, resolve } = Promise.withResolvers<Answer>()
        signal.addEventListener('abort', () => {
          aborted += 1
          resolve({ result: '{}' })
        })
        return await promise
      },
      async ask({ ask }) {
        return { result: JSON.stringify(await ask('roots/list', '{}')) }
      },
    },
  })
}, 40_000)

afterAll(async () => {
  await edge.stop()
  await database.drop()
})

async function ask(method: string, params: object = {}, more: Record<string, string> = {}) {
  const { body, headers } = modern(method, params)
  return await edge.post(body, { ...headers, ...more })
}

test('each request says all about itself: revision, client, capabilities', async () => {
  const answer = await ask('tools/list')
  expect(answer.status).toBe(200)
  expect(answer.headers.get('mcp-session-id')).toBeNull()
  expect(edge.clients.at(-1)).toMatchObject({ era: 'modern', protocolVersion: '2026-07-28', session: null })
  expect(edge.clients.at(-1)?.info).toContain('"test"')
})

test('server/discover names revisions, capabilities and the server', async () => {
  const { result } = (await (await ask('server/discover')).json()) as { result: Record<string, unknown> }
  expect(result).toMatchObject({
    resultType: 'complete',
    supportedVersions: ['2026-07-28', '2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'],
    capabilities: { tools: { listChanged: true } },
    _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'sluice' } },
  })
})

test.each(['initialize', 'ping', 'logging/setLevel', 'resources/subscribe', 'made/up'])(
  '%s is no method of this revision: 404',
  async (method) => {
    const answer = await ask(method)
    expect(answer.status).toBe(404)
    expect(await answer.json()).toMatchObject({ id: 1, error: { code: -32601 } })
  },
)

test('a capability that is missing is a 400; a wrong tool is an answer like any', async () => {
  expect((await ask('tools/call', { name: 'needs' })).status).toBe(400)
  const unknown = await ask('tools/call', { name: 'nothing' })
  expect(unknown.status).toBe(200)
  expect(await unknown.json()).toMatchObject({ error: { code: -32602 } })
})

test('arguments that a tool wants in headers must be there, and the same', async () => {
  const params = { name: 'region', arguments: { region: 'zürich' } }
  expect((await ask('tools/call', params)).status).toBe(400)
  const encoded = `=?base64?${Buffer.from('zürich').toString('base64')}?=`
  expect((await ask('tools/call', params, { 'mcp-param-region': encoded })).status).toBe(200)
  const wrong = await ask('tools/call', params, { 'mcp-param-region': 'bern' })
  expect(await wrong.json()).toMatchObject({ error: { code: -32020 } })
})

test('a name that is no ASCII comes as Base64', async () => {
  const name = 'größe'
  const encoded = `=?base64?${Buffer.from(name).toString('base64')}?=`
  const { body, headers } = modern('tools/call', { name })
  const answer = await edge.post(body, { ...headers, 'mcp-name': encoded })
  expect(await answer.json()).toMatchObject({ error: { code: -32602, message: `Unknown tool: ${name}` } })
})

test('progress precedes the result on a stream, whose events have no ids', async () => {
  const events = readEvents(await ask('tools/call', { name: 'progress' }))
  expect(await events.next()).toMatchObject({ id: null, data: expect.stringContaining('progress') })
  expect(await events.message()).toMatchObject({ id: 1 })
  expect(await events.next()).toBeNull()
})

test('a client that hangs up has cancelled', async () => {
  const answer = await ask('tools/call', { name: 'hang' })
  await answer.body?.cancel()
  await until('the call is stopped', () => aborted === 1)
  await until('the record has it', () => edge.hops.at(-1)?.end?.outcome === 'client_gone')
})

test('a server of the other era cannot ask the client', async () => {
  const answer = await ask('tools/call', { name: 'ask' })
  expect(await answer.json()).toMatchObject({ result: { error: { code: -32601 } } })
})

test('subscriptions/listen says what it will tell of, then tells of that alone, with its id', async () => {
  const notifications = { toolsListChanged: true, resourceSubscriptions: ['test://a'] }
  const events = readEvents(await ask('subscriptions/listen', { notifications }))
  const tag = { 'io.modelcontextprotocol/subscriptionId': 1 }
  expect(await events.message()).toEqual({
    jsonrpc: '2.0',
    method: 'notifications/subscriptions/acknowledged',
    params: { _meta: tag, notifications },
  })
  const [listener] = [...edge.listeners]
  expect(listener?.interest).toMatchObject({ tools: true, prompts: false, resourceUris: ['test://a'] })
  listener?.tell({ kind: 'tools' })
  expect(await events.message()).toMatchObject({
    method: 'notifications/tools/list_changed',
    params: { _meta: tag },
  })
  listener?.tell({ kind: 'resource', params: '{"uri":"test://a"}' })
  expect(await events.message()).toMatchObject({ params: { uri: 'test://a', _meta: tag } })
  await events.cancel()
  await until('nobody listens', () => edge.listeners.size === 0)
})

test('a gateway that stops ends subscriptions with their result', async () => {
  const other = await startEdge({ database })
  const { body, headers } = modern('subscriptions/listen', { notifications: { toolsListChanged: true } })
  const events = readEvents(await other.post(body, headers))
  await events.message()
  const stopping = other.stop()
  expect(await events.message()).toMatchObject({ id: 1, result: { resultType: 'complete' } })
  await stopping
})

test('a filter is needed to listen', async () => {
  expect(await (await ask('subscriptions/listen')).json()).toMatchObject({ error: { code: -32602 } })
})
