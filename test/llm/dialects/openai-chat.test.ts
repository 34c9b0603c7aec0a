import { describe, expect, test } from 'bun:test'
import { data, readBody, readRequest } from './reading.ts'

const chunk = (delta: object, finish_reason: string | null = null, more: object = {}) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  model: 'gpt-5-2025-08-07',
  choices: [{ index: 0, delta, finish_reason }],
  ...more,
})
const usage = {
  prompt_tokens: 1000,
  completion_tokens: 50,
  total_tokens: 1050,
  prompt_tokens_details: { cached_tokens: 768 },
  completion_tokens_details: { reasoning_tokens: 32 },
}
const counted = {
  input: 232,
  output: 50,
  cache_read: 768,
  cache_write: null,
  cache_write_1h: null,
  reasoning: 32,
}
const said = [
  chunk({ role: 'assistant', content: null }),
  chunk({ content: 'On it: ' }),
  chunk({ content: 'wäit.' }),
  chunk({
    tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: 'weather', arguments: '' } }],
  }),
  chunk({ tool_calls: [{ index: 0, function: { arguments: '{"city":' } }] }),
  chunk({ tool_calls: [{ index: 0, function: { arguments: ' "Bern"}' } }] }),
  chunk({ tool_calls: [{ index: 1, id: 'call_2', function: { name: 'time', arguments: '{}' } }] }),
]
const last = chunk({}, 'tool_calls')
const stream = `${data([...said, last, { ...last, choices: [], usage }])}data: [DONE]\n\n`

describe('a stream of chunks', () => {
  test('has its usage in a last chunk without choices', () => {
    expect(readBody('openai-chat', stream)).toMatchObject({
      model: 'gpt-5-2025-08-07',
      usage: { ...counted, final: true },
      stop_reason: 'tool_calls',
      error: null,
    })
    expect(readBody('openai-chat', data([...said, last])).usage).toBeNull()
  })

  test('M2: of a provider that repeats growing counts is not summed', () => {
    const growing = [10, 20, 30].map((tokens) =>
      chunk({ content: 'x' }, null, { usage: { prompt_tokens: 7, completion_tokens: tokens } }),
    )
    expect(readBody('openai-chat', data(growing)).usage).toMatchObject({ input: 7, output: 30, final: false })
    expect(readBody('openai-chat', data([...growing, last])).usage).toMatchObject({ output: 30, final: true })
    expect(
      readBody('openai-chat', data([...growing, chunk({}, 'stop')]) + data([{ choices: [] }])).usage,
    ).toMatchObject({ output: 30 })
  })

  test('T7: is read the same in any chunking', () => {
    const whole = readBody('openai-chat', stream)
    expect(whole.reply?.text).toBe('On it: wäit.\nweather({"city":"Bern"})\ntime({})')
    for (const piece of [1, 3, 50]) expect(readBody('openai-chat', stream, piece)).toEqual(whole)
  })

  test('T6: may report an error after a 200', () => {
    const failed = data([
      ...said.slice(0, 3),
      { error: { message: 'boom', type: 'server_error', code: null } },
    ])
    expect(readBody('openai-chat', failed)).toMatchObject({
      error: 'server_error',
      reply: { text: 'On it: wäit.' },
    })
    expect(readBody('openai-chat', data([{ error: { code: 502, message: 'x' } }])).error).toBe('502')
  })

  test('R10: that broke is read up to there', () => {
    for (let cut = 0; cut < stream.length; cut += 31) readBody('openai-chat', stream.slice(0, cut))
    expect(readBody('openai-chat', data(said.slice(0, 2))).reply?.text).toBe('On it:')
  })
})

describe('a completion', () => {
  const message = {
    role: 'assistant',
    content: 'On it: wäit.',
    tool_calls: [
      { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Bern"}' } },
      { id: 'call_2', type: 'function', function: { name: 'time', arguments: '' } },
    ],
  }

  test('has one digest: streamed, whole and resent', () => {
    const streamed = readBody('openai-chat', stream).reply
    const body = { model: 'gpt-5', choices: [{ index: 0, message, finish_reason: 'stop' }], usage }
    const whole = readBody('openai-chat', JSON.stringify(body, null, 2))
    expect(whole).toMatchObject({ usage: { ...counted, final: true }, reply: streamed ?? {} })
    const messages = [
      { role: 'developer', content: 'Be brief' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Hi' },
          { type: 'image_url', image_url: { url: 'x' } },
        ],
      },
      message,
      { role: 'tool', tool_call_id: 'call_1', content: 'rain' },
    ]
    const { history } = readRequest('openai-chat', { model: 'gpt-5', stream: true, messages })
    expect(history[2]).toEqual(streamed ?? { role: 'assistant', text: '', digest: '' })
    expect(history.map(({ role, text }) => [role, text]).toSpliced(2, 1)).toEqual([
      ['system', 'Be brief'],
      ['user', 'Hi\n[image]'],
      ['tool', 'rain'],
    ])
  })

  test.each([
    ['DeepSeek', { prompt_tokens: 100, completion_tokens: 5, prompt_cache_hit_tokens: 60 }, 40, 5, 60],
    [
      'xAI',
      {
        prompt_tokens: 100,
        completion_tokens: 5,
        total_tokens: 135,
        completion_tokens_details: { reasoning_tokens: 30 },
      },
      100,
      35,
      null,
    ],
  ])('of %s is counted by its own words', (_, usage, input, output, cache_read) => {
    const body = JSON.stringify({ choices: [], usage })
    expect(readBody('openai-chat', body).usage).toMatchObject({ input, output, cache_read })
  })
})

test('embeddings count their input, and are no conversation', () => {
  const body = JSON.stringify({
    object: 'list',
    model: 'text-embedding-3-small',
    data: [{ embedding: [0.1, 0.2] }],
    usage: { prompt_tokens: 8, total_tokens: 8 },
  })
  expect(readBody('openai-embeddings', body)).toMatchObject({
    model: 'text-embedding-3-small',
    usage: { input: 8, output: null, final: true },
    reply: null,
  })
  const request = { model: 'text-embedding-3-small', input: 'x' }
  expect(readRequest('openai-embeddings', request)).toMatchObject({ model: request.model, history: [] })
})
