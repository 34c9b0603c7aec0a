import { afterEach, expect, test } from 'bun:test'
import { type TestGateway, testGateway } from './proxy-support.ts'

let gateway: TestGateway
afterEach(() => gateway.stop())

const key = 'sk-sluice-the-clients-key'
const everywhere = {
  authorization: `Bearer ${key}`,
  'x-api-key': key,
  'x-goog-api-key': key,
  'api-key': key,
  'sluice-key': key,
}
const ok = (reply: { answer(status: number, headers: object, body: string): unknown }) =>
  reply.answer(200, {}, '{}')

const secrets = ['authorization', 'x-api-key', 'x-goog-api-key', 'api-key', 'sluice-key']

async function arrived(path: string, headers: Record<string, string> = everywhere) {
  const response = await fetch(gateway.url + path, { method: 'POST', body: '{}', headers })
  await response.text()
  const seen = gateway.upstream.seen.at(-1)
  const found = Object.fromEntries(
    secrets.flatMap((name) => {
      const value = seen?.header(name)
      return value === undefined ? [] : [[name, value]]
    }),
  )
  return { found, path: seen?.path, record: await gateway.record(response) }
}

test('a Sluice key is taken out wherever it may stand, and the provider’s own put in its place', async () => {
  gateway = await testGateway(ok, { settings: { 'azure-openai': { apiKey: 'az' }, vllm: {} } })
  const server = 'sk-server-side-key'
  expect((await arrived('/v1/messages')).found).toEqual({ 'x-api-key': server })
  expect((await arrived('/v1/responses')).found).toEqual({ authorization: `Bearer ${server}` })
  const gemini = await arrived(`/v1beta/models/g:generateContent?alt=sse&key=${key}&x=key=1`)
  expect([gemini.found, gemini.path]).toEqual([
    { 'x-goog-api-key': server },
    '/v1beta/models/g:generateContent?alt=sse&x=key=1',
  ])
  const guest = await arrived('/p/anthropic/v1/chat/completions')
  expect(guest.found).toEqual({ authorization: `Bearer ${server}` })
})

test('a server of one’s own is called without a key where it has none', async () => {
  gateway = await testGateway(ok)
  const own = await testGateway(ok, { settings: { vllm: { baseUrl: `${gateway.upstream.url}/v1` } } })
  const response = await fetch(`${own.url}/p/vllm/v1/chat/completions`, {
    method: 'POST',
    body: '{}',
    headers: everywhere,
  })
  expect(response.status).toBe(200)
  const seen = gateway.upstream.seen[0]
  expect([seen?.path, ...secrets.map((name) => seen?.header(name))]).toEqual([
    '/v1/chat/completions',
    ...Array(5).fill(undefined),
  ])
  await own.stop()
})

test('a vendor without a key on the gateway: the error names the variable', async () => {
  gateway = await testGateway(ok, { settings: { mistral: { baseUrl: 'http://127.0.0.1:1' } } })
  const response = await fetch(`${gateway.url}/p/mistral/v1/chat/completions`, { method: 'POST', body: '{}' })
  expect(response.status).toBe(502)
  expect(await response.text()).toContain('MISTRAL_API_KEY')
})

test('with pass-through the client’s own credential goes on untouched, but never a sluice header', async () => {
  gateway = await testGateway(ok, { passThrough: true })
  const { found, path } = await arrived('/v1beta/models/g:generateContent?key=theirs')
  const { 'sluice-key': _, ...theirs } = everywhere
  expect([found, path]).toEqual([theirs, '/v1beta/models/g:generateContent?key=theirs'])
})

test('no credential is on record, in a header, a query or a protocol', async () => {
  gateway = await testGateway((reply) => reply.answer(200, { 'set-cookie': 's=cookie-secret' }, '{}'), {
    passThrough: true,
  })
  const { record } = await arrived(`/v1/messages?key=${key}&beta=true`, {
    ...everywhere,
    cookie: 'session=cookie-secret',
    'proxy-authorization': `Basic ${key}`,
    'x-amz-security-token': key,
    'sec-websocket-protocol': `realtime, openai-insecure-api-key.${key}`,
    'x-visible': 'yes',
  })
  expect(record.open.path).toBe('/v1/messages?beta=true')
  expect(record.open.request_headers).toContainEqual(['x-visible', 'yes'])
  expect(record.open.request_headers).toContainEqual(['sec-websocket-protocol', 'realtime'])
  const kept = JSON.stringify([record.open, record.end])
  expect(kept).not.toContain(key)
  expect(kept).not.toContain('cookie-secret')
})

test('tags of the key and of the request are on record, each once', async () => {
  gateway = await testGateway(ok, { caller: { tags: ['team-a'], tenant: 'acme', keyId: 'k1' } })
  const { record } = await arrived('/v1/messages', { 'sluice-tags': 'ci, team-a,run:7' })
  expect(record.open).toMatchObject({ tags: ['team-a', 'ci', 'run:7'], tenant: 'acme', key_id: 'k1' })
})

test('in metadata mode nothing but numbers is kept', async () => {
  const answer = {
    ...{ id: 'm', type: 'message', role: 'assistant', model: 'claude-x', stop_reason: 'end_turn' },
    content: [{ type: 'text', text: 'canary-answer' }],
    usage: { input_tokens: 3, output_tokens: 5 },
  }
  gateway = await testGateway((reply) => reply.answer(200, {}, JSON.stringify(answer)), {
    caller: { capture: 'metadata' },
  })
  const body = JSON.stringify({ model: 'claude-x', messages: [{ role: 'user', content: 'canary-prompt' }] })
  const response = await fetch(`${gateway.url}/v1/messages`, { method: 'POST', body })
  await response.text()
  const record = await gateway.record(response)
  expect(record.end.metered).toMatchObject({ model_asked: 'claude-x', usage: { input: 3, output: 5 } })
  expect(record.end).toMatchObject({ request_bytes: body.length })
  expect([record.request.length, record.response.length]).toEqual([0, 0])
  expect(JSON.stringify(record)).not.toContain('canary')
})

test('the session of a page stays here; other cookies go on', async () => {
  gateway = await testGateway(ok)
  const sent = async (cookie: string) => {
    await arrived('/p/anthropic/v1/messages', { 'x-api-key': 'sk-ant-own', cookie })
    return gateway.upstream.seen.at(-1)?.header('cookie')
  }
  expect(await sent('a=1; sluice_session=v2.secret; b=2')).toBe('a=1; b=2')
  expect(await sent('sluice_session=v2.secret')).toBeUndefined()
  expect(await sent('a=1;b=2')).toBe('a=1;b=2')
})
