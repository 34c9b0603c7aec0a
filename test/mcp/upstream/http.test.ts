import { afterAll, expect, test } from 'bun:test'
import { until } from '../../support/until.ts'
import { rawHttp } from '../fixtures/raw-http.ts'
import { callTool, errorOf, heard, resultOf, specOf, testUpstreams } from './support.ts'

const upstreams = testUpstreams()
const stops: (() => unknown)[] = []
afterAll(async () => {
  await upstreams.close()
  for (const stop of stops) await stop()
})
const { signal } = new AbortController()

test('C6: a forgotten session is made anew, and the call with it, once', async () => {
  const { upstream, server } = served({ era: 'legacy' })
  await upstream.facts(signal)
  server.forget()
  const answers = await Promise.all(Array.from({ length: 10 }, () => callTool(upstream, 'echo')))
  for (const answer of answers) expect(resultOf(answer)).toHaveProperty('content')
  const greetings = server.requests.filter(({ body }) => body.includes('"initialize"'))
  expect(greetings.length).toBe(2)
})

test('a session is ended with its connection', async () => {
  const { upstream, server } = served({ era: 'legacy' })
  await upstream.facts(signal)
  await until('it listens', () => server.listeners() === 1)
  await upstream.close()
  expect(server.requests.at(-1)?.method).toBe('DELETE')
  await until('it listens no more', () => server.listeners() === 0)
})

test.each(['legacy', 'modern'] as const)('what a %s server says by itself is heard', async (era) => {
  const { upstream, server } = served({ era })
  const events = heard(upstream)
  await upstream.facts(signal)
  await until('it listens', () => server.listeners() === 1)
  const params = { _meta: { 'io.modelcontextprotocol/subscriptionId': 3 } }
  server.say({ jsonrpc: '2.0', method: 'notifications/tools/list_changed', params })
  const told = { kind: 'notification', method: 'notifications/tools/list_changed' } as const
  await until('it is told', () =>
    events.some((event) => event.kind === told.kind && event.method === told.method),
  )
  await upstream.close()
})

test('a subscription to a resource becomes a filter of what a modern server tells', async () => {
  const { upstream, server } = served({ era: 'modern' })
  const events = heard(upstream)
  await upstream.facts(signal)
  await until('it listens', () => server.listeners() === 1)
  const filters = () =>
    server.server.received.flatMap((frame) => (frame.method === 'subscriptions/listen' ? [frame.params] : []))
  const more = { method: 'resources/subscribe', params: '{"uri":"file:///a"}' }
  expect(resultOf(await callTool(upstream, '', {}, more))).toEqual({})
  await until(
    'it listens to that',
    () => filters().at(-1)?.notifications?.resourceSubscriptions?.[0] === 'file:///a',
  )
  await until('the stream before is closed', () => server.listeners() === 1)
  server.say({ jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri: 'file:///a' } })
  await until('it is told', () =>
    events.some((event) => event.kind === 'notification' && event.params === '{"uri":"file:///a"}'),
  )
  await callTool(upstream, '', {}, { ...more, method: 'resources/unsubscribe' })
  await until(
    'it listens to that no more',
    () => filters().at(-1)?.notifications?.resourceSubscriptions === undefined,
  )
  await upstream.close()
})

test('a cancelled call of the modern era is one whose stream is closed, and of the old one a message', async () => {
  for (const era of ['modern', 'legacy'] as const) {
    const { upstream, server } = served({ era })
    await upstream.facts(signal)
    const abort = new AbortController()
    const call = callTool(upstream, 'never', {}, { signal: abort.signal })
    await until('it came', () => server.server.received.some(({ method }) => method === 'tools/call'))
    abort.abort()
    expect(errorOf(await call).code).toBe(-31_006)
    const cancelled = () => server.server.received.some(({ method }) => method === 'notifications/cancelled')
    if (era === 'legacy') await until('it was told', cancelled)
    else expect(cancelled()).toBe(false)
    await upstream.close()
  }
})

test('credentials of the operator go to the server, and our own names for things', async () => {
  const { upstream, server } = served({ era: 'modern' }, { headers: { Authorization: 'Bearer secret' } })
  const params = JSON.stringify({
    name: 'echo',
    _meta: { 'io.modelcontextprotocol/protocolVersion': 'x', mine: 1 },
  })
  await callTool(upstream, 'echo', {}, { params, capabilities: '{"sampling":{}}' })
  const { headers, body } = server.requests.at(-1) ?? { headers: new Headers(), body: '{}' }
  expect(headers.get('authorization')).toBe('Bearer secret')
  expect(headers.get('mcp-protocol-version')).toBe('2026-07-28')
  expect(headers.get('mcp-method')).toBe('tools/call')
  expect(JSON.parse(body).params._meta).toEqual({
    mine: 1,
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'sluice', version: '0' },
    'io.modelcontextprotocol/clientCapabilities': { sampling: {} },
  })
})

test('a refusal is told with its status, on connecting and later, and without secrets of the URL', async () => {
  const answers: Record<string, () => Response> = {
    '/401': () =>
      Response.json(
        { jsonrpc: '2.0', id: null, error: { code: -32_000, message: 'expired' } },
        { status: 401 },
      ),
    '/500': () => new Response('<h1>oops</h1>', { status: 500 }),
    '/302': () => Response.redirect('https://elsewhere.example/', 302),
    '/html': () => new Response('<html>', { headers: { 'content-type': 'text/html' } }),
  }
  const http = Bun.serve({
    ...{ port: 0, hostname: '127.0.0.1' },
    fetch: ({ url }) => answers[new URL(url).pathname]?.() ?? new Response('', { status: 404 }),
  })
  stops.push(() => http.stop(true))
  const said = async (path: string) => {
    const url = `http://127.0.0.1:${http.port}${path}?token=hidden`
    return errorOf(await callTool(upstreams.get(specOf({ transport: 'http', url })), 'echo')).message
  }
  expect(await said('/401')).toMatch(/HTTP 401: expired/)
  expect(await said('/500')).toMatch(/HTTP 500: <h1>oops/)
  expect(await said('/302')).toMatch(/HTTP 302: it moved to https:\/\/elsewhere/)
  expect(await said('/html')).toMatch(/no JSON-RPC message/)
  for (const path of Object.keys(answers)) expect(await said(path)).not.toContain('hidden')
})

test('an answer to another request, and a stream that ends without one, fail that call alone', async () => {
  const { upstream } = served({ era: 'modern' })
  const broken = Bun.serve({
    ...{ port: 0, hostname: '127.0.0.1' },
    async fetch(request) {
      const { id, method } = (await request.json()) as { id: number; method: string }
      const discovered = { supportedVersions: ['2026-07-28'], capabilities: { tools: {} } }
      if (method === 'server/discover') return Response.json({ jsonrpc: '2.0', id, result: discovered })
      if (method === 'tools/list') return Response.json({ jsonrpc: '2.0', id: id + 1_000, result: {} })
      return new Response(': nothing\n\n', { headers: { 'content-type': 'text/event-stream' } })
    },
  })
  stops.push(() => broken.stop(true))
  const other = upstreams.get(specOf({ transport: 'http', url: `http://127.0.0.1:${broken.port}/` }))
  const listed = await callTool(other, '', {}, { method: 'tools/list', params: '{}' })
  expect(errorOf(listed)).toMatchObject({
    code: -31_005,
    message: expect.stringContaining('another request'),
  })
  const called = await callTool(other, 'x')
  expect(errorOf(called)).toMatchObject({ code: -31_003, message: expect.stringContaining('ended before') })
  expect(other.state().status).toBe('ready')
  expect(resultOf(await callTool(upstream, 'echo'))).toHaveProperty('content')
})

test('a private address is not asked unless the operator allows it, by whatever transport and name', async () => {
  const strict = testUpstreams({ allowPrivate: false })
  const server = rawHttp()
  stops.push(server.stop)
  for (const transport of ['http', 'sse', 'ws'] as const) {
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '169.254.169.254', '2130706433']) {
      const upstream = strict.get(specOf({ transport, url: `http://${host}:${server.port}/mcp` }))
      expect(errorOf(await callTool(upstream, 'echo')).message).toContain('PRIVATE_ADDRESSES')
      await upstream.close()
    }
  }
  expect(server.requests).toEqual([])
  await strict.close()
})

test('a tool whose header changed is asked about, and called once more', async () => {
  const list = (header: string) => [
    {
      name: 'sql',
      inputSchema: { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': header } } },
    },
  ]
  const calls: (string | null)[] = []
  let wanted = 'Old'
  const http = Bun.serve({
    ...{ port: 0, hostname: '127.0.0.1' },
    async fetch(request) {
      const { id, method } = (await request.json()) as { id: number; method: string }
      const answer = (result: unknown) => Response.json({ jsonrpc: '2.0', id, result })
      if (method === 'server/discover')
        return answer({ supportedVersions: ['2026-07-28'], capabilities: { tools: {} } })
      if (method === 'tools/list') return answer({ tools: list(wanted) })
      const value = request.headers.get(`mcp-param-${wanted}`)
      calls.push(value)
      const error = { code: -32_020, message: 'Header mismatch' }
      return value === null
        ? Response.json({ jsonrpc: '2.0', id, error }, { status: 400 })
        : answer({ content: [] })
    },
  })
  stops.push(() => http.stop(true))
  const upstream = upstreams.get(specOf({ transport: 'http', url: `http://127.0.0.1:${http.port}/` }))
  expect(resultOf(await callTool(upstream, 'sql', { region: 'Zürich' }))).toEqual({ content: [] })
  wanted = 'New'
  expect(resultOf(await callTool(upstream, 'sql', { region: 'Zürich' }))).toEqual({ content: [] })
  expect(calls).toEqual(['=?base64?WsO8cmljaA==?=', null, '=?base64?WsO8cmljaA==?='])
})

function served(behaviour: Parameters<typeof rawHttp>[0], spec: Parameters<typeof specOf>[0] = {}) {
  const server = rawHttp(behaviour)
  stops.push(server.stop)
  return { server, upstream: upstreams.get(specOf({ transport: 'http', url: server.url, ...spec })) }
}

test('a server that takes no more connections may still answer what it has', async () => {
  const answer = Promise.withResolvers<void>()
  const http = Bun.serve({
    ...{ port: 0, hostname: '127.0.0.1' },
    async fetch(request) {
      const { id, method, params } = (await request.json()) as {
        id: number
        method: string
        params: { name: string }
      }
      const result = { supportedVersions: ['2026-07-28'], capabilities: {}, done: params.name }
      if (method === 'tools/call' && params.name === 'slow') await answer.promise
      return Response.json({ jsonrpc: '2.0', id, result }, { headers: { connection: 'close' } })
    },
  })
  const upstream = upstreams.get(specOf({ transport: 'http', url: `http://127.0.0.1:${http.port}/` }))
  await upstream.facts(signal)
  const slow = callTool(upstream, 'slow')
  await until('it came', () => http.pendingRequests === 1)
  void http.stop()
  await until('it is away', async () => 'error' in (await callTool(upstream, 'quick')))
  expect(upstream.state()).toMatchObject({
    status: 'waiting',
    reason: expect.stringContaining('No connection'),
  })
  answer.resolve()
  expect(resultOf(await slow)).toMatchObject({ done: 'slow' })
  await upstream.close()
})

test('a stream of the old era goes on from its last event, and without one all is fetched anew', async () => {
  for (const id of ['id: e-7\n', '']) {
    const opened: (string | null)[] = []
    const http = Bun.serve({
      ...{ port: 0, hostname: '127.0.0.1' },
      async fetch(request) {
        if (request.method === 'GET') {
          opened.push(request.headers.get('last-event-id'))
          const headers = { 'content-type': 'text/event-stream' }
          return opened.length < 3 ? new Response(`${id}retry: 30\ndata:\n\n`, { headers }) : never(headers)
        }
        const frame = (await request.json()) as { id?: number; method: string }
        const capabilities = { tools: { listChanged: true } }
        const result = {
          protocolVersion: '2025-06-18',
          capabilities,
          serverInfo: { name: 'x', version: '1' },
        }
        if (frame.id === undefined) return new Response(null, { status: 202 })
        return frame.method === 'initialize'
          ? Response.json({ jsonrpc: '2.0', id: frame.id, result })
          : new Response('what?', { status: 400 })
      },
    })
    const upstream = upstreams.get(specOf({ transport: 'http', url: `http://127.0.0.1:${http.port}/` }))
    const events = heard(upstream)
    await upstream.facts(signal)
    await until('it came back twice', () => opened.length === 3)
    expect(opened).toEqual(id === '' ? [null, null, null] : [null, 'e-7', 'e-7'])
    const told = events.filter((event) => event.kind === 'notification').length
    expect(told).toBe(id === '' ? 2 : 0)
    await upstream.close()
    await http.stop(true)
  }
})

function never(headers: Record<string, string>): Response {
  return new Response(new ReadableStream({ start: (controller) => controller.enqueue(': hello\n\n') }), {
    headers,
  })
}
