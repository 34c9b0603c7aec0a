import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import type { RecordedExchange } from '#capture'
import { interpret } from '../../src/llm/interpret.ts'
import { openMeter } from '../../src/llm/meter.ts'
import { type Mock, openMock } from '../../src/llm/providers/mock/index.ts'
import { endOf, openOf } from '../capture/support.ts'

let mock: Mock
beforeAll(async () => {
  mock = await openMock()
})
afterAll(async () => await mock.close())

const encoder = new TextEncoder()
const json = (value: unknown) => encoder.encode(JSON.stringify(value))

type Change = { open?: Partial<RecordedExchange['open']>; end?: Partial<RecordedExchange['end']> }

function exchange(request: Uint8Array, response: Uint8Array, { open, end }: Change = {}): RecordedExchange {
  return {
    open: openOf({ provider: 'anthropic', started_at: Date.UTC(2026, 10, 1), path: '/v1/messages', ...open }),
    end: { ...endOf(), seq: 1, request_bytes: request.length, response_bytes: response.length, ...end },
    request,
    response,
  }
}

const ask = { model: 'claude-opus-4-8', max_tokens: 9, messages: [{ role: 'user', content: 'Hello' }] }
const answer = {
  type: 'message',
  role: 'assistant',
  model: 'claude-opus-4-8',
  content: [{ type: 'text', text: 'Hi.' }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 10, output_tokens: 2 },
}

describe('an exchange', () => {
  test('is read whole: models, usage, cost, session, history and reply', () => {
    const request_headers: [string, string][] = [['x-claude-code-session-id', 's1']]
    expect(interpret(exchange(json(ask), json(answer), { open: { request_headers } }))).toMatchObject({
      model_asked: 'claude-opus-4-8',
      model_served: 'claude-opus-4-8',
      streamed: false,
      usage: { input: 10, output: 2, final: true },
      cost: { micros: 100, currency: 'USD' },
      error: null,
      session: { client: 'claude-code', session: 's1' },
      history: [{ role: 'user', text: 'Hello' }],
      reply: { role: 'assistant', text: 'Hi.' },
    })
  })

  const encodings: [string, (bytes: Uint8Array) => Uint8Array][] = [
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
    ['gzip, zstd', (bytes) => zstdCompressSync(gzipSync(bytes))],
  ]
  test.each(encodings)('T9: is read through %s on both sides', (encoding, pack) => {
    const headers: [string, string][] = [['content-encoding', encoding]]
    const change = { open: { request_headers: headers }, end: { response_headers: headers } }
    expect(interpret(exchange(pack(json(ask)), pack(json(answer)), change))).toEqual(
      interpret(exchange(json(ask), json(answer))),
    )
  })

  test('T9: whose body is a bomb is not unpacked', () => {
    const headers: [string, string][] = [['content-encoding', 'gzip']]
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024))
    const change = { open: { request_headers: headers }, end: { response_headers: headers } }
    const read = interpret(exchange(bomb, bomb, change))
    expect(read).toMatchObject({ model_asked: null, usage: null, history: [], reply: null })
    const why = (side: string) =>
      `unread: the ${side}, unpacked as gzip, is larger than 33554432 bytes, or is not of that encoding`
    expect(read.warnings).toEqual([why('response'), why('request')])
    expect(interpret(exchange(json(ask), json(answer))).warnings).toBeUndefined()
  })

  test('T9: whose answer is too large to be read says so, packed or not', () => {
    const large = json({ ...answer, padding: 'x'.repeat(33 * 1024 * 1024) })
    const read = interpret(exchange(json(ask), large))
    expect(read).toMatchObject({ model_asked: 'claude-opus-4-8', usage: null, reply: null })
    expect(read.warnings).toEqual(['unread: the response is larger than 33554432 bytes'])
  })

  test('R10: whose compressed stream broke is read up to there', async () => {
    const stream = await streamOf('mock-long-50')
    const headers: [string, string][] = [
      ['content-encoding', 'gzip'],
      ['content-type', 'text/event-stream'],
    ]
    const packed = gzipSync(stream)
    const cut = packed.subarray(0, packed.length - 12)
    const read = interpret(exchange(json(ask), cut, { end: { response_headers: headers } }))
    expect(read).toMatchObject({ streamed: true, reply: { text: expect.stringContaining('word 1 ') } })
  })

  test('that nobody can read is stored with nothing known, and harms nobody', () => {
    const noise = Uint8Array.from({ length: 5000 }, (_, index) => (index * 7919) % 256)
    const headers: [string, string][] = [['content-encoding', 'gzip']]
    const empty = { model_asked: null, model_served: null, usage: null, cost: null, error: null, reply: null }
    for (const dialect of [
      'anthropic',
      'openai-chat',
      'openai-responses',
      'openai-embeddings',
      'gemini',
      null,
    ]) {
      const path = '/x'
      expect(interpret(exchange(noise, noise, { open: { dialect, path } }))).toMatchObject(empty)
      const packed = { open: { dialect, path, request_headers: headers }, end: { response_headers: headers } }
      expect(interpret(exchange(noise, noise, packed))).toMatchObject(empty)
      expect(
        interpret(exchange(new Uint8Array(), new Uint8Array(), { open: { dialect, path } })),
      ).toMatchObject(empty)
    }
  })

  test('R15: keeps NUL, lone surrogates and megabytes of base64 out of names and texts', () => {
    const data = 'A'.repeat(5 * 1024 * 1024)
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data } }
    const content = [{ type: 'text', text: 'a\u0000b\udc00' }, image]
    const request = { ...ask, model: `m\u0000${'x'.repeat(5000)}`, messages: [{ role: 'user', content }] }
    const error = { type: 'error', error: { type: 'what you said: \u0000', message: 'x' } }
    const read = interpret(exchange(json(request), json(error)))
    expect(read.model_asked).toBe(`m${'x'.repeat(198)}`)
    expect(read.error).toBe('error')
    expect(read.history).toMatchObject([{ text: 'ab\uFFFD\n[image]' }])
  })

  test('that fetches an answer again is not billed again', () => {
    const response = { object: 'response', status: 'completed', model: 'gpt-5', usage: { input_tokens: 5 } }
    const open = {
      method: 'GET',
      dialect: 'openai-responses',
      provider: 'openai',
      path: '/v1/responses/resp_1',
    }
    expect(interpret(exchange(json({}), json(response), { open }))).toMatchObject({ usage: null, cost: null })
    const cancel = { ...open, method: 'POST', path: '/v1/responses/resp_1/cancel' }
    expect(interpret(exchange(json({}), json(response), { open: cancel })).usage).toBeNull()
  })
})

describe('metering in metadata mode', () => {
  test('reads the same numbers while the bytes pass, and keeps no text', async () => {
    const stream = await streamOf('claude-opus-4-8')
    const open = exchange(json(ask), stream).open
    const meter = openMeter(open)
    const body = json({ ...ask, stream: true, metadata: { user_id: 'user_x_account__session_s1' } })
    meter.request(body.subarray(0, 10))
    meter.request(body.subarray(10))
    meter.head(200, [['content-type', 'text/event-stream; charset=utf-8']])
    for (let at = 0; at < stream.length; at += 13) meter.response(stream.subarray(at, at + 13))
    const { metered, error } = meter.read()
    const full = interpret(exchange(body, stream))
    expect(error).toBeNull()
    expect(metered).toEqual({
      model_asked: 'claude-opus-4-8',
      model_served: 'claude-opus-4-8',
      streamed: true,
      usage: full.usage,
      session: 's1',
      agent: null,
      parent_agent: null,
      client: 'claude-code',
    })
    expect(JSON.stringify(metered)).not.toContain('Hello')
    const stored = interpret(
      exchange(new Uint8Array(), new Uint8Array(), { open: { mode: 'metadata' }, end: { metered } }),
    )
    expect(stored).toMatchObject({ usage: full.usage, cost: full.cost, session: full.session, history: [] })
    expect(stored.reply).toBeNull()
  })

  test('T6: says that an error came after a 200', async () => {
    const meter = openMeter(exchange(json(ask), json(answer)).open)
    meter.head(200, [])
    meter.response(await streamOf('mock-inband-error'))
    expect(meter.read().error).toBe('overloaded_error')
  })

  test('of an exchange without a response is what the request says', () => {
    const meter = openMeter({
      ...exchange(json(ask), json(answer)).open,
      request_headers: [['user-agent', 'codex/1']],
    })
    meter.request(json(ask))
    expect(meter.read().metered).toMatchObject({
      model_asked: 'claude-opus-4-8',
      usage: null,
      client: 'codex',
    })
  })
})

async function streamOf(model: string): Promise<Uint8Array> {
  const body = JSON.stringify({ ...ask, model, stream: true })
  return await (await fetch(`${mock.url}/v1/messages`, { method: 'POST', body })).bytes()
}
