import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import OpenAI from 'openai'
import { translator } from '../../../src/llm/codecs/index.ts'
import { type Mock, openMock } from '../../../src/llm/providers/mock/index.ts'
import { openTestGateway, type TestGateway } from './gateway.ts'
import { refused, send } from './send.ts'
import { streams } from './stream-fixtures.ts'

let mock: Mock
let toGemini: TestGateway
let toOpenai: TestGateway
let toAnthropic: TestGateway

beforeAll(async () => {
  mock = await openMock()
  toGemini = openTestGateway('gemini', mock.url)
  toOpenai = openTestGateway('openai-responses', mock.url)
  toAnthropic = openTestGateway('anthropic', mock.url)
})
afterAll(async () => {
  for (const gateway of [toGemini, toOpenai, toAnthropic]) await gateway.close()
  await mock.close()
})

describe('T5: counting tokens', () => {
  const params = { model: 'mock', messages: [{ role: 'user' as const, content: 'How many tokens is this?' }] }

  test('is asked of the target, from Anthropic', async () => {
    for (const [gateway, path] of [
      [toGemini, '/v1beta/models/mock:countTokens'],
      [toOpenai, '/v1/responses/input_tokens'],
    ] as const) {
      const client = new Anthropic({ apiKey: 'none', baseURL: gateway.url, maxRetries: 0 })
      const { input_tokens } = await client.messages.countTokens(params)
      expect(input_tokens).toBe(6)
      expect(gateway.last().path).toBe(path)
      expect(gateway.last().body.max_output_tokens).toBeUndefined()
    }
  })

  test('is asked of the target, from Gemini', async () => {
    const client = new GoogleGenAI({ apiKey: 'none', httpOptions: { baseUrl: toAnthropic.url } })
    const { totalTokens } = await client.models.countTokens({
      model: 'mock',
      contents: 'How many tokens is this?',
    })
    expect(totalTokens).toBe(6)
    expect(toAnthropic.last().path).toBe('/v1/messages/count_tokens')
    expect(Object.keys(toAnthropic.last().body).toSorted()).toEqual(['messages', 'model'])
  })

  test('with instructions and tools counts them too', () => {
    const body = { ...params, system: 'Be brief.', tools: [{ name: 'f', input_schema: { type: 'object' } }] }
    const { sent } = send('anthropic', 'gemini', body, { path: '/v1/messages/count_tokens' })
    expect(sent.generateContentRequest).toMatchObject({
      model: 'models/mock',
      systemInstruction: { parts: [{ text: 'Be brief.' }] },
      tools: [{}],
    })
  })

  test('is refused where the target cannot count, and never guessed', () => {
    const error = refused('anthropic', 'openai-chat', params, '/v1/messages/count_tokens?beta=true')
    expect(error.message).toContain('OpenAI Chat Completions')
    expect(error.message).toContain('counting tokens')
  })
})

describe('embeddings', () => {
  test("of OpenAI's SDK come from Gemini, packed as it asks", async () => {
    const client = new OpenAI({ apiKey: 'none', baseURL: `${toGemini.url}/v1`, maxRetries: 0 })
    const { data, model } = await client.embeddings.create({
      model: 'mock',
      input: ['one', 'two'],
      dimensions: 8,
    })
    expect(data.map(({ embedding }) => embedding.length)).toEqual([8, 8])
    expect(model).toBe('mock')
    expect(toGemini.last().body.requests).toMatchObject([
      { outputDimensionality: 8 },
      { content: { parts: [{ text: 'two' }] } },
    ])
    expect(toGemini.last().warnings).toEqual([expect.stringContaining('embedding-usage')])
  })

  test("of Gemini's SDK come from OpenAI", async () => {
    const client = new GoogleGenAI({ apiKey: 'none', httpOptions: { baseUrl: toOpenai.url } })
    const { embeddings } = await client.models.embedContent({ model: 'mock', contents: ['one', 'two'] })
    expect(embeddings?.map(({ values }) => values?.length)).toEqual([8, 8])
    expect(toOpenai.last().path).toBe('/v1/embeddings')
  })

  test('are refused where there are none', () => {
    expect(refused('openai-embeddings', 'anthropic', { model: 'm', input: 'x' }).message).toContain(
      'embeddings',
    )
    expect(refused('openai-embeddings', 'gemini', { model: 'm', input: [[1, 2]] }).message).toContain(
      'tokens',
    )
  })
})

describe('errors', () => {
  const hello = [{ role: 'user', content: 'x' }]
  const claude = { model: 'm', max_tokens: 9, messages: hello }
  const tooLong = {
    error: {
      message: "This model's maximum context length is 8192 tokens.",
      type: 'invalid_request_error',
      code: 'context_length_exceeded',
    },
  }

  test('of a context that is too long are what clients that compact look for', () => {
    const { json } = send('anthropic', 'openai-chat', claude).answer(tooLong, 400)
    expect(json.error).toMatchObject({
      type: 'invalid_request_error',
      message: expect.stringMatching(/^prompt is too long: /),
    })
    const google = {
      error: {
        code: 400,
        message: 'The input token count (9) exceeds the maximum',
        status: 'INVALID_ARGUMENT',
      },
    }
    const chat = send('openai-chat', 'gemini', { model: 'm', messages: hello }).answer(google, 400)
    expect(chat.json.error).toMatchObject({ code: 'context_length_exceeded' })
  })

  test('of overload keep their status in every shape', () => {
    const overloaded = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }
    const chat = send('openai-chat', 'anthropic', { model: 'm', messages: hello }).answer(overloaded, 529)
    expect(chat).toMatchObject({
      status: 529,
      json: { error: { type: 'server_error', code: 'overloaded_error' } },
    })
    const google = { error: { code: 429, message: 'Quota', status: 'RESOURCE_EXHAUSTED' } }
    expect(send('anthropic', 'gemini', claude).answer(google, 429).json.error).toMatchObject({
      type: 'rate_limit_error',
      message: 'Quota',
    })
  })

  test('that are pages or words come in the shape of the dialect', () => {
    const page = '<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>'
    expect(send('anthropic', 'openai-chat', claude).answer(page, 502).json).toEqual({
      type: 'error',
      error: { type: 'api_error', message: '502 Bad Gateway nginx' },
    })
    expect(
      send('anthropic', 'openai-chat', claude).answer({ error: 'model not loaded' }, 503).json,
    ).toMatchObject({ error: { message: 'model not loaded' } })
    expect(
      send('anthropic', 'openai-chat', claude).answer([{ error: { message: 'in a list' } }], 400).json,
    ).toMatchObject({ error: { message: 'in a list' } })
  })

  test('that came with a 200 get a status of their own', () => {
    const { status, json } = send('anthropic', 'openai-chat', claude).answer({
      error: { message: 'No credits', type: 'rate_limit_error' },
    })
    expect(status).toBe(429)
    expect(json.error).toMatchObject({ type: 'rate_limit_error' })
  })

  test('T6: in a stream end it with the event of the dialect', () => {
    const error =
      'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
    const start = streams.anthropic.slice(0, streams.anthropic.indexOf('event: ping'))
    const relay = send('openai-chat', 'anthropic', { model: 'm', messages: hello, stream: true }).relay()
    const text = [relay.push(new TextEncoder().encode(start + error)), relay.end()]
      .map((piece) => (piece === null ? '' : new TextDecoder().decode(piece)))
      .join('')
    expect(text).toContain('data: {"error":{"message":"Overloaded"')
    expect(text).not.toContain('[DONE]')
    expect(text.match(/"error"/g)).toHaveLength(1)
  })

  test('of a connection that broke end it too', () => {
    const relay = send('anthropic', 'openai-chat', { ...claude, stream: true }).relay()
    relay.push(new TextEncoder().encode(streams['openai-chat'].slice(0, 500)))
    const last = relay.end({ status: 504, code: 'upstream-timeout', message: 'Silent for too long' })
    const text = new TextDecoder().decode(last ?? new Uint8Array())
    expect(text).toContain('event: error')
    expect(text).toContain('Silent for too long')
    expect(text).not.toContain('message_stop')
  })
})

test('Gemini without alt=sse gets one JSON array, piece by piece', () => {
  const path = '/v1beta/models/m:streamGenerateContent'
  const relay = send(
    'gemini',
    'anthropic',
    { contents: [{ role: 'user', parts: [{ text: 'x' }] }] },
    { path },
  ).relay()
  const pieces = [relay.push(new TextEncoder().encode(streams.anthropic)), relay.end()]
  const text = pieces.map((piece) => (piece === null ? '' : new TextDecoder().decode(piece))).join('')
  const chunks = JSON.parse(text) as { candidates: { finishReason?: string }[] }[]
  expect(chunks.length).toBeGreaterThan(5)
  expect(chunks.at(-1)?.candidates[0]?.finishReason).toBe('STOP')
})

test('usage of a chat stream comes only where it is asked for', () => {
  const text = (more: object) => {
    const relay = send('openai-chat', 'anthropic', {
      model: 'm',
      stream: true,
      messages: [{ role: 'user', content: 'x' }],
      ...more,
    }).relay()
    return new TextDecoder().decode(
      relay.push(new TextEncoder().encode(streams.anthropic)) ?? new Uint8Array(),
    )
  }
  expect(text({})).not.toContain('usage')
  expect(text({ stream_options: { include_usage: true } })).toContain(
    '"choices":[],"usage":{"prompt_tokens":100',
  )
})

test('the transform stream passes the same bytes as the relay', async () => {
  const body = { model: 'm', max_tokens: 9, stream: true, messages: [{ role: 'user', content: 'x' }] }
  const source = new Response(streams['openai-chat']).body
  const translating = translator('anthropic', 'openai-chat')
  translating?.request(new TextEncoder().encode(JSON.stringify(body)), '/v1/messages', new Headers(), {
    model: null,
  })
  const stream = translating?.stream()
  if (source === null || stream === undefined) throw new Error('no stream')
  const text = await new Response(source.pipeThrough(stream)).text()
  expect(text).toContain('event: message_stop')
  expect(stream.warnings()).toEqual([])
})

test('what an answer loses is named too, for the dialect of the client', () => {
  const body = { model: 'm', messages: [{ role: 'user', content: 'Draw' }] }
  const parts = [{ text: 'Here:' }, { inlineData: { mimeType: 'image/png', data: 'AA==' } }]
  const { json, warnings } = send('openai-chat', 'gemini', body).answer({
    candidates: [{ content: { parts }, finishReason: 'STOP' }],
  })
  expect(json.choices).toMatchObject([{ message: { content: 'Here:' } }])
  expect(warnings).toEqual([expect.stringMatching(/^answer-part: dropped for OpenAI Chat.*image/)])
})
