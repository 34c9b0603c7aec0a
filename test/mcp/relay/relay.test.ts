import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import type { EventsAfter } from '../../../src/mcp/edge/edge.ts'
import type { ClientCall } from '../../../src/mcp/portal/portal.ts'
import type { Answer } from '../../../src/mcp/wire/message.ts'
import { type Gate, openGate } from '../../support/gate.ts'
import { type TestDatabase, testDatabase } from '../../support/postgres.ts'
import { isAlive, repository } from '../../support/process.ts'
import { until } from '../../support/until.ts'
import { startEdge, type TestEdge } from '../edge/support.ts'
import { callOf, endRelays, type Frame, initialize, modernMeta, startRelay } from './support.ts'

let database: TestDatabase
let edge: TestEdge
let gate: Gate
let release: (answer: Answer) => void = () => {}
const said = (text: string): Answer => ({ result: JSON.stringify({ content: [{ type: 'text', text }] }) })
let calls = 0

const tools: Record<string, (call: ClientCall) => Promise<Answer>> = {
  async echo() {
    calls += 1
    return said('hello')
  },
  async steps({ notify }) {
    for (let step = 1; step <= 3; step += 1)
      notify('notifications/progress', JSON.stringify({ progressToken: 't', progress: step }))
    return said('done')
  },
  hang: ({ signal, notify }) =>
    new Promise((resolve) => {
      calls += 1
      notify('notifications/progress', JSON.stringify({ progressToken: 't', progress: 1 }))
      release = resolve
      signal.addEventListener('abort', () => resolve(said('cancelled')))
    }),
  silent: () => new Promise(() => {}),
}

beforeAll(async () => {
  database = await testDatabase()
  edge = await startEdge({ database, tools, eventsAfter })
  gate = openGate(Number(new URL(edge.url).port))
})
afterEach(endRelays)
afterAll(async () => {
  gate.close()
  await edge.stop()
  await database.drop()
})

/** As the record tells them. */
const eventsAfter: EventsAfter = async (_, exchange, n) => {
  const hop = edge.hops.find(({ id }) => id === exchange)
  const all = (hop?.response ?? '').split('\n\n').filter((event) => event.includes('data: '))
  const sse = all
    .slice(n)
    .map((event) => `${event}\n\n`)
    .join('')
  return {
    ...{ sse, last: all.length, final: sse.includes('"result"'), ended: hop?.end !== null },
    ...{ requestId: JSON.parse(hop?.request ?? '{}').id, keyId: 'a', session: hop?.open.session ?? null },
  }
}

const url = () => `http://127.0.0.1:${gate.port}`

describe('a relay', () => {
  test('passes what a legacy client and the gateway say, progress and changes with it', async () => {
    const relay = startRelay(url())
    const { result } = await initialize(relay)
    expect(result).toMatchObject({
      protocolVersion: '2025-11-25',
      capabilities: { tools: { listChanged: true } },
    })
    expect((await relay.ask('tools/call', callOf('steps'))).result.content[0].text).toBe('done')
    expect(relay.frames.filter(({ method }) => method === 'notifications/progress')).toHaveLength(3)
    await until('the relay listens', () => edge.listeners.size === 1)
    for (const { tell } of edge.listeners) tell({ kind: 'tools' })
    await relay.frame('the change', ({ method }) => method === 'notifications/tools/list_changed')
    expect(relay.errors).toEqual([])
  })

  test('passes what a modern client says, with the headers that HTTP needs', async () => {
    const relay = startRelay(url())
    const discovered = await relay.ask('server/discover', { _meta: modernMeta })
    expect(discovered.result.supportedVersions).toContain('2026-07-28')
    const answer = await relay.ask('tools/call', callOf('echo', {}, true))
    expect(answer.result.content[0].text).toBe('hello')
    relay.send({
      ...{ jsonrpc: '2.0', id: 'sub', method: 'subscriptions/listen' },
      params: { notifications: { toolsListChanged: true }, _meta: modernMeta },
    })
    await relay.frame('the acknowledgement', ({ method }) => method?.endsWith('/acknowledged'))
    for (const { tell } of edge.listeners) tell({ kind: 'tools' })
    const changed = await relay.frame(
      'the change',
      ({ method }) => method === 'notifications/tools/list_changed',
    )
    expect(changed.params._meta['io.modelcontextprotocol/subscriptionId']).toBe('sub')
  })

  test('answers what is no message, and lets nothing else out', async () => {
    const relay = startRelay(url())
    relay.send('{nonsense')
    relay.send('[]')
    await relay.frame('the second answer', ({ error }) => error?.code === -32600)
    expect(relay.frames).toMatchObject([
      { id: null, error: { code: -32700 } },
      { id: null, error: { code: -32600 } },
    ])
    expect((await initialize(relay)).result).toBeDefined()
  })

  test('tells that a key is refused, under the id of the request', async () => {
    const relay = startRelay(url(), { key: 'sk-sluice-wrong' })
    expect((await initialize(relay)).error.message).toBe('No')
  })

  test('cancels: over a notification, and for a modern client by hanging up', async () => {
    const relay = startRelay(url())
    await initialize(relay)
    relay.send({ jsonrpc: '2.0', id: 'x', method: 'tools/call', params: callOf('hang') })
    await relay.frame('progress', ({ method }) => method === 'notifications/progress')
    const hop = edge.hops.findLast(({ open }) => open.rpc === 'tools/call')
    relay.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'x' } })
    await until('the call has ended', () => hop?.end !== null)
    relay.send({ jsonrpc: '2.0', id: 'y', method: 'tools/call', params: callOf('hang', {}, true) })
    await until('the modern call began', () => edge.hops.at(-1)?.response.includes('progress'))
    const modern = edge.hops.findLast(({ open }) => open.rpc === 'tools/call')
    relay.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'y' } })
    await until('the modern call has ended', () => modern?.end !== null)
    expect(relay.frames.filter(({ id }) => id === 'x' || id === 'y')).toEqual([])
  })
})

describe('a relay whose gateway goes away', () => {
  test('waits for it, from the start on', async () => {
    gate.shut()
    const relay = startRelay(url())
    const answer = initialize(relay)
    // Its start and its first tries: a connection that is refused shows nowhere.
    await Bun.sleep(400)
    gate.open()
    expect((await answer).result).toBeDefined()
  })

  test('answers with an error when its patience ends', async () => {
    gate.shut()
    const relay = startRelay(url(), { patience: 0.2 })
    const { error } = await relay.ask('server/discover', { _meta: modernMeta })
    expect(error).toMatchObject({ code: -32000, message: expect.stringContaining('cannot be reached') })
    gate.open()
    expect((await initialize(relay)).result).toBeDefined()
  })

  test('goes on in the same session, and takes up the stream of a call under way', async () => {
    const relay = startRelay(url())
    await initialize(relay)
    const before = edge.hops.filter(({ open }) => open.rpc === 'initialize').length
    const answer = relay.ask('tools/call', callOf('hang'))
    await relay.frame('progress', ({ method }) => method === 'notifications/progress')
    gate.shut()
    gate.open()
    release(said('after all'))
    expect((await answer).result.content[0].text).toBe('after all')
    expect((await relay.ask('tools/call', callOf('echo'))).result.content[0].text).toBe('hello')
    expect(edge.hops.filter(({ open }) => open.rpc === 'initialize')).toHaveLength(before)
    await until('it listens again', () => edge.listeners.size > 0)
  })

  test('tells that nobody knows what became of a call that may not be made twice', async () => {
    const relay = startRelay(url())
    await initialize(relay)
    const waiting = edge.hops.length
    const answer = relay.ask('tools/call', callOf('hang', {}, true))
    await until(
      'the call is under way',
      () => edge.hops.length > waiting && (edge.hops.at(-1)?.response ?? '') !== '',
    )
    gate.shut()
    gate.open()
    expect((await answer).error.message).toContain('whether the call had an effect is not known')
    release(said('x'))
  })

  test('begins a new session where the old one is gone, and makes the call again that was turned away', async () => {
    const relay = startRelay(url())
    await initialize(relay)
    await relay.ask('logging/setLevel', { level: 'error' })
    const token = edge.hops.findLast(({ open }) => open.rpc === 'logging/setLevel')
    expect(token).toBeDefined()
    await until('it listens', () => edge.listeners.size > 0)
    await edge.stop()
    // Another gateway, which knows nothing of the session's secret.
    edge = await startEdge({
      database,
      tools,
      port: Number(new URL(edge.url).port),
      secret: 'another secret, as long as it must be',
    })
    const made = calls
    expect((await relay.ask('tools/call', callOf('echo'))).result.content[0].text).toBe('hello')
    expect(calls).toBe(made + 1)
    expect(edge.hops.map(({ open }) => open.rpc)).toContain('logging/setLevel')
    await relay.frame('that lists may be old', ({ method }) => method === 'notifications/tools/list_changed')
  })

  test('does not begin sessions for ever where gateways do not take each other’s', async () => {
    let begun = 0
    const odd = Bun.serve({
      ...{ hostname: '127.0.0.1', port: 0 },
      async fetch(request) {
        const { id, method }: Frame = request.method === 'POST' ? await request.json() : {}
        if (method !== 'initialize') return new Response(null, { status: id === undefined ? 202 : 404 })
        begun += 1
        const result = {
          protocolVersion: '2025-11-25',
          capabilities: {},
          serverInfo: { name: 'odd', version: '1' },
        }
        return Response.json({ jsonrpc: '2.0', id, result }, { headers: { 'mcp-session-id': String(begun) } })
      },
    })
    const relay = startRelay(odd.url.href)
    await initialize(relay)
    const { error } = await relay.ask('tools/call', callOf('echo'))
    expect(error.message).toContain('every session is lost')
    expect(begun).toBeLessThan(10)
    await relay.leave()
    await odd.stop(true)
  })

  test('keeps a modern subscription, and tells that it may have missed something', async () => {
    const relay = startRelay(url())
    const params = { notifications: { toolsListChanged: true }, _meta: modernMeta }
    relay.send({ jsonrpc: '2.0', id: 'sub', method: 'subscriptions/listen', params })
    await relay.frame('the acknowledgement', ({ method }) => method?.endsWith('/acknowledged'))
    gate.shut()
    gate.open()
    await relay.frame('the change', ({ method }) => method === 'notifications/tools/list_changed')
    expect(relay.frames.filter(({ method }) => method?.endsWith('/acknowledged'))).toHaveLength(1)
    const left = performance.now()
    expect(await relay.leave()).toBe(0)
    expect(performance.now() - left).toBeLessThan(1_000)
  })
})

describe('a relay whose client goes away', () => {
  test('lets the last answers out when its input ends, and leaves its session', async () => {
    const relay = startRelay(url())
    await initialize(relay)
    relay.send({ jsonrpc: '2.0', id: 'last', method: 'tools/call', params: callOf('echo') })
    expect(await relay.leave()).toBe(0)
    expect(relay.frames.some(({ id }) => id === 'last')).toBe(true)
    expect(edge.hops.at(-1)?.open.method).toBe('DELETE')
  })

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'ends on %s, also in the middle of a call',
    async (signal) => {
      const relay = startRelay(url())
      await initialize(relay)
      relay.send({ jsonrpc: '2.0', id: 'x', method: 'tools/call', params: callOf('silent') })
      expect(await relay.kill(signal)).toBe(0)
    },
  )

  test('ends with a parent that is killed, though another process holds its input open', async () => {
    // The shell's child holds the pipe's other end.
    const command = `sleep 1000 | (bun src/processes/relay.ts & echo $!; wait)`
    const parent = Bun.spawn(['sh', '-c', command], { cwd: repository, stdout: 'pipe', detached: true })
    const { value } = await parent.stdout.getReader().read()
    const pid = Number(new TextDecoder().decode(value).trim())
    expect(isAlive(pid)).toBe(true)
    const [, group] = /\) \S (\d+)/.exec(await Bun.file(`/proc/${pid}/stat`).text()) ?? []
    process.kill(Number(group), 'SIGKILL')
    await until('the relay has ended', () => !isAlive(pid), 10_000)
    process.kill(-parent.pid, 'SIGKILL')
  })
})
