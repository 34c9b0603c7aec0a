import { afterEach, expect, setDefaultTimeout, test } from 'bun:test'
import { type RoutedGateway, routedGateway } from './support.ts'

setDefaultTimeout(30_000)

let gateway: RoutedGateway
afterEach(() => gateway.stop())

function upgrade(path: string): Promise<Response> {
  const headers = {
    ...{ connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' },
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  }
  return fetch(gateway.url + path, { headers })
}

test('T10: an upgrade that a route could be about is refused at once, so that the client goes on over HTTP', async () => {
  gateway = await routedGateway([(reply) => reply.answer(404, {}, 'no socket here')])
  const route = { candidates: [{ provider: 'one' }] }
  await gateway.route('others', { ...route, match: { dialects: ['anthropic'] } })
  await gateway.route('another-tenant', { ...route, match: { tenants: ['other'] } })
  // What the upstream says to an upgrade, the client hears.
  expect((await upgrade('/v1/responses')).status).toBe(404)

  await gateway.route('some-model', { ...route, match: { models: ['gpt-*'], min_bytes: 10 } })
  const refused = await upgrade('/v1/responses')
  expect([refused.status, refused.headers.get('upgrade')]).toEqual([426, 'HTTP/1.1'])
  expect((await refused.json()) as object).toMatchObject({ error: { code: 'route_needs_http' } })
  expect((await gateway.record(refused)).end).toMatchObject({
    outcome: 'rejected',
    error: 'route-needs-http',
  })
  // Of what is not a model's work, and where the client names the provider, no rule is asked.
  expect((await upgrade('/v1/realtime?model=gpt-realtime')).status).toBe(404)
  expect((await upgrade('/p/openai/v1/responses')).status).toBe(404)
})
