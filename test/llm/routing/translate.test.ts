import { afterEach, expect, setDefaultTimeout, test } from 'bun:test'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { until } from '../../support/until.ts'
import type { Reply } from '../../support/upstream.ts'
import { type RoutedGateway, routedGateway, said } from './support.ts'

setDefaultTimeout(30_000)

let gateway: RoutedGateway
afterEach(() => gateway.stop())

const usage = { prompt_tokens: 11, completion_tokens: 4, total_tokens: 15 }
const chunk = (delta: object, rest: object = {}) =>
  `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'gpt-5', choices: [{ index: 0, delta, finish_reason: null, ...rest }] })}\n\n`

const whole = (reply: Reply) =>
  reply.answer(
    200,
    { 'content-type': 'application/json', 'x-request-id': 'r1' },
    JSON.stringify({
      ...{ id: 'c1', object: 'chat.completion', created: 1, model: 'gpt-5', usage },
      choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
    }),
  )

async function stream(reply: Reply) {
  await reply.head(200, { 'content-type': 'text/event-stream' })
  await reply.chunk(chunk({ role: 'assistant', content: 'Hel' }))
  await reply.chunk(chunk({ content: 'lo' }))
  await reply.chunk(chunk({}, { finish_reason: 'stop' }))
  await reply.chunk(
    `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'gpt-5', choices: [], usage })}\n\ndata: [DONE]\n\n`,
  )
  await reply.end()
}

const route = { match: { models: ['claude-*'] }, candidates: [{ provider: 'openai', model: 'gpt-5' }] }
const messages = [{ role: 'user' as const, content: 'hi' }]
const asked = { model: 'claude-sonnet-5', max_tokens: 9, messages }

test('Anthropic’s SDK is answered by a provider of OpenAI’s dialect, whole and streamed', async () => {
  gateway = await routedGateway([
    (reply, seen) => (seen.body.includes('"stream":true') ? stream(reply) : whole(reply)),
  ])
  await gateway.route('cross', route)
  const client = new Anthropic({ baseURL: gateway.url, apiKey: 'k' })
  const { data, response } = await client.messages.create(asked).withResponse()
  expect(data).toMatchObject({
    content: [{ type: 'text', text: 'Hello' }],
    usage: { input_tokens: 11, output_tokens: 4 },
  })
  expect(response.headers.get('sluice-provider')).toBe('openai')
  const [seen] = gateway.upstream.seen
  expect([seen?.path, seen?.header('authorization'), seen?.header('anthropic-version')]).toEqual([
    ...['/v1/chat/completions', 'Bearer sk-server-side-key', undefined],
  ])
  expect(JSON.parse(seen?.body.toString() ?? '')).toMatchObject({ model: 'gpt-5', messages })
  expect(await client.messages.stream(asked).finalText()).toBe('Hello')

  const record = await gateway.record(response)
  expect(JSON.parse(Buffer.from(record.request).toString())).toMatchObject(asked)
  expect(JSON.parse(Buffer.from(record.response).toString())).toMatchObject({ type: 'message' })
  expect(record.end.routed).toMatchObject({
    ...{ provider: 'openai', model: 'gpt-5' },
    usage: { input: 11, output: 4, final: true },
  })
})

test('OpenAI’s SDK without include_usage: the record has the usage that the upstream told', async () => {
  const anthropic = [
    {
      type: 'message_start',
      message: {
        id: 'm',
        type: 'message',
        role: 'assistant',
        model: 'claude',
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { input_tokens: 7, output_tokens: 1 },
      },
    },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hello' } },
    { type: 'content_block_stop', index: 0 },
    {
      type: 'message_delta',
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: 5 },
    },
    { type: 'message_stop' },
  ]
  gateway = await routedGateway([
    async (reply) => {
      await reply.head(200, { 'content-type': 'text/event-stream' })
      for (const event of anthropic)
        await reply.chunk(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
      await reply.end()
    },
  ])
  await gateway.route('cross', { candidates: [{ provider: 'anthropic', model: 'claude' }] })
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'k' })
  const { data, response } = await client.chat.completions
    .create({ model: 'gpt-5', messages, stream: true })
    .withResponse()
  let text = ''
  for await (const part of data) text += part.choices[0]?.delta.content ?? ''
  expect(text).toBe('Hello')
  expect((await gateway.record(response)).end.routed?.usage).toMatchObject({
    input: 7,
    output: 5,
    final: true,
  })
})

const post = () => fetch(`${gateway.url}/v1/messages`, { method: 'POST', body: said })

test('an error of the upstream comes in the client’s shape, with its status', async () => {
  gateway = await routedGateway([
    (reply) =>
      reply.answer(
        400,
        {},
        '{"error":{"message":"context too long","type":"invalid_request_error","code":"context_length_exceeded"}}',
      ),
  ])
  await gateway.route('cross', route)
  const response = await post()
  expect(response.status).toBe(400)
  expect((await response.json()) as object).toMatchObject({
    type: 'error',
    error: { type: 'invalid_request_error', message: expect.stringContaining('context too long') },
  })
  expect((await gateway.record(response)).end).toMatchObject({ outcome: 'upstream_error', status: 400 })
})

test('when to ask again comes through in each of its forms, whoever asks and answers', async () => {
  const google = {
    ...{ code: 429, message: 'slow down', status: 'RESOURCE_EXHAUSTED' },
    details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '33.4s' }],
  }
  const date = new Date(Date.now() + 60_000).toUTCString()
  let headers: Record<string, string> = {}
  gateway = await routedGateway([
    (reply, seen) =>
      reply.answer(
        429,
        { ...headers, 'content-type': 'application/json' },
        JSON.stringify({ error: seen.path.includes('gemini') ? google : { message: 'slow down' } }),
      ),
  ])
  for (const [name, sent, wanted] of [
    ['openai', { 'retry-after': '7' }, { 'retry-after': '7' }],
    ['openai', { 'retry-after': date }, { 'retry-after': date }],
    [
      'openai',
      { 'retry-after-ms': '1500', 'x-should-retry': 'false' },
      { 'retry-after-ms': '1500', 'x-should-retry': 'false' },
    ],
    ['gemini', {}, { 'retry-after': '34' }],
  ] as const) {
    headers = sent
    await gateway.route('cross', { candidates: [{ provider: name, model: `${name}-x` }] })
    const client = new Anthropic({ baseURL: gateway.url, apiKey: 'k', maxRetries: 0 })
    const failure = await client.messages.create(asked).catch((error) => error)
    expect(failure.status).toBe(429)
    expect(Object.fromEntries(failure.headers)).toMatchObject(wanted)
  }
})

test('an answer that is no JSON: 502 with the reason, on record', async () => {
  gateway = await routedGateway([
    (reply) => reply.answer(200, { 'content-type': 'application/json' }, '<html>'),
  ])
  await gateway.route('cross', route)
  const response = await post()
  expect(response.status).toBe(502)
  expect((await response.json()) as object).toMatchObject({ type: 'error', error: { type: 'api_error' } })
  expect((await gateway.record(response)).end).toMatchObject({
    outcome: 'upstream_error',
    error: 'upstream-malformed',
  })
})

test('an object that is neither an answer nor an error is none that says nothing', async () => {
  const bodies = ['{"detail":"no such thing"}', '{"choices":null}', '{"choices":[]}', '{"error":"no"}']
  let next = 0
  gateway = await routedGateway([(reply) => reply.answer(200, {}, bodies[next++] ?? '')])
  await gateway.route('cross', route)
  for (const _ of bodies) {
    const response = await post()
    expect(response.status).toBe(502)
    expect(JSON.stringify(await response.json())).toContain('neither an answer of openai-chat nor an error')
  }
})

test('an answer that is no JSON falls to a candidate that makes sense', async () => {
  gateway = await routedGateway([
    (reply) => reply.answer(200, { 'content-type': 'application/json' }, '<html>'),
    (reply) => reply.answer(200, {}, '{"who":"one"}'),
  ])
  await gateway.route('cross', {
    candidates: [{ provider: 'openai' }, { provider: 'one', priority: 1 }],
  })
  const response = await post()
  expect(await response.json()).toEqual({ who: 'one' })
  expect((await gateway.record(response)).end.routed?.attempts).toMatchObject([
    { provider: 'openai', error: 'upstream-malformed' },
    { provider: 'one', error: null },
  ])
})

test('a stream that breaks off ends with an error in the client’s dialect, and is recorded as broken', async () => {
  const seen = Promise.withResolvers<void>()
  gateway = await routedGateway([
    async (reply) => {
      await reply.head(200, { 'content-type': 'text/event-stream' })
      await reply.chunk(chunk({ role: 'assistant', content: 'Hel' }))
      await seen.promise
      reply.cut()
    },
  ])
  await gateway.route('cross', route)
  const client = new Anthropic({ baseURL: gateway.url, apiKey: 'k', maxRetries: 0 })
  const stream = client.messages.stream(asked).on('text', () => seen.resolve())
  await expect(stream.finalText()).rejects.toThrow()
  await until('it is recorded', () => gateway.records().length === 1)
  const record = await gateway.record(gateway.records()[0]?.open.id ?? '')
  expect(record.end.outcome).toBe('upstream_gone')
  expect(Buffer.from(record.response).toString()).toContain('event: error')
})

test('what the target cannot carry goes to a candidate that can', async () => {
  gateway = await routedGateway([whole, (reply) => reply.answer(200, {}, '{"who":"one"}')])
  await gateway.route('cross', { candidates: [{ provider: 'openai' }, { provider: 'one', priority: 1 }] })
  const broken = JSON.stringify({
    model: 'claude-sonnet-5',
    max_tokens: 9,
    messages: [{ role: 'user', content: [{ type: 'what' }] }],
  })
  const response = await fetch(`${gateway.url}/v1/messages`, { method: 'POST', body: broken })
  expect(await response.json()).toEqual({ who: 'one' })
})
