import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { openMock } from '#llm'
import { openExchangeReader } from '../../../src/llm/exchange-reader.ts'

let mock: Awaited<ReturnType<typeof openMock>>
beforeAll(async () => {
  mock = await openMock()
})
afterAll(() => mock.close())

type Seen = { model: string | null; usage: unknown; error: string | null }

function reading(
  { dialect, path }: { dialect: string; path: string },
  { chunks, countsOnly }: { chunks: Uint8Array[]; countsOnly: boolean },
): Seen {
  const open = {
    dialect,
    path,
    method: 'POST',
    protocol: 'http' as const,
    request_headers: [] as [string, string][],
  }
  const reader = openExchangeReader(open, { countsOnly })
  reader.head(200, [['content-type', 'text/event-stream']])
  for (const chunk of chunks) reader.response(chunk)
  const { model, usage, error } = reader.result().response
  return { model, usage, error }
}

function cut(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.byteLength / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  )
}

const chat = { dialect: 'openai-chat', path: '/v1/chat/completions' }
const anthropic = { dialect: 'anthropic', path: '/v1/messages' }
const responses = { dialect: 'openai-responses', path: '/v1/responses' }
const gemini = {
  dialect: 'gemini',
  path: '/v1beta/models/mock:streamGenerateContent?alt=sse',
}

const words = 'a "usage":{"x":1} in a text, "error":"no", and "finish_reason":"stop"'
const messages = [{ role: 'user', content: words }]
const asked: [typeof chat, object][] = [
  [chat, { model: 'mock', stream: true, stream_options: { include_usage: true }, messages }],
  [anthropic, { model: 'mock', stream: true, max_tokens: 500, messages }],
  [responses, { model: 'mock', stream: true, input: words }],
  [gemini, { contents: [{ role: 'user', parts: [{ text: words }] }] }],
]

describe('a stream that is skimmed tells what one tells that is read', () => {
  for (const [of, body] of asked)
    test(`${of.dialect}: cut anywhere, broken off anywhere`, async () => {
      const answer = await fetch(mock.url + of.path, { method: 'POST', body: JSON.stringify(body) })
      expect(answer.headers.get('content-type')).toStartWith('text/event-stream')
      const bytes = await answer.bytes()
      const whole = reading(of, { chunks: [bytes], countsOnly: false })
      expect(whole.usage).not.toBeNull()
      for (const size of [1, 7, 100, 1_000, bytes.byteLength])
        expect(reading(of, { chunks: cut(bytes, size), countsOnly: true })).toEqual(whole)
      const step = Math.max(1, Math.floor(bytes.byteLength / 150))
      for (let end = 1; end < bytes.byteLength; end += step) {
        const chunks = cut(bytes.subarray(0, end), 333)
        const full = reading(of, { chunks, countsOnly: false })
        expect([end, reading(of, { chunks, countsOnly: true })]).toEqual([end, full])
      }
    })
})

const frames = (...data: unknown[]) =>
  data.map((one) => `data: ${typeof one === 'string' ? one : JSON.stringify(one)}\n\n`).join('')
const delta = (content: string, more: object = {}) => ({
  model: 'm',
  choices: [{ index: 0, delta: { content }, finish_reason: null }],
  ...more,
})
const end = { model: 'm', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }
const usage = (count: number) => ({ usage: { prompt_tokens: 5, completion_tokens: count } })
const anthropicStart = { type: 'message_start', message: { model: 'm', usage: { input_tokens: 3 } } }
const anthropicDelta = { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'x' } }

const odd: [string, typeof chat, string][] = [
  ['counts with each chunk', chat, frames(delta('a', usage(1)), delta('b', usage(2)), delta('c'), end)],
  ['an error in the middle', chat, frames(delta('a'), { error: { type: 'overloaded' } }, delta('b'))],
  ['an error that is a word', chat, frames(delta('a'), { error: 'no' })],
  [
    'no counts as null',
    chat,
    frames(delta('a', { usage: null }), end, { choices: [], ...usage(9) }, '[DONE]'),
  ],
  ['spaces in JSON', chat, frames(delta('a'), '{ "choices": [], "usage" : { "prompt_tokens": 4 } }')],
  ['groq’s own place', chat, frames(delta('a'), delta('', { x_groq: usage(7) }), delta('b'))],
  ['CRLF', chat, frames(delta('a'), end, { choices: [], ...usage(9) }).replaceAll('\n', '\r\n')],
  ['comments', chat, `: hello\n\n${frames(delta('a'))}: ping\n\n${frames({ choices: [], ...usage(3) })}`],
  [
    'gaps of several lines',
    chat,
    frames(delta('a'), end, { choices: [], ...usage(9) }).replaceAll('\n\n', '\n\n\n\n'),
  ],
  ['no last empty line', chat, frames(delta('a'), { choices: [], ...usage(9) }).trimEnd()],
  ['a large frame', chat, frames(delta('x'.repeat(3_000_000)), { choices: [], ...usage(9) })],
  [
    'no names of events',
    anthropic,
    frames(anthropicStart, anthropicDelta, { type: 'message_delta', usage: { output_tokens: 4 } }),
  ],
  [
    'an error event',
    anthropic,
    frames(anthropicStart, anthropicDelta, { type: 'error', error: { type: 'overloaded_error' } }),
  ],
  [
    'a type that comes late',
    anthropic,
    frames(anthropicStart, {
      usage: { output_tokens: 8 },
      delta: { stop_reason: 'end_turn' },
      type: 'message_delta',
    }),
  ],
  ['an error without a type', anthropic, frames(anthropicStart, { error: { message: 'gone' } })],
  [
    'a failure',
    responses,
    frames(
      { type: 'response.created', response: { model: 'm', status: 'in_progress' } },
      { type: 'response.failed', response: { status: 'failed', error: { code: 'server_error' } } },
    ),
  ],
  [
    'an event that is done',
    responses,
    frames({
      type: 'response.done',
      response: { model: 'm', status: 'completed', usage: { input_tokens: 1, output_tokens: 2 } },
    }),
  ],
  [
    'a block',
    gemini,
    frames(
      { candidates: [], usageMetadata: { promptTokenCount: 3 } },
      { promptFeedback: { blockReason: 'SAFETY' } },
    ),
  ],
]

describe('so does one that is', () => {
  test.each(odd)('%s', (_, of, text) => {
    const bytes = new TextEncoder().encode(text)
    const whole = reading(of, { chunks: [bytes], countsOnly: false })
    for (const size of [11, 4_096, bytes.byteLength]) {
      if (bytes.byteLength / size > 50_000) continue
      expect(reading(of, { chunks: cut(bytes, size), countsOnly: true })).toEqual(whole)
    }
  })
})
