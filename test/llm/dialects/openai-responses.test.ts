import { describe, expect, test } from 'bun:test'
import { readBody, readRequest, sse } from './reading.ts'

const usage = {
  input_tokens: 2000,
  input_tokens_details: { cached_tokens: 1500, cache_write_tokens: 100 },
  output_tokens: 80,
  output_tokens_details: { reasoning_tokens: 20 },
  total_tokens: 2080,
}
const counted = {
  input: 400,
  output: 80,
  cache_read: 1500,
  cache_write: 100,
  cache_write_1h: null,
  reasoning: 20,
  final: true,
}
const reasoning = { id: 'rs_1', type: 'reasoning', summary: [], encrypted_content: 'x' }
const message = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  content: [{ type: 'output_text', text: 'I will lööok.', annotations: [] }],
}
const call = {
  id: 'fc_1',
  type: 'function_call',
  call_id: 'call_1',
  name: 'exec_command',
  arguments: '{"cmd":"ls","workdir":"/"}',
}
const output = [reasoning, message, call]
const created = (id: string) => ({
  type: 'response.created',
  response: { id, model: 'gpt-5', status: 'in_progress', output: [], usage: null },
})
const inside = [
  { type: 'response.output_item.added', output_index: 0, item: reasoning },
  { type: 'response.output_item.done', output_index: 0, item: reasoning },
  { type: 'response.output_item.added', output_index: 1, item: { ...message, content: [] } },
  { type: 'response.output_text.delta', output_index: 1, content_index: 0, delta: 'I will ' },
  { type: 'response.output_text.delta', output_index: 1, content_index: 0, delta: 'lööok.' },
  { type: 'response.output_item.done', output_index: 1, item: message },
  { type: 'response.output_item.added', output_index: 2, item: { ...call, arguments: '' } },
  { type: 'response.function_call_arguments.delta', output_index: 2, delta: '{"cmd":"ls",' },
  { type: 'response.function_call_arguments.delta', output_index: 2, delta: '"workdir":"/"}' },
  { type: 'response.output_item.done', output_index: 2, item: call },
]
const ended = (status: string, more: object = {}) => ({
  type: `response.${status}`,
  response: { id: 'resp_1', model: 'gpt-5-2025-08-07', status, output, usage, ...more },
})
const stream = sse([created('resp_1'), ...inside, ended('completed')])

describe('a stream of response events', () => {
  test('R8: has its tokens at the end, however it ended', () => {
    expect(readBody('openai-responses', stream)).toMatchObject({
      model: 'gpt-5-2025-08-07',
      usage: counted,
      error: null,
      stop_reason: 'completed',
    })
    const incomplete = ended('incomplete', { incomplete_details: { reason: 'max_output_tokens' } })
    expect(readBody('openai-responses', sse([...inside, incomplete]))).toMatchObject({
      usage: counted,
      stop_reason: 'max_output_tokens',
    })
    const failed = ended('failed', { error: { code: 'server_error', message: 'x' } })
    expect(readBody('openai-responses', sse([...inside, failed]))).toMatchObject({
      usage: counted,
      error: 'server_error',
    })
  })

  test('T7: is read the same in any chunking', () => {
    const whole = readBody('openai-responses', stream)
    expect(whole.reply?.text).toBe('I will lööok.\nexec_command({"cmd":"ls","workdir":"/"})')
    for (const piece of [1, 5, 100]) expect(readBody('openai-responses', stream, piece)).toEqual(whole)
    // Some servers leave the output of the last event empty.
    const bare = sse([created('resp_1'), ...inside, ended('completed', { output: [] })])
    expect(readBody('openai-responses', bare)).toEqual(whole)
  })

  test('R10: that broke is read up to there', () => {
    expect(readBody('openai-responses', sse([created('r'), ...inside.slice(0, 4)]))).toMatchObject({
      reply: { text: 'I will' },
      usage: null,
    })
    for (let cut = 0; cut < stream.length; cut += 61) readBody('openai-responses', stream.slice(0, cut))
  })

  test('T6: may report an error after a 200', () => {
    const error = { type: 'error', code: 'rate_limit_exceeded', message: 'x', param: null }
    expect(readBody('openai-responses', sse([created('r'), error])).error).toBe('rate_limit_exceeded')
    const nested = { type: 'error', status: 400, error: { type: 'invalid_request_error', message: 'x' } }
    expect(readBody('openai-responses', JSON.stringify(nested)).error).toBe('invalid_request_error')
  })

  test('R9: is read from the messages of a WebSocket; separate responses add up', () => {
    const lines = [created('resp_1'), ...inside, ended('completed'), created('resp_2'), ended('completed')]
    const text = lines.map((event) => JSON.stringify(event)).join('\n')
    const reading = readBody('openai-responses', text, 77)
    expect(reading.usage).toEqual({
      ...counted,
      input: 800,
      output: 160,
      cache_read: 3000,
      cache_write: 200,
      reasoning: 40,
    })
    expect(reading.reply).toEqual(readBody('openai-responses', stream).reply)
    expect(readBody('openai-responses', text.slice(0, -200)).usage).toMatchObject({
      input: 400,
      final: false,
    })
  })
})

describe('a response', () => {
  test('has one digest: streamed, whole and resent as items, without reasoning or ids', () => {
    const streamed = readBody('openai-responses', stream).reply
    const body = { object: 'response', model: 'gpt-5', status: 'completed', output, usage }
    expect(readBody('openai-responses', JSON.stringify(body))).toMatchObject({
      reply: streamed ?? {},
      usage: counted,
    })
    const result = { type: 'function_call_output', call_id: 'call_1', output: 'a.txt' }
    const bare = { type: 'message', role: 'assistant', content: message.content }
    for (const resent of [output, [bare, call], [{ role: 'assistant', content: 'I will lööok.' }, call]]) {
      const input = [{ role: 'user', content: 'ls' }, ...resent, result]
      const { history } = readRequest('openai-responses', { model: 'gpt-5', instructions: 'Be brief', input })
      expect(history[2]).toEqual(streamed ?? { role: 'assistant', text: '', digest: '' })
      expect(history.map(({ role, text }) => [role, text]).toSpliced(2, 1)).toEqual([
        ['system', 'Be brief'],
        ['user', 'ls'],
        ['tool', 'a.txt'],
      ])
    }
  })

  test('may be asked for with a string, or on a WebSocket', () => {
    const { history } = readRequest('openai-responses', { model: 'gpt-5', input: 'Hello' })
    expect(history).toMatchObject([{ role: 'user', text: 'Hello' }])
    const create = (input: string) => JSON.stringify({ type: 'response.create', model: 'gpt-5', input })
    expect(readRequest('openai-responses', `${create('one')}\n${create('two')}`)).toMatchObject({
      model: 'gpt-5',
      stream: true,
      history: [{ text: 'two' }],
    })
    const wrapped = { type: 'response.create', response: { model: 'gpt-5', input: 'in' } }
    expect(readRequest('openai-responses', wrapped)).toMatchObject({
      stream: true,
      history: [{ text: 'in' }],
    })
    const more = { type: 'response.create', model: 'gpt-5', input: 'three', previous_response_id: 'resp_2' }
    const lines = [create('one'), create('two'), JSON.stringify(more)].join('\n')
    expect(readRequest('openai-responses', lines).history.map(({ text }) => text)).toEqual(['two', 'three'])
  })

  test('counts no tokens where it only counts', () => {
    const body = JSON.stringify({ object: 'response.input_tokens', input_tokens: 11 })
    expect(readBody('openai-responses', body).usage).toBeNull()
  })
})

describe('a thread of Codex', () => {
  const session_id = '01a1fa32-a8a3-73e3-8e90-5d87e0d81f11'
  const thread_id = '01a1fa32-ffff-73e3-8e90-5d87e0d81f11'
  const sessionOf = (client_metadata: object) =>
    readRequest('openai-responses', { input: 'x', client_metadata }).session

  test('is named in the body too, as are the agents below it', () => {
    const main = { client: 'codex', session: session_id, agent: null, parent_agent: null }
    expect(sessionOf({ session_id, thread_id: session_id })).toEqual(main)
    const agent = { session_id, thread_id, 'x-codex-parent-thread-id': session_id }
    expect(sessionOf(agent)).toEqual({ ...main, agent: thread_id })
    const below = { session_id, thread_id: 'deep', 'x-codex-parent-thread-id': thread_id }
    expect(sessionOf(below)).toEqual({ ...main, agent: 'deep', parent_agent: thread_id })
  })

  test('may be a conversation that OpenAI keeps', () => {
    const kept = { client: 'openai', session: 'conv_1', agent: null, parent_agent: null }
    expect(readRequest('openai-responses', { input: 'x', conversation: 'conv_1' }).session).toEqual(kept)
    expect(readRequest('openai-responses', { input: 'x', conversation: { id: 'conv_1' } }).session).toEqual(
      kept,
    )
  })
})
