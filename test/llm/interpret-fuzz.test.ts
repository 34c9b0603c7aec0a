import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { RecordedExchange } from '#capture'
import { interpret } from '../../src/llm/interpret.ts'
import { type Mock, openMock } from '../../src/llm/providers/mock/index.ts'
import { endOf, openOf } from '../capture/support.ts'

let mock: Mock
beforeAll(async () => {
  mock = await openMock()
})
afterAll(async () => await mock.close())

const text = 'use tool t'
const requests: [string, string, object][] = [
  [
    'anthropic',
    '/v1/messages',
    {
      model: 'mock-thinking',
      max_tokens: 9,
      stream: true,
      system: [{ type: 'text', text: 's' }],
      tools: [{ name: 't', input_schema: { type: 'object' } }],
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'hi' }] },
        { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 't', input: { a: 1 } }] },
        { role: 'user', content: [{ type: 'tool_result', content: [{ type: 'text', text: 'x' }] }] },
        { role: 'assistant', content: 'ok' },
        { role: 'user', content: text },
      ],
    },
  ],
  [
    'openai-chat',
    '/v1/chat/completions',
    {
      model: 'mock',
      stream: true,
      stream_options: { include_usage: true },
      tools: [{ type: 'function', function: { name: 't', parameters: {} } }],
      messages: [{ role: 'user', content: [{ type: 'text', text }] }],
    },
  ],
  [
    'openai-responses',
    '/v1/responses',
    {
      model: 'mock-thinking',
      stream: true,
      client_metadata: { session_id: 'x' },
      tools: [{ type: 'function', name: 't', parameters: {} }],
      input: [
        { role: 'user', content: [{ type: 'input_text', text: 'hi' }] },
        { type: 'function_call', name: 't', arguments: '{}' },
        { type: 'function_call_output', output: 'x' },
        { role: 'assistant', content: 'ok' },
        { role: 'user', content: text },
      ],
    },
  ],
  [
    'gemini',
    '/v1beta/models/mock:streamGenerateContent?alt=sse',
    {
      contents: [{ role: 'user', parts: [{ text }, { inlineData: { mimeType: 'image/png', data: 'AA' } }] }],
      tools: [{ functionDeclarations: [{ name: 't' }] }],
    },
  ],
]
const odd = [null, 1, -1, 1e308, '', 'x', [], {}, [null], [[]], { type: 'text' }, true, '\ud800\u0000']

test.each(requests)(
  'R15: whatever is changed in an exchange of %s, it is read or passed over',
  async (dialect, path, body) => {
    const random = numbers(7)
    const answer = await (await fetch(mock.url + path, { method: 'POST', body: JSON.stringify(body) })).text()
    for (let round = 0; round < 400; round += 1) {
      const request = JSON.stringify(change(body, random)) ?? ''
      const response =
        round % 3 === 0 ? noise(answer, random) : mapEvents(answer, (event) => change(event, random))
      const read = interpret(exchange(dialect, path, new TextEncoder().encode(request), response))
      // Neither NUL nor half a surrogate pair: a database refuses the whole batch for one.
      expect(strings(read).filter((one) => one.includes('\u0000') || !one.isWellFormed())).toEqual([])
      const { final: _, ...counts } = read.usage ?? { final: true }
      for (const count of Object.values(counts)) {
        expect(count === null || (Number.isSafeInteger(count) && count >= 0)).toBe(true)
      }
    }
  },
)

function change(value: unknown, random: (below: number) => number, depth = 0): unknown {
  if (random(depth < 2 ? 200 : 6) === 0) return odd[random(odd.length)]
  if (Array.isArray(value)) return value.map((item) => change(item, random, depth + 1))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, change(inner, random, depth + 1)]),
  )
}

function strings(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(strings) : []
}

function mapEvents(stream: string, change: (event: unknown) => unknown): Uint8Array {
  const lines = stream
    .split('\n')
    .map((line) =>
      line.startsWith('data: {') ? `data: ${JSON.stringify(change(JSON.parse(line.slice(6))))}` : line,
    )
  return new TextEncoder().encode(lines.join('\n'))
}

/** Some bytes changed, and cut somewhere. */
function noise(stream: string, random: (below: number) => number): Uint8Array {
  const bytes = new TextEncoder().encode(stream)
  for (let times = 0; times < 5; times += 1) bytes[random(bytes.length)] = random(256)
  return bytes.subarray(0, random(bytes.length))
}

/** The same numbers every time. */
function numbers(start: number): (below: number) => number {
  let state = start
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return (state >> 8) % below
  }
}

function exchange(
  dialect: string,
  path: string,
  request: Uint8Array,
  response: Uint8Array,
): RecordedExchange {
  return {
    open: openOf({ path, dialect, provider: 'anthropic' }),
    end: { ...endOf(), seq: 1, request_bytes: request.length, response_bytes: response.length },
    request,
    response,
  }
}
