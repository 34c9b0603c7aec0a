import { describe, expect, test } from 'bun:test'
import { objects } from '../../../src/llm/dialects/json.ts'
import { refused, send } from './send.ts'

/** What servers do that no documentation promises, and what would be lost of it without a word. */

const hello = { messages: [{ role: 'user', content: 'Hi' }] }
const asked = {
  anthropic: { model: 'm', max_tokens: 99, ...hello },
  'openai-chat': { model: 'm', ...hello },
  'openai-responses': { model: 'm', input: 'Hi' },
  gemini: { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] },
}

function relayed(translation: ReturnType<typeof send>, frames: string) {
  const relay = translation.relay()
  const out = [relay.push(new TextEncoder().encode(frames)), relay.end()]
  return {
    text: Buffer.concat(out.map((piece) => piece ?? new Uint8Array())).toString(),
    warnings: relay.warnings(),
  }
}

const data = (event: unknown) => `data: ${JSON.stringify(event)}\n\n`

describe('arguments that the limit of tokens cut', () => {
  const broken = '{"city": "Zü'
  const call = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: broken } }
  const choice = { index: 0, finish_reason: 'length' }
  const whole = {
    id: 'c',
    model: 'm',
    choices: [{ ...choice, message: { role: 'assistant', tool_calls: [call] } }],
  }
  const named = [expect.stringMatching(/^broken-arguments: adapted/)]

  test('are named where the client has a place for objects only', () => {
    const claude = send('anthropic', 'openai-chat', asked.anthropic).answer(whole)
    expect(objects(claude.json.content)).toMatchObject([{ type: 'tool_use', input: { input: broken } }])
    expect(claude.warnings).toEqual(named)
    expect(send('gemini', 'openai-chat', asked.gemini).answer(whole).warnings).toEqual(named)
    const path = '/v1beta/models/m:streamGenerateContent?alt=sse'
    const frames = data({
      ...whole,
      choices: [{ ...choice, delta: { tool_calls: [{ index: 0, ...call }] } }],
    })
    const stream = relayed(send('gemini', 'openai-chat', asked.gemini, { path }), frames)
    expect(stream.text).toContain('MAX_TOKENS')
    expect(stream.warnings).toEqual(named)
  })

  test('are of an item that is not complete in the Responses API, whole and streamed', () => {
    const { json } = send('openai-responses', 'openai-chat', asked['openai-responses']).answer(whole)
    expect(json).toMatchObject({
      status: 'incomplete',
      output: [{ arguments: broken, status: 'incomplete' }],
    })
    const frames = data({
      ...whole,
      choices: [{ ...choice, delta: { tool_calls: [{ index: 0, ...call }] } }],
    })
    const body = { ...asked['openai-responses'], stream: true }
    const { text } = relayed(send('openai-responses', 'openai-chat', body), frames)
    const last = JSON.parse(text.trim().split('data: ').at(-1) ?? '')
    expect(last.type).toBe('response.incomplete')
    expect(last.response.output).toMatchObject([{ arguments: broken, status: 'incomplete' }])
  })
})

test('thinking and text in lists, as Mistral streams them', () => {
  const content = [
    [{ type: 'thinking', thinking: [{ type: 'text', text: 'Let me ' }] }],
    [{ type: 'thinking', thinking: [{ type: 'text', text: 'see.' }] }],
    [{ type: 'text', text: 'It is ' }],
    'noon.',
  ]
  const frames = content.map((one) =>
    data({ id: 'c', model: 'm', choices: [{ index: 0, delta: { content: one } }] }),
  )
  const end = data({ id: 'c', model: 'm', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })
  const translation = send('anthropic', 'openai-chat', { ...asked.anthropic, stream: true })
  const { text } = relayed(translation, frames.join('') + end)
  const events = text
    .split('\n')
    .flatMap((line) => (line.startsWith('data: ') ? [JSON.parse(line.slice(6))] : []))
  const said = (name: string) => events.flatMap(({ delta }) => delta?.[name] ?? []).join('')
  expect([said('thinking'), said('text')]).toEqual(['Let me see.', 'It is noon.'])

  const message = { role: 'assistant', content: content.flat() }
  const whole = { id: 'c', model: 'm', choices: [{ index: 0, message, finish_reason: 'stop' }] }
  const { json } = send('anthropic', 'openai-chat', asked.anthropic).answer({
    ...whole,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: content.flat().slice(0, 3) },
        finish_reason: 'stop',
      },
    ],
  })
  expect(json.content).toMatchObject([{ thinking: 'Let me ' }, { thinking: 'see.' }, { text: 'It is ' }])
  // What the client sends back of it is thinking again, and no reason to refuse the conversation.
  const back = {
    model: 'm',
    messages: [...hello.messages, { role: 'assistant', content: content.flat().slice(0, 3) }],
  }
  expect(send('openai-chat', 'anthropic', back).lost).toContain('foreign-thinking')
})

test('a message that comes only whole, as servers send that speak Responses half', () => {
  const item = { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed' }
  const content = [{ type: 'output_text', text: 'It is noon.', annotations: [] }]
  const response = { id: 'resp_1', model: 'm', status: 'completed', output: [{ ...item, content }] }
  const events = [
    { type: 'response.created', response: { ...response, output: [] } },
    { type: 'response.output_item.added', output_index: 0, item: { ...item, content: [] } },
    { type: 'response.output_item.done', output_index: 0, item: { ...item, content } },
    { type: 'response.completed', response },
  ]
  const translation = send('openai-chat', 'openai-responses', { ...asked['openai-chat'], stream: true })
  const { text } = relayed(translation, events.map(data).join(''))
  expect(text.match(/It is noon\./g)).toEqual(['It is noon.'])
})

test('what a target has no place for in an earlier answer, or in a result, is refused, not left out', () => {
  const image = { inlineData: { mimeType: 'image/png', data: 'AA==' } }
  const drawn = {
    contents: [asked.gemini.contents[0], { role: 'model', parts: [image] }, asked.gemini.contents[0]],
  }
  expect(refused('gemini', 'openai-chat', drawn).message).toContain('image said by the model')
  const sound = [{ type: 'input_audio', input_audio: { format: 'wav', data: 'AA==' } }]
  const heard = {
    model: 'm',
    messages: [...hello.messages, { role: 'tool', tool_call_id: 'c', content: sound }],
  }
  expect(refused('openai-chat', 'anthropic', heard).message).toContain('audio in the result of a tool')
})
