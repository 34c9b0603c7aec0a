import { afterEach, expect, setDefaultTimeout, test } from 'bun:test'
import { until } from '../../support/until.ts'
import type { Reply } from '../../support/upstream.ts'
import { type RoutedGateway, routedGateway, said } from './support.ts'

setDefaultTimeout(30_000)

let gateway: RoutedGateway
afterEach(() => gateway.stop())

const ok = (name: string) => (reply: Reply) => reply.answer(200, { 'x-who': name }, `{"who":"${name}"}`)
const fail =
  (status: number, headers: Record<string, string> = {}) =>
  (reply: Reply) =>
    reply.answer(
      status,
      headers,
      `{"type":"error","error":{"type":"overloaded_error","message":"${status}"}}`,
    )

function call(init: RequestInit = {}, path = '/v1/messages'): Promise<Response> {
  return fetch(gateway.url + path, { method: 'POST', body: said, ...init })
}

test('without a rule nothing changes: no headers of ours, the bytes untouched, nothing on record', async () => {
  gateway = await routedGateway([ok('native')])
  const response = await call()
  expect(await response.json()).toEqual({ who: 'native' })
  expect([...response.headers.keys()].filter((name) => name.startsWith('sluice-'))).toEqual([
    'sluice-exchange',
  ])
  expect(gateway.upstream.seen[0]?.body.toString()).toBe(said)
  expect((await gateway.record(response)).end.routed).toBeUndefined()
})

test('a rule leads elsewhere, changes the model’s bytes only, and says so', async () => {
  gateway = await routedGateway([ok('native'), ok('one')])
  await gateway.route('cheap', {
    match: { models: ['claude-*'] },
    candidates: [{ provider: 'one', model: 'small' }],
  })
  const response = await call()
  expect(await response.json()).toEqual({ who: 'one' })
  expect(gateway.others[0]?.seen[0]?.body.toString()).toBe(said.replace('claude-sonnet-5', 'small'))
  expect(gateway.others[0]?.seen[0]?.header('x-api-key')).toBe('sk-one')
  const { headers } = response
  expect(headers.get('x-who')).toBe('one')
  expect(['route', 'provider', 'model', 'attempt'].map((name) => headers.get(`sluice-${name}`))).toEqual([
    ...['cheap', 'one', 'small', '1'],
  ])
  const record = await gateway.record(response)
  expect(record.request.toString()).toBe(Buffer.from(said).toString())
  expect(record.end.routed).toMatchObject({
    ...{ route: 'cheap', provider: 'one', model: 'small', warnings: [] },
    attempts: [{ provider: 'one', model: 'small', status: 200, error: null }],
  })
})

test('a model that the rule is not about goes where it went', async () => {
  gateway = await routedGateway([ok('native'), ok('one')])
  await gateway.route('cheap', { match: { models: ['gpt-*'] }, candidates: [{ provider: 'one' }] })
  expect(await (await call()).json()).toEqual({ who: 'native' })
})

test('what a client names by /p/ goes there, whatever rules say', async () => {
  gateway = await routedGateway([ok('native'), ok('one')])
  await gateway.route('all', { candidates: [{ provider: 'one' }] })
  expect(await (await call({}, '/p/anthropic/v1/messages')).json()).toEqual({ who: 'native' })
})

test.each([429, 500, 529])('after %d the next candidate is asked', async (status) => {
  gateway = await routedGateway([ok('native'), fail(status), ok('two')])
  await gateway.route('pair', { candidates: [{ provider: 'one' }, { provider: 'two', priority: 1 }] })
  const response = await call()
  expect(await response.json()).toEqual({ who: 'two' })
  expect([response.headers.get('sluice-provider'), response.headers.get('sluice-attempt')]).toEqual([
    'two',
    '2',
  ])
  expect((await gateway.record(response)).end.routed?.attempts.map(({ status }) => status)).toEqual([
    status,
    200,
  ])
})

test('a request that is simply wrong is not asked of others', async () => {
  gateway = await routedGateway([ok('native'), fail(400), ok('two')])
  await gateway.route('pair', { candidates: [{ provider: 'one' }, { provider: 'two', priority: 1 }] })
  expect((await call()).status).toBe(400)
  expect(gateway.others[1]?.seen).toEqual([])
})

test('T11: where all fail the last answer comes as it was, with its retry-after', async () => {
  gateway = await routedGateway([ok('native'), fail(500), fail(529, { 'retry-after': '7', 'x-own': 'yes' })])
  await gateway.route('pair', { candidates: [{ provider: 'one' }, { provider: 'two', priority: 1 }] })
  const response = await call()
  expect(response.status).toBe(529)
  expect([response.headers.get('retry-after'), response.headers.get('x-own')]).toEqual(['7', 'yes'])
  expect(await response.text()).toContain('overloaded_error')
  expect((await gateway.record(response)).end).toMatchObject({ outcome: 'upstream_error', status: 529 })
})

test('a retry waits for as long as it is told to', async () => {
  let requests = 0
  gateway = await routedGateway([
    ok('native'),
    (reply) => (++requests === 1 ? fail(503, { 'retry-after': '1' })(reply) : ok('one')(reply)),
  ])
  await gateway.route('patient', { candidates: [{ provider: 'one', retries: 1 }] })
  const from = performance.now()
  const response = await call()
  expect(await response.json()).toEqual({ who: 'one' })
  expect(performance.now() - from).toBeGreaterThan(1_000)
  expect(response.headers.get('sluice-attempt')).toBe('2')
})

test('a wait that would be too long goes to the next candidate instead', async () => {
  gateway = await routedGateway([ok('native'), fail(503, { 'retry-after': '600' }), ok('two')])
  await gateway.route('pair', {
    candidates: [
      { provider: 'one', retries: 3 },
      { provider: 'two', priority: 1 },
    ],
  })
  expect(await (await call()).json()).toEqual({ who: 'two' })
  expect(gateway.others[0]?.seen.length).toBe(1)
})

test.each([
  ['no headers', { headers_ms: 60 }, () => {}, 'headers-timeout'],
  [
    'no first byte',
    { first_byte_ms: 60 },
    (reply: Reply) => reply.head(200, { 'content-type': 'text/event-stream' }),
    'first-byte-timeout',
  ],
  [
    'a cut before the first byte',
    {},
    async (reply: Reply) => {
      await reply.head(200, { 'content-type': 'text/event-stream' })
      reply.cut()
    },
    null,
  ],
])(
  'a stream with %s falls to the next before the client saw anything',
  async (_, timeouts, script, error) => {
    gateway = await routedGateway([ok('native'), script, ok('two')])
    await gateway.route('pair', {
      candidates: [
        { provider: 'one', timeouts },
        { provider: 'two', priority: 1 },
      ],
    })
    const response = await call()
    expect(await response.json()).toEqual({ who: 'two' })
    const [first] = (await gateway.record(response)).end.routed?.attempts ?? []
    expect(first?.status).toBeNull()
    if (error !== null) expect(first?.error).toBe(error)
  },
)

test('a stream that begins with an error falls to the next', async () => {
  gateway = await routedGateway([
    ok('native'),
    async (reply) => {
      await reply.head(200, { 'content-type': 'text/event-stream' })
      await reply.chunk('event: error\ndata: {"type":"error","error":{"type":"overloaded_error"}}\n\n')
      await reply.end()
    },
    ok('two'),
  ])
  await gateway.route('pair', { candidates: [{ provider: 'one' }, { provider: 'two', priority: 1 }] })
  expect(await (await call()).json()).toEqual({ who: 'two' })
})

test('once the client has seen a byte, a break is its own', async () => {
  const seen = Promise.withResolvers<void>()
  gateway = await routedGateway([
    ok('native'),
    async (reply) => {
      await reply.head(200, { 'content-type': 'text/event-stream' })
      await reply.chunk('event: ping\ndata: {}\n\n')
      await seen.promise
      reply.cut()
    },
    ok('two'),
  ])
  await gateway.route('pair', { candidates: [{ provider: 'one' }, { provider: 'two', priority: 1 }] })
  const response = await call()
  const reader = response.body?.getReader()
  expect(Buffer.from((await reader?.read())?.value ?? '').toString()).toContain('ping')
  seen.resolve()
  await expect(reader?.read()).rejects.toThrow()
  expect((await gateway.record(response)).end).toMatchObject({ outcome: 'upstream_gone' })
  expect(gateway.others[1]?.seen).toEqual([])
})

test('nobody can be reached: 503 in the dialect’s shape with each reason, and a record', async () => {
  gateway = await routedGateway([ok('native'), (reply) => reply.cut(), (reply) => reply.cut()])
  await gateway.route('pair', { candidates: [{ provider: 'one' }, { provider: 'two', priority: 1 }] })
  const response = await call()
  expect(response.status).toBe(503)
  const body = (await response.json()) as { type: string; error: { message: string } }
  expect(body.type).toBe('error')
  expect(body.error.message).toMatch(/one: .*; two: /)
  expect((await gateway.record(response)).end).toMatchObject({
    error: 'all-candidates-down',
    outcome: 'upstream_gone',
  })
})

test('a client that leaves while it is retried takes the rest with it', async () => {
  gateway = await routedGateway([ok('native'), fail(503, { 'retry-after': '5' })])
  await gateway.route('patient', { candidates: [{ provider: 'one', retries: 1 }] })
  const controller = new AbortController()
  const answer = call({ signal: controller.signal }).catch(() => null)
  await gateway.others[0]?.request(0)
  controller.abort()
  await answer
  await until('the record', () => gateway.records().length === 1)
  expect(gateway.records()[0]?.end.outcome).toBe('client_gone')
  expect(gateway.others[0]?.seen.length).toBe(1)
})

test('unknown model: 404 with near names, where a rule says so', async () => {
  gateway = await routedGateway([ok('native'), ok('one')])
  await gateway.route('known', {
    match: { models: ['small'] },
    candidates: [{ provider: 'one', model: 'claude-sonnet-4-5' }],
  })
  await gateway.route('else', { refuse: 'unknown-model' }, 200)
  const response = await call({ body: said.replace('claude-sonnet-5', 'claude-sonet-4-5') })
  expect(response.status).toBe(404)
  const { error } = (await response.json()) as { error: { type: string; message: string } }
  expect(error.type).toBe('not_found_error')
  expect(error.message).toContain('claude-sonnet-4-5')
  expect((await gateway.record(response)).end).toMatchObject({ outcome: 'rejected', error: 'unknown-model' })
})
