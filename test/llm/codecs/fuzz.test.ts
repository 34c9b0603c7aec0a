import { describe, expect, test } from 'bun:test'
import { SluiceError } from '#lib/errors'
import { translator } from '../../../src/llm/codecs/index.ts'
import { pairs } from './clients.ts'
import { wholes } from './fixtures.ts'
import { paths, refused, send } from './send.ts'
import { streams } from './stream-fixtures.ts'

const odd = [
  'null',
  '7',
  '""',
  '[]',
  '{}',
  'true',
  '"\\ud800"',
  '[null]',
  '{"type":"text"}',
  '1e999',
  '"\\u0000"',
]

/** Replaces one value somewhere by one that does not belong there. */
function damaged(json: string, seed: number): string {
  const places = [...json.matchAll(/(?<=":)("(?:[^"\\]|\\.)*"|[\d.]+|true|false|null|\{|\[)/g)]
  const place = places[(seed * 7_919) % places.length]
  const value = odd[seed % odd.length] ?? 'null'
  if (place === undefined) return json
  const [found] = place
  // An opened object or list becomes a text, which breaks the JSON: that must be survived as well.
  return json.slice(0, place.index) + value + json.slice(place.index + found.length)
}

const encoder = new TextEncoder()
const seeds = Array.from({ length: 150 }, (_, seed) => seed)

/** What may be thrown at bad input, and nothing else. */
function survives(work: () => unknown): void {
  try {
    work()
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
  }
}

describe.each(pairs)('%s over %s', (from, to) => {
  test('survives answers, streams and requests with odd values anywhere', () => {
    const request = requestBytes(from)
    for (const seed of seeds) {
      survives(() => {
        const translating = translator(from, to)
        translating?.request(request, paths[from], new Headers(), { model: null })
        translating?.response(encoder.encode(damaged(JSON.stringify(wholes[to]), seed)), 200)
      })
      const relay = translator(from, to)?.relay()
      relay?.push(encoder.encode(damaged(streams[to], seed)))
      relay?.end()
      survives(() => {
        const bytes = encoder.encode(damaged(new TextDecoder().decode(request), seed))
        translator(from, to)?.request(bytes, paths[from], new Headers(), { model: null })
      })
    }
    expect(translator(from, to)?.relay().end()).not.toBeNull()
  })
})

/** A request with a bit of everything. */
function requestBytes(from: (typeof pairs)[number][0]): Uint8Array {
  const messages = [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'x', cache_control: { type: 'ephemeral' } },
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA==' } },
        {
          type: 'document',
          source: { type: 'base64', media_type: 'application/pdf', data: 'AA==' },
          title: 't',
        },
      ],
    },
    {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'Hm', signature: 'sig' },
        { type: 'tool_use', id: 'a', name: 'f', input: { a: 1 } },
      ],
    },
    {
      role: 'user',
      content: [{ type: 'tool_result', tool_use_id: 'a', content: [{ type: 'text', text: 'y' }] }],
    },
  ]
  const schema = { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] }
  const body = {
    model: 'm',
    max_tokens: 9,
    messages,
    system: 's',
    tools: [{ name: 'f', description: 'd', input_schema: schema }],
    tool_choice: { type: 'auto' },
    thinking: { type: 'enabled', budget_tokens: 2_048 },
    output_config: { format: { type: 'json_schema', schema } },
    metadata: { user_id: 'u' },
    stop_sequences: ['s'],
    temperature: 1,
  }
  const bytes = encoder.encode(JSON.stringify(body))
  if (from === 'anthropic') return bytes
  return (
    translator('anthropic', from)?.request(bytes, paths.anthropic, new Headers(), { model: null }).body ??
    bytes
  )
}

test('a schema nested by the ten thousand is refused', () => {
  const deep = `${'{"items":'.repeat(50_000)}{}${'}'.repeat(50_000)}`
  const body = `{"model":"m","messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema","json_schema":{"schema":${deep}}}}`
  survives(() =>
    translator('openai-chat', 'anthropic')?.request(
      encoder.encode(body),
      paths['openai-chat'],
      new Headers(),
      { model: null },
    ),
  )
  expect(refused('openai-chat', 'anthropic', 'x').status).toBe(400)
})

test('T11: comments of a silent upstream are a sign for the client too', () => {
  const body = { model: 'm', max_tokens: 9, stream: true, messages: [{ role: 'user', content: 'x' }] }
  const relay = send('anthropic', 'openai-chat', body).relay()
  const out = relay.push(encoder.encode(': OPENROUTER PROCESSING\n\n'))
  expect(new TextDecoder().decode(out ?? new Uint8Array())).toContain('event: ping')
})

test('names that every object has are no fields of ours', () => {
  const body =
    '{"model":"m","messages":[{"role":"user","content":"x"}],"constructor":1,"__proto__":{"a":1},"toString":"x"}'
  const out = translator('openai-chat', 'gemini')?.request(
    encoder.encode(body),
    paths['openai-chat'],
    new Headers(),
    { model: null },
  )
  expect(out?.warnings).toHaveLength(3)
  const { status, json } = send('openai-chat', 'anthropic', JSON.parse(body)).answer({
    error: { type: 'constructor', message: 'x' },
  })
  expect(status).toBe(500)
  expect(json.error).toMatchObject({ message: 'x' })
})
