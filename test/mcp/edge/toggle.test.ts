import { afterAll, beforeAll, test } from 'bun:test'
import { promptly } from '../../support/promptly.ts'
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
  let times = 0
  await promptly('1,000 listeners are told', 1_000, async () => {
    times += 1
    await gateway.api('PATCH', '/api/mcp/servers/all', { enabled: times % 2 === 0 })
    await until('all heard it', () => listeners.heard('tools/list_changed', times) === 1_000)
  })
  listeners.close()
}, 60_000)
