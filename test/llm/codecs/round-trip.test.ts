import { describe, expect, test } from 'bun:test'
import { translator } from '../../../src/llm/codecs/index.ts'
import type { ChatDialect } from '../../../src/llm/codecs/model.ts'
import { dialectNamed } from '../../../src/llm/dialects/dialects.ts'
import { dialects, pairs } from './clients.ts'

const paths: Record<ChatDialect, string> = {
  anthropic: '/v1/messages',
  'openai-chat': '/v1/chat/completions',
  'openai-responses': '/v1/responses',
  gemini: '/v1beta/models/m:generateContent',
}

/** A conversation at random, the same for the same seed, in Anthropic's dialect. */
function conversation(seed: number): Record<string, unknown> {
  let state = seed * 2_654_435_761 + 1
  const random = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const words = [
    'alpha',
    'ünïcode 🌍',
    '{"json": true}',
    'new\nline',
    '"quoted"',
    '</tag>',
    '\\u0041',
    'data: x\n\n',
  ]
  const text = () => Array.from({ length: 1 + random(4) }, () => words[random(words.length)]).join(' ')
  const value = (depth: number): unknown => {
    const kind = random(depth > 2 ? 3 : 5)
    if (kind === 0) return text()
    if (kind === 1) return random(1_000) - 500
    if (kind === 2) return [true, false, null][random(3)]
    if (kind === 3) return Array.from({ length: random(3) }, () => value(depth + 1))
    return input(depth + 1)
  }
  const input = (depth: number): Record<string, unknown> =>
    Object.fromEntries(Array.from({ length: random(4) }, (_, index) => [`key_${index}`, value(depth)]))
  const messages: unknown[] = []
  let calls = 0
  for (let turn = 0; turn < 1 + random(6); turn += 1) {
    const image = {
      type: 'image',
      source: { type: 'base64', media_type: 'image/png', data: `iVBOR${random(99)}w0` },
    }
    messages.push({
      role: 'user',
      content: [{ type: 'text', text: text() }, ...(random(4) === 0 ? [image] : [])],
    })
    const uses = Array.from({ length: random(4) }, () => {
      calls += 1
      return { type: 'tool_use', id: `toolu_${calls}`, name: `tool_${random(3)}`, input: input(0) }
    })
    const said = uses.length === 0 || random(2) === 0 ? [{ type: 'text', text: text() }] : []
    messages.push({ role: 'assistant', content: [...said, ...uses] })
    if (uses.length > 0) {
      const results = uses.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: text() }))
      messages.push({ role: 'user', content: results })
      messages.push({ role: 'assistant', content: [{ type: 'text', text: text() }] })
    }
  }
  messages.push({ role: 'user', content: [{ type: 'text', text: text() }] })
  return {
    model: 'm',
    max_tokens: 1 + random(1_000),
    system: text(),
    messages,
    temperature: random(10) / 10,
    tools: [0, 1, 2].map((n) => ({
      name: `tool_${n}`,
      description: text(),
      input_schema: { type: 'object', properties: {} },
    })),
  }
}

function translate(body: Uint8Array, from: ChatDialect, to: ChatDialect): Uint8Array {
  if (from === to) return body
  const translating = translator(from, to)
  if (translating === null) throw new Error('nothing to translate')
  return translating.request(body, paths[from], new Headers(), { model: null }).body
}

/** What the record understands of a request: the meaning that must not change. */
function meaning(body: Uint8Array, dialect: ChatDialect): string[] {
  const reading = dialectNamed(dialect)?.readRequest(body, paths[dialect])
  return (reading?.history ?? []).map(({ role, digest }) => `${role} ${digest}`)
}

const encoder = new TextEncoder()
const parsed = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes))

describe('100 conversations at random', () => {
  const bodies = Array.from({ length: 100 }, (_, seed) => encoder.encode(JSON.stringify(conversation(seed))))

  test.each(pairs)('mean the same in %s after %s and back', (from, to) => {
    for (const original of bodies) {
      const start = translate(original, 'anthropic', from)
      const back = translate(translate(start, from, to), to, from)
      expect(meaning(back, from)).toEqual(meaning(start, from))
      // What is written from what was read twice is the same, byte for byte.
      expect(parsed(translate(translate(back, from, to), to, from))).toEqual(parsed(back))
    }
  })

  test('mean the same in every dialect by turns', () => {
    for (const original of bodies) {
      const order = [...dialects, 'anthropic'] as const
      const end = order.reduce<{ body: Uint8Array; at: ChatDialect }>(
        ({ body, at }, to) => ({ body: translate(body, at, to), at: to }),
        { body: original, at: 'anthropic' },
      )
      expect(meaning(end.body, 'anthropic')).toEqual(meaning(original, 'anthropic'))
    }
  })
})
