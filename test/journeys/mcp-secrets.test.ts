import { afterAll, beforeAll, expect, test } from 'bun:test'
import { callOf, endRelays, initialize, startRelay } from '../mcp/relay/support.ts'
import { placesOf } from './places.ts'
import { type Product, startProduct } from './product.ts'

let product: Product
beforeAll(async () => {
  product = await startProduct('postgres')
}, 60_000)
afterAll(async () => {
  await endRelays()
  await product.stop()
})

test('a provider key that a tool sets, and content of a key that records none, are in no file, job, table or log', async () => {
  const secret = 'sk-provider-planted-0123456789'
  const admin = startRelay(product.url, { key: product.adminKey })
  await initialize(admin)
  const set = { provider: 'openai', api_key: secret }
  expect((await admin.ask('tools/call', callOf('fiedler_set_key', set))).result.isError).toBeUndefined()
  const inner = { name: 'fiedler_set_key', arguments: set }
  expect((await admin.ask('tools/call', callOf('call_tool', inner))).result.isError).toBeUndefined()
  await admin.leave()

  const made = await fetch(`${product.url}/api/keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${product.adminKey}` },
    body: JSON.stringify({ scopes: ['call', 'read'], capture: 'metadata' }),
  })
  const { key } = (await made.json()) as { key: string }
  const canary = 'zebrafinch'
  const bare = startRelay(product.url, { key })
  await initialize(bare)
  expect(
    (await bare.ask('tools/call', callOf('dewey_search', { query: canary }))).result.isError,
  ).toBeUndefined()
  const kept = await bare.ask('tools/call', callOf('dewey_begin_conversation', { session_id: canary }))
  expect(kept.result.content[0].text).toContain('records no content')
  await bare.leave()

  await product.settled()
  const rows = await product.sql`select mode, count(*)::int as count from exchanges group by mode`
  expect(rows.map(({ mode }) => mode).sort()).toEqual(['full', 'metadata'])
  const places = await placesOf(product)
  expect(places.size).toBeGreaterThan(15)
  const found = [...places].filter(([, text]) => text.includes(secret) || text.includes(canary))
  expect(found.map(([name]) => name)).toEqual([])
}, 60_000)
