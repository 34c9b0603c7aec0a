import { describe, expect, test } from 'bun:test'
import { readBody, readRequest, sse } from './reading.ts'

const start = {
  type: 'message_start',
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-opus-4-8',
    content: [],
    stop_reason: null,
    usage: {
      input_tokens: 3,
      cache_creation_input_tokens: 12_304,
      cache_read_input_tokens: 500,
      cache_creation: { ephemeral_5m_input_tokens: 12_000, ephemeral_1h_input_tokens: 304 },
      output_tokens: 1,
    },
  },
}
const thinking = [
  { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'Hm.' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'c2ln' } },
  { type: 'content_block_stop', index: 0 },
]
const text = [
  { type: 'content_block_start', index: 1, content_block: { type: 'text', text: '' } },
  { type: 'ping' },
  { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'Let me ' } },
  { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'lööok 🎉. ' } },
  { type: 'content_block_stop', index: 1 },
]
const call = [
  {
    type: 'content_block_start',
    index: 2,
    content_block: { type: 'tool_use', id: 'toolu_1', name: 'Bash', input: {} },
  },
  {
    type: 'content_block_delta',
    index: 2,
    delta: { type: 'input_json_delta', partial_json: '{"command": ' },
  },
  {
    type: 'content_block_delta',
    index: 2,
    delta: { type: 'input_json_delta', partial_json: '"ls", "args": []}' },
  },
  { type: 'content_block_stop', index: 2 },
]
const end = [
  { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 100 } },
  {
    type: 'message_delta',
    delta: { stop_reason: 'tool_use' },
    usage: { input_tokens: 3, output_tokens: 550, output_tokens_details: { thinking_tokens: 40 } },
  },
  { type: 'message_stop' },
]
const stream = sse([start, ...thinking, ...text, ...call, ...end])

describe('a stream of messages', () => {
  test('M2: is counted by its last counts, never by their sum', () => {
    expect(readBody('anthropic', stream)).toMatchObject({
      model: 'claude-opus-4-8',
      stop_reason: 'tool_use',
      error: null,
      usage: {
        input: 3,
        output: 550,
        cache_read: 500,
        cache_write: 12_304,
        cache_write_1h: 304,
        reasoning: 40,
        final: true,
      },
    })
  })

  test('T7: is read the same in any chunking', () => {
    const whole = readBody('anthropic', stream)
    expect(whole.reply?.text).toBe('Let me lööok 🎉.\nBash({"args":[],"command":"ls"})')
    for (const piece of [1, 2, 3, 7, 64]) expect(readBody('anthropic', stream, piece)).toEqual(whole)
    expect(readBody('anthropic', stream.replaceAll('\n', '\r\n'), 5)).toEqual(whole)
    expect(readBody('anthropic', stream.replaceAll('data: ', 'data:'), 5)).toEqual(whole)
  })

  test('R10: that broke is read up to there, its counts marked as not final', () => {
    const broken = readBody('anthropic', sse([start, ...thinking, ...text.slice(0, 3)]))
    expect(broken.reply?.text).toBe('Let me')
    expect(broken.usage).toMatchObject({ input: 3, output: 1, final: false })
    for (let cut = 0; cut < stream.length; cut += 97) readBody('anthropic', stream.slice(0, cut))
    const inCall = readBody('anthropic', sse([start, ...call.slice(0, 2)]))
    expect(inCall.reply?.text).toBe('Bash({"command":)')
  })

  test('T6: may report an error after a 200', () => {
    const error = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }
    const reading = readBody('anthropic', sse([start, ...text, error]))
    expect(reading).toMatchObject({ error: 'overloaded_error', reply: { text: 'Let me lööok 🎉.' } })
    expect(reading.usage?.final).toBe(false)
  })

  test('counts a compaction, which its totals leave out', () => {
    const iterations = [
      { type: 'compaction', input_tokens: 1000, output_tokens: 200 },
      { type: 'message', input_tokens: 10, output_tokens: 20 },
    ]
    const body = { type: 'message', content: [], usage: { input_tokens: 10, output_tokens: 20, iterations } }
    expect(readBody('anthropic', JSON.stringify(body)).usage).toMatchObject({ input: 1010, output: 220 })
  })
})

describe('a message', () => {
  const answer = {
    type: 'message',
    role: 'assistant',
    model: 'claude-opus-4-8',
    content: [
      { type: 'thinking', thinking: 'Hm.', signature: 'c2ln' },
      { type: 'text', text: 'Let me lööok 🎉. ' },
      { type: 'tool_use', id: 'toolu_1', name: 'Bash', input: { command: 'ls', args: [] } },
    ],
    stop_reason: 'tool_use',
    usage: { input_tokens: 3, output_tokens: 550 },
  }

  test('has one digest: streamed, whole, and resent in any of the ways that clients do', () => {
    const streamed = readBody('anthropic', stream).reply
    expect(readBody('anthropic', JSON.stringify(answer)).reply).toEqual(streamed)
    const ask = { role: 'user', content: 'Look' }
    const results = [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'a b' }]
    const cached = answer.content.map((block) => ({ ...block, cache_control: { type: 'ephemeral' } }))
    for (const content of [answer.content, answer.content.slice(1), cached]) {
      const messages = [ask, { role: 'assistant', content }, { role: 'user', content: results }]
      const { history } = readRequest('anthropic', { model: 'm', messages })
      expect(history[1]).toEqual(streamed ?? { role: 'assistant', text: '', digest: '' })
      expect(history[2]).toMatchObject({ role: 'tool', text: 'a b' })
    }
  })

  test('means the same as a string and as blocks, and something else in another role', () => {
    const digestOf = (role: string, content: unknown) =>
      readRequest('anthropic', { messages: [{ role, content }] }).history[0]?.digest
    expect(digestOf('user', 'Hello')).toBe(digestOf('user', [{ type: 'text', text: 'Hello\n' }]) ?? '')
    expect(digestOf('user', 'Hello')).not.toBe(digestOf('assistant', 'Hello'))
    expect(digestOf('user', 'Hello')).not.toBe(digestOf('user', 'hello'))
  })
})

describe('a request', () => {
  test('is read as people speak it: system, user, tool results, pictures', () => {
    const source = { type: 'base64', media_type: 'image/png', data: 'AAAA' }
    const { model, stream, history } = readRequest('anthropic', {
      model: 'claude-opus-4-8',
      stream: true,
      system: [
        { type: 'text', text: 'x-anthropic-billing-header: cc_version=2.1; cch=1f0;' },
        { type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } },
      ],
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image', source },
            { type: 'text', text: 'What is this?' },
          ],
        },
        { role: 'assistant', content: 'A cat.' },
        {
          role: 'user',
          content: [
            { type: 'tool_result', content: [{ type: 'text', text: 'ok' }, { type: 'image' }] },
            { type: 'document', source },
            { type: 'text', text: 'And this?' },
          ],
        },
      ],
    })
    expect({ model, stream }).toEqual({ model: 'claude-opus-4-8', stream: true })
    expect(history.map(({ role, text }) => `${role}: ${text}`)).toEqual([
      'system: Be brief.',
      'user: [image]\nWhat is this?',
      'assistant: A cat.',
      'tool: ok\n[image]',
      'user: [document]\nAnd this?',
    ])
  })

  test('names its session in metadata.user_id, now and as it did', () => {
    const id = '5070d48c-e6e1-4ddf-be85-434f4eec1bb9'
    const json = JSON.stringify({ device_id: 'f59', account_uuid: '', session_id: id })
    for (const user_id of [json, `user_f5981cb9_account__session_${id}`]) {
      const { session } = readRequest('anthropic', { metadata: { user_id } })
      expect(session).toEqual({ client: 'claude-code', session: id, agent: null, parent_agent: null })
    }
    expect(readRequest('anthropic', { metadata: { user_id: 'alice' } }).session).toBeNull()
    expect(readRequest('anthropic', { metadata: { user_id: '{"session' } }).session).toBeNull()
  })

  test('T5: to count tokens is no conversation, and its answer no usage', () => {
    const body = { model: 'm', messages: [{ role: 'user', content: 'x' }] }
    expect(readRequest('anthropic', body, '/v1/messages/count_tokens?beta=true').history).toEqual([])
    expect(readBody('anthropic', '{"input_tokens": 2095}')).toMatchObject({ usage: null, reply: null })
  })

  test('R15: with NUL, lone surrogates or broken JSON does not harm', () => {
    const content = 'a\u0000b \ud83d c'
    const [message] = readRequest('anthropic', { messages: [{ role: 'user', content }] }).history
    expect(message?.text).toBe('ab \uFFFD c')
    const nothing = { model: null, stream: false, history: [], session: null }
    for (const body of ['{"model": "x', '[]', '"x"', 'null', '', '\u0000']) {
      expect(readRequest('anthropic', body)).toEqual(nothing)
    }
    const odd = { model: 7, messages: [null, 'x', { role: 9, content: [null, 3, { type: [] }] }, {}] }
    expect(readRequest('anthropic', odd)).toEqual(nothing)
    const events = [{ type: 'content_block_delta' }, { type: 'message_start' }, { type: 'message_delta' }]
    expect(readBody('anthropic', sse(events)).reply).toBeNull()
  })
})

test('counts that cannot be are null', () => {
  const usage = { input_tokens: 1e308, output_tokens: -1, cache_read_input_tokens: '7' }
  expect(readBody('anthropic', JSON.stringify({ type: 'message', content: [], usage })).usage).toMatchObject({
    input: null,
    output: null,
    cache_read: null,
  })
})
