import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { EdgeOptions } from '../../../src/mcp/edge/open-edge.ts'
import { holdsSecret, mayHoldSecret } from '../../../src/mcp/own/sensitive.ts'
import { type TestDatabase, testDatabase } from '../../support/postgres.ts'
import { modern, startEdge, type TestEdge } from './support.ts'

let database: TestDatabase
let edge: TestEdge

beforeAll(async () => {
  database = await testDatabase()
  edge = await startEdge({ database })
}, 40_000)

afterAll(async () => {
  await edge.stop()
  await database.drop()
})

const list = { jsonrpc: '2.0', id: 7, method: 'tools/list' }
const meta = (changes: object) => modern('tools/list', {}, { meta: changes }).body
const headers = modern('tools/list').headers
const without = (name: string) => Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name))
const version = 'io.modelcontextprotocol/protocolVersion'

type Case = [what: string, body: unknown, headers: Record<string, string>, status: number, code: number]

const cases: Case[] = [
  ['no JSON', '{"jsonrpc":', {}, 400, -32700],
  ['an empty body', '', {}, 400, -32700],
  ['bytes that are no UTF-8', '\u{fffd}{', {}, 400, -32700],
  ['a number', '42', {}, 400, -32600],
  ['another version of JSON-RPC', { ...list, jsonrpc: '1.0' }, {}, 400, -32600],
  ['no version of JSON-RPC', { id: 1, method: 'ping' }, {}, 400, -32600],
  ['an id that is null', { ...list, id: null }, {}, 400, -32600],
  ['an id that is an object', { ...list, id: {} }, {}, 400, -32600],
  [
    'an id that is too large to come back as it was',
    '{"jsonrpc":"2.0","id":12345678901234567890,"method":"ping"}',
    {},
    400,
    -32600,
  ],
  ['an id without end', '{"jsonrpc":"2.0","id":1e999,"method":"ping"}', {}, 400, -32600],
  ['arrays in arrays without end', '['.repeat(90_000), {}, 400, -32700],
  ['a compressed body', list, { 'content-encoding': 'gzip' }, 415, -32600],
  ['a method that is a number', { ...list, method: 1 }, {}, 400, -32600],
  ['an empty batch', '[]', {}, 400, -32600],
  ['a batch with what is no message', '[1]', {}, 400, -32600],
  ['a batch that is no JSON', '[{]', {}, 400, -32700],
  ['a batch with initialize', [{ ...list, method: 'initialize' }], {}, 400, -32600],
  ['a batch without a session', [list], {}, 400, -32600],
  ['no session', list, {}, 400, -32600],
  ['a session that was made up', list, { 'mcp-session-id': 'made.up' }, 404, -32600],
  ['initialize without a revision', { ...list, method: 'initialize', params: {} }, {}, 400, -32602],
  ['a revision that nobody knows', list, { 'mcp-protocol-version': '1999-01-01' }, 400, -32022],
  ['the new revision without _meta', list, headers, 400, -32602],
  [
    '_meta without capabilities',
    meta({ 'io.modelcontextprotocol/clientCapabilities': null }),
    headers,
    400,
    -32602,
  ],
  ['_meta without a revision', meta({ [version]: undefined }), headers, 400, -32602],
  ['_meta with a revision that is a number', meta({ [version]: 1 }), headers, 400, -32602],
  [
    'a revision of the future',
    meta({ [version]: '2099-01-01' }),
    { ...headers, 'mcp-protocol-version': '2099-01-01' },
    400,
    -32022,
  ],
  ['revisions that differ', meta({ [version]: '2099-01-01' }), headers, 400, -32020],
  ['no MCP-Protocol-Version', meta({}), without('mcp-protocol-version'), 400, -32020],
  ['no Mcp-Method', meta({}), without('mcp-method'), 400, -32020],
  ['a wrong Mcp-Method', meta({}), { ...headers, 'mcp-method': 'TOOLS/LIST' }, 400, -32020],
  [
    'initialize of the new revision by header',
    { ...list, method: 'initialize' },
    { 'mcp-protocol-version': '2026-07-28' },
    400,
    -32020,
  ],
  ['another content type', list, { 'content-type': 'text/plain' }, 415, -32600],
  ['an Accept with neither', list, { accept: 'text/html' }, 406, -32600],
  ['another host', list, { host: 'evil.example.com' }, 403, -32600],
  ['a page of another origin', list, { origin: 'https://evil.example.com' }, 403, -32600],
  ['an origin that is null', list, { origin: 'null' }, 403, -32600],
  ['a key that nobody has', list, { authorization: 'Bearer sk-sluice-x' }, 401, -32600],
  ['no key', list, { authorization: '' }, 401, -32600],
]

test.each(cases)('%s', async (_, body, more, status, code) => {
  const answer = await edge.post(body, more)
  const { error } = (await answer.json()) as { error: { code: number } }
  expect([answer.status, error.code]).toEqual([status, code])
})

test('an error has the id of its request, where that could be read', async () => {
  expect(await (await edge.post(list)).json()).toMatchObject({ id: 7 })
  expect(await (await edge.post('{')).json()).toMatchObject({ id: null })
})

test('C10: a message over the limit is a 413 that names it, with its length announced or not', async () => {
  const body = JSON.stringify({ ...list, params: { x: 'x'.repeat(200_000) } })
  const announced = await edge.post(body)
  expect(announced.status).toBe(413)
  expect(await announced.json()).toMatchObject({
    error: { message: expect.stringContaining('100000 bytes'), data: { limit_bytes: 100_000 } },
  })
  const chunks = new ReadableStream({
    start(controller) {
      for (let at = 0; at < body.length; at += 10_000)
        controller.enqueue(new TextEncoder().encode(body.slice(at, at + 10_000)))
      controller.close()
    },
  })
  const streamed = await fetch(edge.url, {
    method: 'POST',
    headers: { authorization: 'Bearer sk-sluice-a', 'content-type': 'application/json' },
    body: chunks,
  })
  expect(streamed.status).toBe(413)
})

test('401 says how to authenticate', async () => {
  const answer = await edge.post(list, { authorization: '' })
  expect(answer.headers.get('www-authenticate')).toContain('Bearer')
})

test('who is refused after his key was read is on record', async () => {
  edge.hops.length = 0
  await edge.post('{')
  expect(edge.hops).toMatchObject([{ request: '{', end: { outcome: 'rejected', status: 400 } }])
  expect(edge.hops[0]?.response).toContain('-32700')
})

const secret = { name: 'fiedler_set_key', arguments: { provider: 'openai', key: 'sk-of-mine' } }
const setKey = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: secret }
const frame = JSON.stringify(setKey)

test.each([
  ['another version of JSON-RPC', JSON.stringify({ ...setKey, jsonrpc: '1.0' })],
  ['an id that is null', JSON.stringify({ ...setKey, id: null })],
  ['a frame that breaks off', frame.slice(0, -3)],
  [
    'one that breaks off before the name',
    '{"method":"tools/call","params":{"arguments":{"key":"sk-of-mine"},"na',
  ],
  ['a name in escapes', frame.slice(0, -3).replace('fiedler', String.raw`\u0066iedler`)],
  ['a name in an array', JSON.stringify({ ...setKey, params: { ...secret, name: [secret.name] } })],
  ['a batch with what is no message', JSON.stringify([1, { ...setKey, jsonrpc: '1.0' }])],
  ['a batch that breaks off', `[${frame},${frame.slice(0, 80)}`],
])('a secret is not recorded, however broken what holds it: %s', async (_, body) => {
  const sensitive = new Set(['fiedler_set_key'])
  const isSecret: EdgeOptions['isSecret'] = (method, params) => holdsSecret(method, params, sensitive)
  const mayBeSecret: EdgeOptions['mayBeSecret'] = (text) => mayHoldSecret(text, sensitive)
  const own = await startEdge({ database, edge: { isSecret, mayBeSecret } })
  await own.post(body)
  await own.post('{"jsonrpc":"1.0","method":"tools/list"}')
  expect(own.hops.map(({ open }) => open.mode)).toEqual(['metadata', 'full'])
  await own.stop()
})

test('another key, and another portal, cannot use a session', async () => {
  const session = await edge.session()
  const other = await session.post(list, { authorization: 'Bearer sk-sluice-b' })
  expect(other.status).toBe(404)
  const elsewhere = await fetch(`${edge.url}/docs`, {
    method: 'POST',
    headers: { ...session.headers, authorization: 'Bearer sk-sluice-a' },
    body: JSON.stringify(list),
  })
  expect(elsewhere.status).toBe(404)
  expect((await session.post(list)).status).toBe(200)
})

test('a portal and a secret path that do not exist are 404', async () => {
  const { body } = modern('tools/list')
  const ask = (path: string, authorization = 'Bearer sk-sluice-a') =>
    fetch(`${edge.url}${path}`, {
      method: 'POST',
      headers: { ...headers, authorization },
      body: JSON.stringify(body),
    })
  expect((await ask('/nowhere')).status).toBe(404)
  expect((await ask('/docs')).status).toBe(200)
  expect((await ask('/docs', 'Bearer sk-sluice-c')).status).toBe(404)
  expect((await ask('/s/wrong', '')).status).toBe(404)
  expect((await ask('/s/right', '')).status).toBe(200)
  expect(edge.hops.at(-1)?.open.path).toBe('/mcp/s/…')
})

test('other methods are refused, and OPTIONS answers pages of allowed origins', async () => {
  const authorization = 'Bearer sk-sluice-a'
  const put = await fetch(edge.url, { method: 'PUT', headers: { authorization }, body: '{}' })
  expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET, POST, DELETE, OPTIONS'])
  const origin = 'http://localhost:6274'
  const asked = { origin, 'access-control-request-headers': 'mcp-session-id' }
  const options = await fetch(edge.url, { method: 'OPTIONS', headers: asked })
  expect(options.status).toBe(204)
  expect(options.headers.get('access-control-allow-origin')).toBe(origin)
  const refused = await edge.post(list, { origin, authorization: '' })
  expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([401, origin])
})

test('who shows no credential may look where that is allowed, and never call', async () => {
  const open = await startEdge({ database, anonymous: true })
  const nobody = { authorization: '' }
  const { body } = modern('tools/list')
  expect((await open.post(body, { ...headers, ...nobody })).status).toBe(200)
  const call = modern('tools/call', { name: 'x' })
  const refused = await open.post(call.body, { ...call.headers, ...nobody })
  expect(refused.status).toBe(401)
  expect(refused.headers.get('www-authenticate')).toContain('Bearer')
  const large = { ...body, params: { ...body.params, x: 'x'.repeat(70_000) } }
  expect((await open.post(large, { ...headers, ...nobody })).status).toBe(413)
  const wrong = await open.post(body, { ...headers, authorization: 'Bearer sk-sluice-x' })
  expect(wrong.status).toBe(401)
  await open.stop()
})
