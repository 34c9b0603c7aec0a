import { afterEach, describe, expect, test } from 'bun:test'
import { interpret } from '#llm'
import { guard } from '../../../src/llm/cache/guard.ts'
import { memoryStore } from '../../../src/llm/cache/memory-store.ts'
import { openResponseCache } from '../../../src/llm/cache/response-cache.ts'
import { until } from '../../support/until.ts'
import { type TestGateway, testGateway } from '../proxy-support.ts'
import { asked, message, quietLog, stream, streamFrames } from './support.ts'

describe('the cache in the proxy', () => {
  let gateway: TestGateway
  let states: string[]
  let asks = 0
  let upstream: Bun.Server<undefined>
  afterEach(async () => {
    await gateway.stop()
    await upstream.stop(true)
  })

  async function open(answer: (count: number) => Response | Promise<Response>): Promise<void> {
    asks = 0
    states = []
    const cache = openResponseCache({
      store: guard(memoryStore({ maxBytes: 1e6 }), { log: quietLog }),
      observe: (state) => states.push(state),
    })
    upstream = Bun.serve({
      ...{ port: 0, hostname: '127.0.0.1' },
      fetch() {
        asks += 1
        return answer(asks)
      },
    })
    const own = { baseUrl: upstream.url.origin, apiKey: 'sk-of-the-server' }
    gateway = await testGateway(() => {}, { cache, settings: { anthropic: own } })
  }

  const post = (body: unknown = asked, headers: Record<string, string> = { 'sluice-cache': 'on' }) =>
    fetch(`${gateway.url}/v1/messages`, {
      ...{ method: 'POST', body: JSON.stringify(body) },
      headers: { 'content-type': 'application/json', ...headers },
    })

  test('a second equal request is answered from it, is on record byte for byte, and costs nothing', async () => {
    await open(() => message('Hello'))
    const first = await post()
    expect(first.headers.get('sluice-cache')).toBe('miss')
    const text = await first.text()
    await until('it is stored', () => states.includes('stored'))
    const second = await post()
    expect(second.headers.get('sluice-cache')).toBe('hit')
    expect(await second.text()).toBe(text)
    expect(asks).toBe(1)
    const [paid, free] = [await gateway.record(first), await gateway.record(second)]
    expect(Buffer.from(free.response).toString()).toBe(text)
    expect([paid.end.cache, free.end.cache]).toEqual(['miss', 'hit'])
    expect(interpret(paid).usage).toMatchObject({ input: 10, output: 5 })
    expect(interpret(free)).toMatchObject({
      usage: null,
      cost: { micros: 0, price_version: 'cached' },
      reply: { text: 'Hello' },
    })
  })

  test('a stream under way is shared, over the wire', async () => {
    const gate = Promise.withResolvers<void>()
    await open(() => stream(streamFrames, (index) => (index === 0 ? Promise.resolve() : gate.promise)))
    const streaming = { ...asked, stream: true }
    const first = post(streaming).then((answer) => answer.text())
    await until('the upstream is asked', () => asks === 1)
    const others = await Promise.all(Array.from({ length: 10 }, () => post(streaming)))
    gate.resolve()
    expect(await first).toBe(streamFrames.join(''))
    for (const other of others) expect(await other.text()).toBe(streamFrames.join(''))
    expect(asks).toBe(1)
  })

  test('a leader whose client leaves does not take the others with it', async () => {
    const pings = Array.from({ length: 30 }, () => ': ping\n\n')
    const frames = [...streamFrames.slice(0, 2), ...pings, ...streamFrames.slice(2)]
    // Long enough that the gateway sees the leader go: that shows nowhere before the answer ends.
    await open(() => stream(frames, (index) => Bun.sleep(index < 2 ? 0 : 10)))
    const body = JSON.stringify({ ...asked, stream: true })
    const leaving = new AbortController()
    const options = { method: 'POST', body, headers: { 'sluice-cache': 'on' } }
    const leader = await fetch(`${gateway.url}/v1/messages`, { ...options, signal: leaving.signal })
    const follower = await fetch(`${gateway.url}/v1/messages`, options)
    leaving.abort()
    expect(await follower.text()).toBe(frames.join(''))
    expect(asks).toBe(1)
    expect((await gateway.record(leader)).end.outcome).toBe('client_gone')
    expect((await gateway.record(follower)).end).toMatchObject({ outcome: 'completed', cache: 'shared' })
    // What its client did not wait for is whole, and stored.
    await until('it is stored', () => states.includes('stored'))
  })

  test('a bad header is refused in the shape of the dialect, and "only" without an answer is 504', async () => {
    await open(() => message('Hello'))
    const bad = await post(asked, { 'sluice-cache': 'perhaps' })
    expect(bad.status).toBe(400)
    expect(await bad.json()).toMatchObject({ type: 'error' })
    const only = await post(asked, { 'sluice-cache': 'only' })
    expect(only.status).toBe(504)
    expect(await only.text()).toContain('only a cached answer was wanted')
    expect(asks).toBe(0)
    expect((await gateway.record(only)).end).toMatchObject({ outcome: 'rejected', error: 'cache-miss' })
  })
})
