import { afterEach, describe, expect, setSystemTime, test } from 'bun:test'
import { memoryStore } from '../../../src/llm/cache/memory-store.ts'
import { until } from '../../support/until.ts'
import {
  asked,
  type CacheGateway,
  cacheGateway,
  message,
  type PostOptions,
  stream,
  streamFrames,
} from './support.ts'

const on = { headers: { 'sluice-cache': 'on' } }

afterEach(() => {
  setSystemTime()
})

/** Asks, and waits until the answer is stored where it is one to store. */
async function answered(gateway: CacheGateway, options: PostOptions): Promise<string | undefined> {
  const stored = () => gateway.states.filter((one) => one === 'stored').length
  const [before, reached] = [stored(), gateway.asked()]
  const text = await (await gateway.post(asked, options)).text()
  if (gateway.asked() > reached && gateway.states.at(-1) === 'miss')
    await until('it is stored', () => stored() > before)
  return /answer \d/.exec(text)?.[0]
}

describe('the response cache', () => {
  test('does nothing unless asked, by header or route', async () => {
    const gateway = cacheGateway((count) => message(`answer ${count}`))
    await (await gateway.post(asked)).text()
    const second = await gateway.post(asked)
    expect(await second.text()).toContain('answer 2')
    expect(gateway.states).toEqual([])
    expect(gateway.sealed.map(({ cache }) => cache)).toEqual([undefined, undefined])
  })

  test('gives the same bytes again, as an exchange of its own that is marked', async () => {
    const gateway = cacheGateway((count) => message(`answer ${count}`))
    const first = await (await gateway.post(asked, on)).text()
    await until('it is stored', () => gateway.states.includes('stored'))
    const second = await gateway.post(asked, on)
    expect(await second.text()).toBe(first)
    expect(second.headers.get('sluice-cache')).toBe('hit')
    expect(second.headers.get('age')).toBe('0')
    expect(second.headers.get('content-type')).toStartWith('application/json')
    expect(gateway.asked()).toBe(1)
    expect(gateway.sealed.map(({ cache, outcome }) => [cache, outcome])).toEqual([
      ['miss', 'completed'],
      ['hit', 'completed'],
    ])
    expect(second.headers.get('sluice-exchange')).toBe(gateway.sealed[1]?.id ?? '')
    expect(gateway.sealed[1]?.response).toBe(first)
  })

  test('replays a stream as a stream, frame by frame, byte for byte', async () => {
    const gateway = cacheGateway(() => stream(streamFrames))
    await (await gateway.post({ ...asked, stream: true }, on)).text()
    await until('it is stored', () => gateway.states.includes('stored'))
    const again = await gateway.post({ ...asked, stream: true }, on)
    const chunks: string[] = []
    for await (const chunk of again.body ?? []) chunks.push(Buffer.from(chunk).toString())
    expect(chunks).toEqual(streamFrames)
    expect(gateway.sealed[1]?.response).toBe(streamFrames.join(''))
  })

  test('keeps tenants, models, streaming and credentials apart, and not the order of fields', async () => {
    const gateway = cacheGateway((count) => message(`answer ${count}`))
    const answers = async (body: unknown, options = {}) => {
      const text = await (await gateway.post(body, { ...on, ...options })).text()
      await until(
        'all is stored',
        () => gateway.states.filter((one) => one === 'stored').length === gateway.asked(),
      )
      return /answer \d/.exec(text)?.[0]
    }
    expect(await answers(asked)).toBe('answer 1')
    expect(await answers({ messages: asked.messages, max_tokens: 64, model: 'mock' })).toBe('answer 1')
    expect(await answers({ ...asked, metadata: { user_id: 'somebody' } })).toBe('answer 1')
    expect(await answers(asked, { tenant: 'other' })).toBe('answer 2')
    expect(await answers({ ...asked, model: 'mock-2' })).toBe('answer 3')
    expect(await answers({ ...asked, temperature: 0 })).toBe('answer 4')
    const mine = { headers: { 'sluice-cache': 'on', 'x-api-key': 'mine' }, passThrough: true }
    const yours = { headers: { 'sluice-cache': 'on', 'x-api-key': 'yours' }, passThrough: true }
    expect(await answers(asked, mine)).toBe('answer 5')
    expect(await answers(asked, yours)).toBe('answer 6')
    expect(await answers(asked, mine)).toBe('answer 5')
  })

  test('numbers that a parser would round keep two requests apart', async () => {
    const gateway = cacheGateway((count) => message(`answer ${count}`))
    const body = (seed: string) => JSON.stringify(asked).replace('{', `{"seed":${seed},`)
    const first = await (await gateway.post(body('9007199254740992'), on)).text()
    await until('it is stored', () => gateway.states.includes('stored'))
    expect(await (await gateway.post(body('9007199254740993'), on)).text()).not.toBe(first)
  })

  test('an error, an answer cut short and an error in the stream are not stored', async () => {
    const answers = [
      Response.json({ type: 'error', error: { type: 'overloaded_error' } }, { status: 529 }),
      stream(streamFrames.slice(0, 2)),
      stream([
        ...streamFrames.slice(0, 2),
        'event: error\ndata: {"type":"error","error":{"type":"overloaded_error"}}\n\n',
      ]),
      new Response('{"type":"message","cont', { headers: { 'content-type': 'application/json' } }),
      new Response('{"type":"message"}', { headers: { 'cache-control': 'no-store' } }),
    ]
    const gateway = cacheGateway((count) => answers[count - 1] ?? message('at last'))
    for (const _ of answers) await (await gateway.post(asked, on)).text()
    expect(await (await gateway.post(asked, on)).text()).toContain('at last')
    expect(gateway.asked()).toBe(6)
  })

  test('only, refresh, off, ttl and the words of cache-control are heeded', async () => {
    const gateway = cacheGateway((count) => message(`answer ${count}`))
    const ask = (headers: Record<string, string>) => answered(gateway, { headers })
    await expect(ask({ 'sluice-cache': 'only' })).rejects.toMatchObject({ status: 504, code: 'cache-miss' })
    expect(await ask({ 'sluice-cache': 'ttl=60' })).toBe('answer 1')
    expect(await ask({ 'sluice-cache': 'only' })).toBe('answer 1')
    expect(await ask({ 'sluice-cache': 'refresh' })).toBe('answer 2')
    expect(await ask({ 'sluice-cache': 'on, ttl=5' })).toBe('answer 2')
    expect(await ask({ 'sluice-cache': 'off' })).toBe('answer 3')
    expect(await ask({ 'sluice-cache': 'on', 'cache-control': 'no-store' })).toBe('answer 4')
    expect(await ask({ 'sluice-cache': 'on' })).toBe('answer 2')
    expect(await ask({ 'sluice-cache': 'on', 'cache-control': 'no-cache' })).toBe('answer 5')
    expect(await ask({ 'sluice-cache': 'on', 'cache-control': 'max-age=100' })).toBe('answer 5')
    await expect(gateway.post(asked, { headers: { 'sluice-cache': 'always' } })).rejects.toMatchObject({
      status: 400,
    })
    await expect(gateway.post(asked, { headers: { 'sluice-cache': 'ttl=0' } })).rejects.toMatchObject({
      status: 400,
    })
  })

  test('an answer lives for its ttl', async () => {
    let time = 1_000_000
    const gateway = cacheGateway((count) => message(`answer ${count}`), {
      store: memoryStore({ maxBytes: 1e6 }, () => time),
    })
    const short = { headers: { 'sluice-cache': 'ttl=60' } }
    await (await gateway.post(asked, short)).text()
    await until('it is stored', () => gateway.states.includes('stored'))
    time += 59_000
    expect(await (await gateway.post(asked, short)).text()).toContain('answer 1')
    time += 1_000
    expect(await (await gateway.post(asked, short)).text()).toContain('answer 2')
  })

  test('without a word about it an answer lives for an hour', async () => {
    const gateway = cacheGateway((count) => message(`answer ${count}`))
    const start = Date.now()
    expect(await answered(gateway, on)).toBe('answer 1')
    setSystemTime(start + 3_598_000)
    expect(await answered(gateway, on)).toBe('answer 1')
    setSystemTime(start + 3_700_000)
    expect(await answered(gateway, on)).toBe('answer 2')
  })

  test('what a route says holds for calls that say nothing, for its own time, and a header comes first', async () => {
    const gateway = cacheGateway((count) => message(`answer ${count}`))
    const ask = (headers: Record<string, string> = {}, ttlSeconds = 60) =>
      answered(gateway, { headers, rule: { mode: 'on', ttlSeconds } })
    const start = Date.now()
    expect(await ask()).toBe('answer 1')
    expect(await ask({ 'sluice-cache': 'off' })).toBe('answer 2')
    expect(await ask()).toBe('answer 1')
    setSystemTime(start + 70_000)
    expect(await ask({ 'sluice-cache': 'ttl=600' })).toBe('answer 3')
    setSystemTime(start + 600_000)
    expect(await ask()).toBe('answer 3')
  })

  test('a client may want a younger answer, or none but a stored one', async () => {
    const gateway = cacheGateway((count) => message(`answer ${count}`))
    const ask = (control: string) =>
      answered(gateway, { headers: { ...on.headers, 'cache-control': control } })
    const start = Date.now()
    await expect(ask('only-if-cached')).rejects.toMatchObject({ status: 504, code: 'cache-miss' })
    expect(await ask('private')).toBe('answer 1')
    expect(await ask('only-if-cached')).toBe('answer 1')
    setSystemTime(start + 100_000)
    expect(await ask('max-age=200')).toBe('answer 1')
    // Also where another, who takes it, is just looking it up.
    const any = gateway.post(asked, on)
    const young = gateway.post(asked, { headers: { ...on.headers, 'cache-control': 'max-age=50' } })
    expect(await (await any).text()).toContain('answer 1')
    expect(await (await young).text()).toContain('answer 2')
    await until('it is stored', () => gateway.states.at(-1) === 'stored')
    expect(await ask('max-age=50')).toBe('answer 2')
    setSystemTime(start + 200_000)
    expect(await ask('max-age=50')).toBe('answer 3')
    expect(await ask('max-age=0')).toBe('answer 4')
  })

  test('in metadata mode nothing is put where it leaves memory', async () => {
    const memory = memoryStore({ maxBytes: 1e6 })
    let puts = 0
    const put = async () => {
      puts += 1
    }
    const durable = { ...memory, durable: true, put }
    const gateway = cacheGateway(() => message('secret'), { store: durable })
    await (await gateway.post(asked, { ...on, mode: 'metadata' })).text()
    await gateway.cache.close()
    expect(puts).toBe(0)
  })
})
