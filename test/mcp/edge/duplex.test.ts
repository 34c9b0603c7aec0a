import { afterAll, beforeAll, expect, test } from 'bun:test'
import { until } from '../../support/until.ts'
import { type EverythingHttp, serveEverything } from '../fixtures/everything-http.ts'
import { startGateway, type TestGateway } from '../gateway.ts'
import { readEvents } from './events.ts'
import { openSocket } from './socket-client.ts'
import { modern } from './support.ts'

let gateway: TestGateway
let fixture: EverythingHttp

beforeAll(async () => {
  fixture = serveEverything()
  gateway = await startGateway({ MCP_SSE: 'true' })
  await gateway.api('POST', '/api/mcp/servers', { name: 'all', transport: 'http', url: fixture.url })
  await gateway.api('PUT', '/api/mcp/portals/plain', { servers: ['all'], namespace: false })
}, 40_000)

afterAll(async () => {
  await gateway.stop()
  await fixture.stop()
})

const key = () => ({ authorization: `Bearer ${gateway.adminKey}` })
const connect = (query = '') => openSocket(`${gateway.url}/mcp/ws${query}`, key())
const clientInfo = { name: 'test', version: '1' }
const initialize = (capabilities: object = {}) => ({
  jsonrpc: '2.0',
  id: 'init',
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities, clientInfo },
})
const call = (name: string, args: object = {}, id: string | number = 1) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: args },
})

test('a WebSocket speaks the legacy era: initialize, calls, what servers ask, changes', async () => {
  const client = await connect('?portal=plain')
  client.send(initialize({ sampling: {} }))
  expect(await client.next()).toMatchObject({ id: 'init', result: { protocolVersion: '2025-11-25' } })
  client.send({ jsonrpc: '2.0', method: 'notifications/initialized' })
  client.send(call('test_simple_text'))
  expect(await client.next()).toMatchObject({ id: 1, result: { content: [{ type: 'text' }] } })
  client.send(call('test_sampling', { prompt: 'Hello' }, 2))
  const asked = await client.next()
  expect(asked).toMatchObject({ method: 'sampling/createMessage' })
  const content = { type: 'text', text: 'Good day' }
  client.send({ jsonrpc: '2.0', id: asked.id, result: { role: 'assistant', model: 'm', content } })
  expect(await client.next()).toMatchObject({
    result: { content: [{ text: expect.stringContaining('Good day') }] },
  })
  fixture.world.toggle('tool')
  expect(await client.next()).toMatchObject({ method: 'notifications/tools/list_changed' })
  client.close()
})

test('the same WebSocket speaks the modern era: requests on their own, subscriptions, cancellation', async () => {
  const client = await connect('?portal=plain')
  client.send(modern('server/discover', {}, { id: 1 }).body)
  expect(await client.next()).toMatchObject({ id: 1, result: { resultType: 'complete' } })
  const notifications = { toolsListChanged: true }
  client.send(modern('subscriptions/listen', { notifications }, { id: 2 }).body)
  expect(await client.next()).toMatchObject({ method: 'notifications/subscriptions/acknowledged' })
  fixture.world.toggle('tool')
  expect(await client.next()).toMatchObject({
    method: 'notifications/tools/list_changed',
    params: { _meta: { 'io.modelcontextprotocol/subscriptionId': 2 } },
  })
  client.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 2 } })
  client.send(modern('tools/call', { name: 'wait', arguments: { ms: 60_000 } }, { id: 3 }).body)
  client.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 3 } })
  client.send(modern('tools/call', { name: 'test_simple_text', arguments: {} }, { id: 4 }).body)
  expect(await client.next()).toMatchObject({ id: 4, result: { resultType: 'complete' } })
  // C11: the other era, on the same connection.
  client.send(initialize())
  expect(await client.next()).toMatchObject({ id: 'init' })
  client.close()
})

test('what is wrong on a WebSocket is answered, and harms nothing', async () => {
  const client = await connect()
  const cases: [unknown, number][] = [
    ['{', -32700],
    ['42', -32600],
    [[call('x')], -32600],
    [call('x'), -32600],
    [{ jsonrpc: '2.0', id: 1, result: {} }, -32600],
    [modern('ping').body, -32601],
  ]
  for (const [message, code] of cases) {
    client.send(message)
    expect(await client.next()).toMatchObject({ error: { code } })
  }
  client.send(modern('tools/list').body)
  expect(await client.next()).toMatchObject({ id: 1, result: {} })
  client.close()
})

test('C10: a message over the limit is answered with an error that names it, and the connection goes on', async () => {
  const small = await startGateway({ BODY_MAX_BYTES: '2000' })
  const client = await openSocket(`${small.url}/mcp/ws`, { authorization: `Bearer ${small.adminKey}` })
  client.send(call('x', { text: 'é'.repeat(1_000) }))
  const { id, error } = await client.next()
  expect([id, error]).toEqual([
    null,
    expect.objectContaining({ code: -32600, data: { reason: 'body-too-large', limit_bytes: 2_000 } }),
  ])
  client.send(modern('tools/list').body)
  expect(await client.next()).toMatchObject({ id: 1, result: {} })
  client.send(call('x', { text: 'x'.repeat(5_000) }))
  expect(await client.closed).toBeGreaterThan(1_000)
  await small.stop()
})

test('a WebSocket needs a key, and a page of an allowed origin', async () => {
  const refused = [
    {},
    { authorization: 'Bearer sk-sluice-made-up' },
    { ...key(), origin: 'https://evil.example.com' },
  ]
  for (const headers of refused)
    await expect(openSocket(`${gateway.url}/mcp/ws`, headers as Record<string, string>)).rejects.toThrow()
  const plain = await fetch(`${gateway.url}/mcp/ws`, { headers: key() })
  expect(plain.status).toBe(426)
})

test('a WebSocket does not outlive its key', async () => {
  const made = await gateway.api<{ id: string; key: string }>('POST', '/api/keys', {
    name: 'for a while',
    scopes: ['call'],
  })
  const client = await openSocket(`${gateway.url}/mcp/ws`, { authorization: `Bearer ${made.key}` })
  client.send(modern('tools/list').body)
  expect(await client.next()).toMatchObject({ id: 1, result: {} })
  await gateway.api('POST', `/api/keys/${made.id}/revoke`)
  client.send(modern('tools/list').body)
  expect(await client.next()).toMatchObject({ error: { message: expect.stringContaining('revoked') } })
  expect(await client.closed).toBe(1008)
}, 15_000)

test('frames of a WebSocket are on record', async () => {
  const client = await connect('?portal=plain')
  client.send(modern('tools/call', { name: 'test_simple_text', arguments: {} }, { id: 77 }).body)
  await client.next()
  client.close()
  const { total } = await gateway.api<{ total: { accepted: number } }>('GET', '/api/ledger')
  expect(total.accepted).toBeGreaterThan(3)
})

test('the transport of 2024-11-05: a stream that names an address, and messages posted there', async () => {
  const stream = readEvents(await fetch(`${gateway.url}/sse`, { headers: key() }))
  const address = (await stream.next())?.data ?? ''
  expect(address).toStartWith('/messages?session=')
  const post = async (message: unknown, headers: Record<string, string> = key()) => {
    const init = { method: 'POST', headers, body: JSON.stringify(message) }
    return (await fetch(`${gateway.url}${address}`, init)).status
  }
  const first = initialize()
  first.params.protocolVersion = '2024-11-05'
  expect(await post(first)).toBe(202)
  expect(await stream.message()).toMatchObject({ id: 'init', result: { protocolVersion: '2024-11-05' } })
  await post({ jsonrpc: '2.0', method: 'notifications/initialized' })
  await post(call('all__test_simple_text'))
  expect(await stream.message()).toMatchObject({ id: 1, result: { content: [{ type: 'text' }] } })
  fixture.world.toggle('tool')
  expect(await stream.message()).toMatchObject({ method: 'notifications/tools/list_changed' })
  expect(await post(call('x'), {})).toBe(401)
  await stream.cancel()
  await until('the stream is forgotten', async () => (await post(call('x'))) === 404)
})
