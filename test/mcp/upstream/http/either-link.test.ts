import { afterAll, expect, test } from 'bun:test'
import { until } from '../../../support/until.ts'
import { rawSse } from '../../fixtures/raw-socket.ts'
import { callTool, resultOf, specOf, testUpstreams } from '../support.ts'

const upstreams = testUpstreams()
const stops: (() => unknown)[] = []
afterAll(async () => {
  await upstreams.close()
  for (const stop of stops) await stop()
})

const signal = new AbortController().signal
const rpcError = { jsonrpc: '2.0', id: null, error: { code: -32600, message: 'Bad Request: no session' } }

test.each([
  ['405', () => new Response('Method Not Allowed', { status: 405 })],
  ['404 and a page', () => new Response('<h1>Cannot POST /sse</h1>', { status: 404 })],
  ['400 and an error of JSON-RPC', () => Response.json(rpcError, { status: 400 })],
])('a server of 2024-11-05 that answers initialize with %s is spoken to as it wants', async (_, refusal) => {
  const server = rawSse({ era: 'legacy' }, refusal)
  stops.push(server.stop)
  const upstream = upstreams.get(specOf({ transport: 'http', url: server.url }))
  expect((await upstream.facts(signal)).era).toBe('legacy')
  expect(resultOf(await callTool(upstream, 'echo', { n: 1 }))['x-unknown']).toEqual({ n: 1 })
  const told: string[] = []
  upstream.on((event) => {
    if (event.kind === 'notification') told.push(event.method)
  })
  server.say({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' })
  await until('it is told of changes', () => told.includes('notifications/tools/list_changed'))
})

test('where there is no such stream either, the reason is what initialize was answered', async () => {
  const asked: string[] = []
  const server = Bun.serve({
    ...{ port: 0, hostname: '127.0.0.1' },
    fetch({ method }) {
      asked.push(method)
      return new Response(`no ${method} here`, { status: 404 })
    },
  })
  stops.push(() => server.stop(true))
  const url = `http://127.0.0.1:${server.port}/mcp`
  const upstream = upstreams.get(specOf({ transport: 'http', url }))
  await expect(upstream.facts(signal)).rejects.toThrow('HTTP 404: no POST here')
  expect(asked).toEqual(['POST', 'POST', 'GET'])
})

test('a refusal of another kind is no reason to ask in an older way', async () => {
  const asked: string[] = []
  const server = Bun.serve({
    ...{ port: 0, hostname: '127.0.0.1' },
    fetch({ method }) {
      asked.push(method)
      return new Response('who are you?', { status: 401 })
    },
  })
  stops.push(() => server.stop(true))
  const upstream = upstreams.get(specOf({ transport: 'http', url: `http://127.0.0.1:${server.port}/mcp` }))
  await expect(upstream.facts(signal)).rejects.toThrow('HTTP 401')
  expect(asked).not.toContain('GET')
})
