import { afterAll, beforeAll, expect, test } from 'bun:test'
import { until } from '../../support/until.ts'
import { type GatewayWithServer, startGatewayWithServer } from '../gateway.ts'
import { readEvents } from './events.ts'
import { modern } from './support.ts'

let gateway: GatewayWithServer

beforeAll(async () => {
  gateway = await startGatewayWithServer()
}, 40_000)

afterAll(() => gateway.stop())

const headers = (): Record<string, string> => ({
  authorization: `Bearer ${gateway.adminKey}`,
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
  'mcp-protocol-version': '2025-11-25',
})

async function post(body: object, session?: string): Promise<Response> {
  const more: Record<string, string> = session === undefined ? {} : { 'mcp-session-id': session }
  const init = { method: 'POST', headers: { ...headers(), ...more }, body: JSON.stringify(body) }
  return await fetch(`${gateway.url}/mcp`, init)
}

async function get(session: string, lastSeen?: string): Promise<Response> {
  const more: Record<string, string> = lastSeen === undefined ? {} : { 'last-event-id': lastSeen }
  return await fetch(`${gateway.url}/mcp`, { headers: { ...headers(), ...more, 'mcp-session-id': session } })
}

async function newSession(): Promise<string> {
  const params = {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'test', version: '1' },
  }
  const answer = await post({ jsonrpc: '2.0', id: 0, method: 'initialize', params })
  await answer.text()
  return answer.headers.get('mcp-session-id') ?? ''
}

/** Exchanges that have ended. */
async function accepted(): Promise<number> {
  const { total } = await gateway.api<{ total: { accepted: number } }>('GET', '/api/ledger')
  return total.accepted
}

const call = (name: string, args: object) => ({
  jsonrpc: '2.0',
  id: 'the-call',
  method: 'tools/call',
  params: { name: `all__${name}`, arguments: args, _meta: { progressToken: 'p' } },
})

test('C3: kill -9 of the gateway loses no session: it goes on without initialize', async () => {
  const session = await newSession()
  const level = await post(
    { jsonrpc: '2.0', id: 1, method: 'logging/setLevel', params: { level: 'error' } },
    session,
  )
  expect(await level.json()).toMatchObject({ result: {} })
  await until('it is stored', async () => {
    const rows = await gateway.sql`select 1 from mcp_sessions where log_level = 'error'`
    return rows.length === 1
  })
  await gateway.restart()
  const list = await post({ jsonrpc: '2.0', id: 2, method: 'tools/list' }, session)
  expect(list.status).toBe(200)
  const { result } = (await list.json()) as { result: { tools: { name: string }[] } }
  expect(result.tools.map(({ name }) => name)).toContain('all__wait')
  const stream = await get(session)
  expect(stream.status).toBe(200)
  const events = readEvents(stream)
  await events.next()
  expect(await events.message()).toMatchObject({ method: 'notifications/tools/list_changed' })
  await events.cancel()
}, 40_000)

test('C3: a call that was under way is answered with an error that says so, on the stream it was on', async () => {
  const session = await newSession()
  const events = readEvents(await post(call('wait', { ms: 60_000 }), session))
  const first = await events.next()
  await gateway.restart()
  const resumed = readEvents(await get(session, first?.id ?? ''))
  expect(await resumed.message()).toMatchObject({
    id: 'the-call',
    error: { code: -32603, message: expect.stringContaining('died') },
  })
  expect(await resumed.next()).toBeNull()
}, 40_000)

test('C3: no event is lost: what a client had not seen comes from the record, the result with it', async () => {
  const session = await newSession()
  const before = await accepted()
  const events = readEvents(await post(call('test_tool_with_progress', {}), session))
  await events.next()
  const seen = await events.next()
  expect(seen?.data).toContain('"progress":0')
  await events.cancel()
  // Of the call itself, and of the one to the server behind it.
  await until('the call has ended', async () => (await accepted()) >= before + 2)
  await gateway.restart()
  const resumed = readEvents(await get(session, seen?.id ?? ''))
  expect(await resumed.message()).toMatchObject({ params: { progress: 50 } })
  expect(await resumed.message()).toMatchObject({ params: { progress: 100, progressToken: 'p' } })
  expect(await resumed.message()).toMatchObject({ id: 'the-call', result: { content: [{ text: 'done' }] } })
  expect(await resumed.next()).toBeNull()
}, 40_000)

test('a gateway that is told to stop lets calls end first, and ends streams that only listen', async () => {
  const other = await startGatewayWithServer()
  const ask = async (method: string, params: object) => {
    const { body, headers: named } = modern(method, params)
    const init = { method: 'POST', headers: { ...named, authorization: `Bearer ${other.adminKey}` } }
    return await fetch(`${other.url}/mcp`, { ...init, body: JSON.stringify(body) })
  }
  const listening = readEvents(
    await ask('subscriptions/listen', { notifications: { toolsListChanged: true } }),
  )
  await listening.message()
  // A stream: it shows that the call has begun.
  const answer = readEvents(await ask('tools/call', { name: 'all__wait', arguments: { ms: 1_800 } }))
  const stopped = other.process().kill('SIGTERM')
  let last = await listening.message()
  // The server may only just have been connected: of its tools one is told first.
  while (last?.method !== undefined) last = await listening.message()
  expect(last).toMatchObject({ result: { resultType: 'complete' } })
  expect(await answer.message()).toMatchObject({ result: { content: [{ text: 'waited' }] } })
  expect(await stopped).toBe(0)
  await other.stop()
}, 40_000)
