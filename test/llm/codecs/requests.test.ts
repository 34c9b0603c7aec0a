import { describe, expect, test } from 'bun:test'
import { rules, translator } from '../../../src/llm/codecs/index.ts'
import { refused, send } from './send.ts'

const hello = [{ role: 'user', content: 'Hello' }]
const claude = (more: object) => ({ model: 'm', max_tokens: 100, messages: hello, ...more })
const chat = (more: object) => ({ model: 'm', messages: hello, ...more })

describe('what is the same on both sides', () => {
  test('is not translated', () => {
    expect(translator('anthropic', 'anthropic')).toBeNull()
    expect(translator('openai-embeddings', 'openai-chat')).toBeNull()
  })
})

describe('T2: cache_control', () => {
  const cache_control = { type: 'ephemeral', ttl: '1h' }
  const body = (model: string) => ({
    model,
    max_tokens: 10,
    system: [{ type: 'text', text: 'Long.', cache_control }],
    messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi', cache_control }] }],
    tools: [{ name: 'a', input_schema: { type: 'object' }, cache_control }],
  })

  test("is kept for Anthropic's models behind a chat dialect", () => {
    const { sent, warnings } = send('anthropic', 'openai-chat', body('anthropic/claude-opus-4.8'))
    expect(sent.messages).toMatchObject([{ content: [{ cache_control }] }, { content: [{ cache_control }] }])
    expect(sent.tools).toMatchObject([{ cache_control }])
    expect(warnings).toEqual([])
    expect(send('openai-chat', 'anthropic', sent).text.match(/cache_control/g)).toHaveLength(3)
  })

  test('becomes a breakpoint for GPT-5.6 and later', () => {
    const { sent } = send('anthropic', 'openai-responses', body('gpt-5.6'))
    expect(sent.input).toMatchObject([
      { role: 'system', content: [{ prompt_cache_breakpoint: { mode: 'explicit' } }] },
      { role: 'user', content: [{ prompt_cache_breakpoint: { mode: 'explicit' } }] },
    ])
  })

  test('is dropped elsewhere, with a warning', () => {
    for (const to of ['openai-chat', 'openai-responses', 'gemini'] as const) {
      const { lost, text } = send('anthropic', to, body('other'))
      expect(lost).toContain('cache-control')
      expect(text).not.toContain('cache_control')
    }
  })
})

describe('headers', () => {
  test('T4: of one vendor are not forwarded to another, and a beta is named', () => {
    const headers = { 'anthropic-beta': 'context-1m', 'anthropic-version': '2026-10-21', 'x-other': '1' }
    const out = send('anthropic', 'openai-chat', claude({}), { headers })
    expect(out.drop).toContain('anthropic-beta')
    expect(out.drop).toContain('anthropic-version')
    expect(out.drop).not.toContain('x-other')
    expect(out.warnings).toEqual([expect.stringContaining('context-1m')])
  })
})

describe('parameters', () => {
  test('Anthropic gets the max_tokens that it requires', () => {
    const { sent, lost, headers } = send('openai-chat', 'anthropic', chat({ model: 'claude-sonnet-4-5' }))
    expect(sent.max_tokens).toBe(32_000)
    expect(lost).toEqual(['max-tokens-default'])
    expect(headers['anthropic-version']).toBe('2023-06-01')
    expect(send('openai-chat', 'anthropic', chat({ max_completion_tokens: 7 })).sent.max_tokens).toBe(7)
  })

  test('sampling goes only to models that take it', () => {
    const sampling = { temperature: 1.5, top_p: 0.9 }
    expect(
      send('openai-chat', 'anthropic', chat({ ...sampling, model: 'claude-haiku-4-5' })).sent,
    ).toMatchObject({
      temperature: 1,
      top_p: 0.9,
    })
    const late = send('openai-chat', 'anthropic', chat({ ...sampling, model: 'claude-opus-5' }))
    expect(late.sent.temperature).toBeUndefined()
    expect(late.lost).toContain('temperature')
    expect(send('anthropic', 'openai-chat', claude({ model: 'gpt-5.1', temperature: 0 })).lost).toContain(
      'temperature',
    )
    expect(
      send('anthropic', 'gemini', claude({ temperature: 0, top_k: 5 })).sent.generationConfig,
    ).toMatchObject({
      temperature: 0,
      topK: 5,
    })
    expect(send('anthropic', 'openai-chat', claude({ top_k: 5 })).lost).toEqual(['top-k'])
  })

  test('max_tokens has the name that the model knows', () => {
    expect(
      send('anthropic', 'openai-chat', claude({ model: 'openai/gpt-5' })).sent.max_completion_tokens,
    ).toBe(100)
    expect(send('anthropic', 'openai-chat', claude({ model: 'llama-3.3' })).sent.max_tokens).toBe(100)
    expect(send('anthropic', 'openai-responses', claude({ max_tokens: 1 })).sent.max_output_tokens).toBe(16)
  })

  test('stop sequences go where there is a place for them', () => {
    const stop_sequences = ['a', 'b', 'c', 'd', 'e', 'f']
    expect(send('anthropic', 'openai-chat', claude({ stop_sequences })).sent.stop).toHaveLength(4)
    expect(send('anthropic', 'gemini', claude({ stop_sequences })).lost).toContain('stop-many')
    expect(send('anthropic', 'openai-responses', claude({ stop_sequences })).lost).toEqual(['stop'])
  })

  test('a long name of a user is hashed for OpenAI', () => {
    const metadata = { user_id: `user_${'x'.repeat(100)}` }
    const { sent } = send('anthropic', 'openai-chat', claude({ metadata }))
    expect(sent.user).toMatch(/^[0-9a-f]{64}$/)
    expect(send('openai-chat', 'anthropic', chat({ user: 'ada' })).sent.metadata).toEqual({ user_id: 'ada' })
    expect(send('openai-chat', 'gemini', chat({ user: 'ada' })).lost).toEqual(['user'])
  })

  test("OpenAI's own fields stay within OpenAI", () => {
    const own = {
      metadata: { a: 'b' },
      store: true,
      prompt_cache_key: 'k',
      verbosity: 'low',
      service_tier: 'flex',
    }
    const { sent, warnings } = send('openai-chat', 'openai-responses', chat(own))
    expect(sent).toMatchObject({
      metadata: { a: 'b' },
      store: true,
      prompt_cache_key: 'k',
      text: { verbosity: 'low' },
    })
    expect(warnings).toEqual([])
    const lost = send('openai-chat', 'gemini', chat(own)).lost
    for (const feature of ['metadata', 'storing', 'cache-options', 'verbosity', 'service-tier'])
      expect(lost).toContain(feature)
  })

  test('an unknown field is named, and one that asks for nothing is not', () => {
    const { warnings } = send('openai-chat', 'gemini', chat({ brand_new: 1, other_new: null, n: 1 }))
    expect(warnings).toEqual([expect.stringContaining('unknown-field: dropped for Gemini')])
    expect(warnings[0]).toContain('brand_new')
  })
})

describe('what would mean something else is refused', () => {
  const part = (type: object) => chat({ messages: [{ role: 'user', content: [type] }] })
  test.each([
    ['several answers', 'openai-chat', 'anthropic', chat({ n: 2 }), 'several-answers'],
    [
      'audio in',
      'openai-chat',
      'anthropic',
      part({ type: 'input_audio', input_audio: { data: '', format: 'wav' } }),
      'audio-input',
    ],
    ['audio out', 'openai-chat', 'gemini', chat({ modalities: ['audio'] }), 'audio-output'],
    ['files by id', 'openai-chat', 'gemini', part({ type: 'file', file: { file_id: 'f' } }), 'file-id'],
    ['legacy functions', 'openai-chat', 'gemini', chat({ functions: [{ name: 'f' }] }), 'legacy-functions'],
    [
      'stored state',
      'openai-responses',
      'openai-chat',
      { model: 'm', input: 'x', previous_response_id: 'r' },
      'stored-state',
    ],
    [
      'background',
      'openai-responses',
      'anthropic',
      { model: 'm', input: 'x', background: true },
      'background',
    ],
    [
      'images of odd types',
      'openai-chat',
      'anthropic',
      part({ type: 'image_url', image_url: { url: 'data:image/bmp;base64,AA' } }),
      'image-type',
    ],
    [
      'images from elsewhere',
      'openai-chat',
      'gemini',
      part({ type: 'image_url', image_url: { url: 'file:///etc/passwd' } }),
      'image-url',
    ],
    [
      'schemas that are none',
      'openai-chat',
      'anthropic',
      chat({ tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'string' } } }] }),
      'invalid-schema',
    ],
    ...(['parameters', 'parametersJsonSchema'] as const).map(
      (place) =>
        [
          `schemas of Gemini that are none: ${place}`,
          'gemini',
          'anthropic',
          {
            contents: [{ role: 'user', parts: [{ text: 'Hello' }] }],
            tools: [{ functionDeclarations: [{ name: 'f', [place]: [1] }] }],
          },
          'invalid-schema',
        ] as const,
    ),
    ['parts of unknown types', 'openai-chat', 'anthropic', part({ type: 'hologram' }), 'unknown-part'],
  ] as const)('%s', (_, from, to, body, feature) => {
    const error = refused(from, to, body)
    expect(error.status).toBe(400)
    expect(error.code).toBe('unsupported-feature')
    expect(error.message).toContain(feature)
    expect(error.message).toContain(rules[feature].what)
  })

  test.each([
    ['anthropic', { model: 'm', max_tokens: 1 }, 'messages must be a list'],
    [
      'anthropic',
      { model: 'm', max_tokens: 1, messages: [{ role: 'robot', content: 'x' }] },
      'role of messages[0]',
    ],
    ['openai-chat', { messages: hello }, 'model must be text'],
    ['openai-responses', { model: 'm', input: 7 }, 'input must be'],
    ['gemini', { contents: 'x' }, 'contents must be a list'],
    ['openai-chat', [], 'no JSON object'],
  ] as const)('%s: what cannot be read: %p', (from, body, words) => {
    const error = refused(from, from === 'openai-responses' ? 'gemini' : 'openai-responses', body)
    expect(error.status).toBe(400)
    expect(error.message).toContain(words)
  })
})

describe('system messages', () => {
  const messages = [
    { role: 'system', content: 'First.' },
    { role: 'developer', content: 'Second.' },
    { role: 'user', content: 'Hi' },
    { role: 'system', content: 'Now in French.' },
  ]

  test('at the beginning are the instructions', () => {
    expect(send('openai-chat', 'anthropic', chat({ messages })).sent.system).toMatchObject([
      { text: 'First.' },
      { text: 'Second.' },
    ])
  })

  test('later on stay where they are, in the words that the target has', () => {
    const late = send('openai-chat', 'anthropic', chat({ messages, model: 'claude-opus-4-8' }))
    expect(late.sent.messages).toMatchObject([{ role: 'user' }, { role: 'system' }])
    const early = send('openai-chat', 'anthropic', chat({ messages, model: 'claude-opus-4-5' }))
    expect(early.sent.messages).toMatchObject([
      { role: 'user', content: [{}, { text: expect.stringContaining('<system>') }] },
    ])
    expect(early.lost).toContain('system-late')
    expect(send('openai-chat', 'gemini', chat({ messages })).lost).toEqual(['system-late'])
    expect(send('openai-chat', 'openai-responses', chat({ messages })).sent.input).toHaveLength(4)
  })
})
