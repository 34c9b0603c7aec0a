import { afterAll, beforeAll, expect, test } from 'bun:test'
import { until } from '../../support/until.ts'
import { type GatewayWithServer, startGatewayWithServer } from '../gateway.ts'
import { rawListeners } from './raw-listeners.ts'
import { modern } from './support.ts'

let gateway: GatewayWithServer

beforeAll(async () => {
  gateway = await startGatewayWithServer()
}, 40_000)

afterAll(() => gateway.stop())

test('C2: 1,000 listeners are told of a toggle within a second, by way of the database', async () => {
  const { body, headers } = modern('subscriptions/listen', { notifications: { toolsListChanged: true } })
  const authorization = `Bearer ${gateway.adminKey}`
  const listeners = await rawListeners(1_000, {
    url: `${gateway.url}/mcp`,
    body: JSON.stringify(body),
    headers: { ...headers, authorization, 'content-type': 'application/json' },
  })
  const started = performance.now()
  await gateway.api('PATCH', '/api/mcp/servers/all', { enabled: false })
  await until('all heard it', () => listeners.heard('tools/list_changed') === 1_000)
  const ms = performance.now() - started
  console.log(`1,000 listeners told of a toggle in ${Math.round(ms)} ms`)
  expect(ms).toBeLessThan(1_000)
  listeners.close()
}, 60_000)
