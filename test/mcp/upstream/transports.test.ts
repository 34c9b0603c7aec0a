import { afterAll, describe, expect, test } from 'bun:test'
import type { UpstreamSpec } from '../../../src/mcp/upstream/upstream.ts'
import { until } from '../../support/until.ts'
import { rawHttp } from '../fixtures/raw-http.ts'
import type { Behaviour } from '../fixtures/raw-server.ts'
import { rawSse, rawWebSocket } from '../fixtures/raw-socket.ts'
import { callTool, errorOf, heard, resultOf, specOf, stdioSpec, testUpstreams } from './support.ts'

const upstreams = testUpstreams()
const stops: (() => Promise<void>)[] = []
afterAll(async () => {
  await upstreams.close()
  for (const stop of stops) await stop()
})

function served(transport: 'http' | 'sse' | 'ws', behaviour: Behaviour): UpstreamSpec {
  const server = { http: rawHttp, sse: rawSse, ws: rawWebSocket }[transport](behaviour)
  stops.push(server.stop)
  return specOf({ transport, url: server.url })
}

function fallingBack(behaviour: Behaviour): UpstreamSpec {
  const server = rawSse(behaviour, () => new Response('Method Not Allowed', { status: 405 }))
  stops.push(server.stop)
  return specOf({ transport: 'http', url: server.url })
}

const ways: [string, (behaviour?: Behaviour) => UpstreamSpec][] = [
  ['stdio, legacy', (more) => stdioSpec({ era: 'legacy', ...more })],
  ['stdio, modern', (more) => stdioSpec({ era: 'modern', ...more })],
  ['http, legacy', (more) => served('http', { era: 'legacy', ...more })],
  ['http, modern', (more) => served('http', { era: 'modern', ...more })],
  ['http, legacy, but the server is of 2024-11-05', (more) => fallingBack({ era: 'legacy', ...more })],
  ['sse', (more) => served('sse', { era: 'legacy', ...more })],
  ['ws, legacy', (more) => served('ws', { era: 'legacy', ...more })],
  ['ws, modern', (more) => served('ws', { era: 'modern', ...more })],
]

describe.each(ways)('over %s', (name, specify) => {
  const spec = specify()
  const upstream = upstreams.get(spec)
  const signal = new AbortController().signal

  test('the server says what it is', async () => {
    const facts = await upstream.facts(signal)
    expect(facts.era).toBe(name.endsWith('modern') ? 'modern' : 'legacy')
    expect(JSON.parse(facts.serverInfo)).toEqual({ name: 'raw', version: '1' })
    expect(JSON.parse(facts.capabilities)).toHaveProperty('tools.listChanged', true)
    expect(facts.instructions).toBe('Be kind')
    expect(upstream.state()).toMatchObject({ status: 'ready', reason: null, tries: 0 })
  })

  test('an answer is the text that the server wrote', async () => {
    const frame = (id: number) =>
      `{"result":{"n":12345678901234567890,"new":{"x":1.0}},"jsonrpc":"2.0","id":${id}}`
    expect(resultOf(await callTool(upstream, 'echo', { n: 1 }))['x-unknown']).toEqual({ n: 1 })
    const last = upstreams.recorder.hops.findLast(({ rpc }) => rpc === 'tools/call')
    const id: number = JSON.parse(last?.sent ?? '{}').id
    const raw = await callTool(upstream, 'raw', { frame: frame(id + 1) })
    expect(raw).toEqual({ result: '{"n":12345678901234567890,"new":{"x":1.0}}' })
  })

  test('progress goes to its call, with the token of its client', async () => {
    const calls = ['a', 'b'].map(async (token) => {
      const notes: [string, unknown][] = []
      const params = JSON.stringify({ name: 'progress', arguments: {}, _meta: { progressToken: token } })
      resultOf(await callTool(upstream, 'progress', {}, { params, notes }))
      expect(notes).toEqual(
        [1, 2, 3].map((progress) => ['notifications/progress', { progressToken: token, progress }]),
      )
    })
    await Promise.all(calls)
  })

  test('what a call says on its own account comes to it', async () => {
    const notes: [string, unknown][] = []
    resultOf(await callTool(upstream, 'log', { text: 'hello' }, { notes }))
    expect(notes).toEqual([['notifications/message', { level: 'info', data: 'hello' }]])
  })

  test('a change is told to all', async () => {
    const events = heard(upstream)
    resultOf(await callTool(upstream, 'change'))
    await until('the change is told', () =>
      events.some((event) => event.kind === 'notification' && event.method.endsWith('tools/list_changed')),
    )
  })

  test('answers for others are ignored', async () => {
    expect(resultOf(await callTool(upstream, 'stranger'))).toEqual({ content: [] })
  })

  test('a call that nobody answers ends in time, and harms no other', async () => {
    const slow = callTool(upstream, 'never', {}, { timeoutMs: 80 })
    const quick = callTool(upstream, 'echo', { n: 1 })
    expect(resultOf(await quick)).toHaveProperty('content')
    expect(errorOf(await slow)).toMatchObject({ code: -31_002, message: expect.stringContaining('80 ms') })
  })

  test('a call that its client gives up ends at once', async () => {
    const abort = new AbortController()
    const call = callTool(upstream, 'never', {}, { signal: abort.signal })
    const hop = () => upstreams.recorder.hops.findLast(({ rpc }) => rpc === 'tools/call')
    await until('it is under way', () => hop()?.ended === null)
    abort.abort()
    expect(errorOf(await call)).toMatchObject({ code: -31_006 })
    expect(hop()?.ended).toMatchObject({ outcome: 'client_gone' })
  })

  test('C10: an answer that is too large fails that call alone', async () => {
    const other = callTool(upstream, 'progress', {}, {})
    const large = callTool(upstream, 'big', { bytes: 12_000_000 }, { maxBytes: 1_000_000 })
    const fitting = await callTool(upstream, 'big', { bytes: 3_000_000 })
    expect(errorOf(await large)).toMatchObject({ code: -31_004, message: expect.stringContaining('1000000') })
    expect('result' in fitting).toBe(true)
    expect(resultOf(await other)).toEqual({ content: [] })
    expect(upstream.state().status).toBe('ready')
  })

  test('its handshake is a hop of the record', () => {
    const { hops } = upstreams.recorder
    const own = hops.find(
      ({ peer, rpc }) => peer === spec.name && /^(initialize|server\/discover)$/.test(rpc ?? ''),
    )
    expect(own).toMatchObject({ hop: 'upstream', parent: null, ended: { outcome: 'completed' } })
    expect(own?.received).toContain('Be kind')
  })

  test('each request is a hop of the record, with its parent', async () => {
    await callTool(upstream, 'echo', { mark: 7 }, { parent: 'client-exchange' })
    const hop = upstreams.recorder.hops.find(
      (one) => one.parent === 'client-exchange' && one.sent.includes('mark'),
    )
    expect(hop).toMatchObject({
      hop: 'upstream',
      rpc: 'tools/call',
      name: 'echo',
      ended: { outcome: 'completed' },
    })
    expect(hop?.received).toContain('x-unknown')
    expect(hop?.received.endsWith('\n')).toBe(true)
  })

  if (!name.endsWith('modern'))
    test('what the server asks back comes to the call', async () => {
      const asked: string[] = []
      const answer = await callTool(
        upstream,
        'ask',
        {},
        {
          onRequest: async (method) => {
            asked.push(method)
            return { result: '{"role":"assistant"}' }
          },
        },
      )
      expect(resultOf(answer)).toEqual({ content: [], given: { role: 'assistant' } })
      expect(asked).toEqual(['sampling/createMessage'])
      const refused = resultOf(await callTool(upstream, 'ask'))
      expect(refused.given).toMatchObject({ code: -32_601 })
    })
})
