import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { until } from '../../support/until.ts'
import { startGateway, type TestGateway } from '../gateway.ts'
import { type Backend, openBackend, spyClient } from './support.ts'

setDefaultTimeout(60_000)

let backend: Backend
let gateway: TestGateway

beforeAll(async () => {
  backend = openBackend({ onMessage: (peer, message) => peer.send(message) })
  gateway = await startGateway({ PRIVATE_ADDRESSES: 'true' })
  await gateway.api('POST', '/api/mcp/servers', {
    ...{ name: 'odd', transport: 'ws', url: backend.url, spy: true },
    headers: { authorization: 'Bearer of-the-row' },
  })
}, 60_000)

afterAll(async () => {
  await gateway.stop()
  await backend.stop()
})

const at = (path: string) => `${gateway.url.replace('http', 'ws')}${path}`
const upgrade = {
  ...{ connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' },
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
}

test('a gateway joins a client to the server of a row, pings and all', async () => {
  const headers = { authorization: `Bearer ${gateway.adminKey}` }
  const { socket, got, opened, closed } = spyClient(at('/mcp/ws?spy=odd'), { headers })
  await opened
  socket.send('anything at all')
  ;(socket as unknown as { ping(data: string): void }).ping('payload')
  await until('both came', () => got.length === 1 && backend.pings.includes('payload'))
  expect(got).toEqual(['anything at all'])
  expect(backend.peers[0]?.data.headers.get('authorization')).toBe('Bearer of-the-row')
  socket.close(4000, 'done')
  await closed
  await until('the backend heard of it', () => backend.closed.length === 1)
  expect(backend.closed).toEqual([[4000, 'done']])
})

test('without a key, and for a server that is none, no upgrade is made', async () => {
  const ask = async (path: string, headers: Record<string, string>) =>
    (await fetch(`${gateway.url}${path}`, { headers: { ...upgrade, ...headers } })).status
  const peers = backend.peers.length
  const admin = { authorization: `Bearer ${gateway.adminKey}` }
  expect(await ask('/mcp/ws?spy=odd', {})).toBe(401)
  expect(await ask('/mcp/ws?spy=odd', { authorization: 'Bearer sk-sluice-wrong' })).toBe(401)
  expect(await ask('/mcp/ws?spy=none', admin)).toBe(404)
  expect(backend.peers).toHaveLength(peers)
})

test('a server that a key may not see is not there for it, by its name or by its id', async () => {
  const { id: key_id, key } = (await gateway.api('POST', '/api/keys', { scopes: ['call'] })) as Made
  const { id } = (await gateway.api('GET', '/api/mcp/servers/odd')) as Made
  const status = async (name: string) =>
    (
      await fetch(`${gateway.url}/mcp/ws?spy=${name}`, {
        headers: { ...upgrade, authorization: `Bearer ${key}` },
      })
    ).status
  expect(await status('none')).toBe(404)
  await gateway.api('PUT', '/api/mcp/visibility', { key_id, see: { deny: ['odd'] } })
  expect(await status('odd')).toBe(404)
  expect(await status(id)).toBe(404)
})

test('a spied connection does not outlive its key', async () => {
  const { id, key } = (await gateway.api('POST', '/api/keys', { scopes: ['call'] })) as Made
  const { opened, closed } = spyClient(at('/mcp/ws?spy=odd'), { headers: { authorization: `Bearer ${key}` } })
  await opened
  await gateway.api('POST', `/api/keys/${id}/revoke`)
  expect(await closed).toEqual([1008, 'The key is valid no more'])
})

type Made = { id: string; key: string }
