import { afterAll, beforeAll, expect, test } from 'bun:test'
import { startGateway, type TestGateway } from '../gateway.ts'
import { scripted } from '../portal/support.ts'
import { openSocket } from './socket-client.ts'
import { modern } from './support.ts'

let gateway: TestGateway

/** Behind it, a server that never says a word, of which nothing is known yet. */
beforeAll(async () => {
  gateway = await startGateway()
  const silent = scripted({ silent: 'initialize' })
  await gateway.api('POST', '/api/mcp/servers', { name: 'silent', transport: 'stdio', ...silent.row })
  await gateway.restart()
}, 40_000)
afterAll(async () => await gateway.stop())

const key = () => ({ authorization: `Bearer ${gateway.adminKey}` })
const post = async (body: object, headers: Record<string, string> = {}) => {
  const accept = 'application/json, text/event-stream'
  const init = { method: 'POST', headers: { ...key(), accept, ...headers }, body: JSON.stringify(body) }
  return await fetch(`${gateway.url}/mcp`, init)
}
const clientInfo = { name: 'test', version: '1' }
const initialize = {
  ...{ jsonrpc: '2.0', id: 'init', method: 'initialize' },
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo },
}

async function inTime<Answer>(what: string, work: Promise<Answer>): Promise<Answer> {
  const began = performance.now()
  const answer = await work
  const ms = performance.now() - began
  if (ms > 1_000) throw new Error(`${what}: answered after ${Math.round(ms)} ms`)
  return answer
}

test('C11: what clients ask to find out what is there is answered within a second, be a server silent', async () => {
  const { body, headers } = modern('server/discover')
  const discovered = await inTime('server/discover', post(body, headers))
  expect(await discovered.json()).toMatchObject({ result: { supportedVersions: expect.any(Array) } })
  const initialized = await inTime('initialize', post(initialize))
  expect(await initialized.json()).toMatchObject({ result: { protocolVersion: '2025-11-25' } })
  const session = { 'mcp-session-id': initialized.headers.get('mcp-session-id') ?? '' }
  const ping = await inTime('ping', post({ jsonrpc: '2.0', id: 1, method: 'ping' }, session))
  expect(await ping.json()).toMatchObject({ id: 1, result: {} })
  const get = await inTime('GET', fetch(`${gateway.url}/mcp`, { headers: { ...key(), ...session } }))
  expect(get.status).toBe(200)
  await get.body?.cancel()
  // As clients do that know of neither era, or only of the older transport.
  const bare = await inTime('GET without a session', fetch(`${gateway.url}/mcp`, { headers: key() }))
  expect(bare.status).toBe(400)
  const unknown = await inTime(
    'a method of the other era',
    post({ ...body, method: 'ping' }, { ...headers, 'mcp-method': 'ping' }),
  )
  expect(unknown.status).toBe(404)
  const options = await inTime('OPTIONS', fetch(`${gateway.url}/mcp`, { method: 'OPTIONS' }))
  expect(options.status).toBe(204)
})

test('C11: on one socket each era is answered within a second after the other, in either order', async () => {
  const client = await openSocket(`${gateway.url}/mcp/ws`, key())
  const ask = async (what: string, frame: object) => {
    client.send(frame)
    return await inTime(what, client.next())
  }
  const discover = modern('server/discover', {}, { id: 1 }).body
  expect(await ask('server/discover', discover)).toMatchObject({ id: 1, result: { resultType: 'complete' } })
  expect(await ask('initialize', initialize)).toMatchObject({ id: 'init', result: expect.any(Object) })
  expect(await ask('once more', discover)).toMatchObject({ id: 1, result: { resultType: 'complete' } })
  expect(await ask('ping', { jsonrpc: '2.0', id: 2, method: 'ping' })).toMatchObject({ id: 2, result: {} })
  client.close()
})
