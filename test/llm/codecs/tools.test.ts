import { describe, expect, test } from 'bun:test'
import { send } from './send.ts'

const hello = [{ role: 'user', content: 'Hello' }]
const png = { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' }

describe('results of tools', () => {
  const messages = [
    ...hello,
    { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'shot', input: {} }] },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'And now?' },
        {
          type: 'tool_result',
          tool_use_id: 'a',
          is_error: true,
          content: [
            { type: 'text', text: 'half of it' },
            { type: 'image', source: png },
          ],
        },
      ],
    },
  ]
  const body = (model: string) => ({ model, max_tokens: 9, messages })

  test('with images: in place where the target can, in the next message otherwise', () => {
    const responses = send('anthropic', 'openai-responses', body('gpt-5'))
    expect(responses.sent.input).toContainEqual({
      type: 'function_call_output',
      call_id: 'a',
      output: [
        { type: 'input_text', text: 'half of it' },
        { type: 'input_image', image_url: 'data:image/png;base64,iVBORw0KGgo=', detail: 'auto' },
      ],
    })
    const chat = send('anthropic', 'openai-chat', body('gpt-4o'))
    expect(chat.sent.messages).toMatchObject([
      { role: 'user' },
      { role: 'assistant' },
      { role: 'tool', content: 'half of it' },
      { role: 'user', content: [{ type: 'image_url' }, { type: 'text', text: 'And now?' }] },
    ])
    expect(chat.lost).toEqual(['result-error', 'result-image'])
    const gemini = JSON.stringify(send('anthropic', 'gemini', body('gemini-3-pro')).sent.contents)
    expect(gemini).toContain('"response":{"error":"half of it"},"parts":[{"inlineData"')
    expect(send('anthropic', 'gemini', body('gemini-2.5-pro')).lost).toContain('result-image')
  })

  test('that fail are marked where the target has a word for it', () => {
    const gemini = send('anthropic', 'gemini', body('gemini-3-pro'))
    expect(send('gemini', 'anthropic', gemini.sent).text).toContain('"is_error":true')
  })

  test('come first in their turn, as Anthropic wants them', () => {
    const chat = send('anthropic', 'openai-chat', body('gpt-4o'))
    const back = send('openai-chat', 'anthropic', { ...chat.sent, model: 'm' })
    expect(back.sent.messages).toMatchObject([
      {},
      {},
      { role: 'user', content: [{ type: 'tool_result' }, { type: 'image' }, { type: 'text' }] },
    ])
  })

  test('without an id find their call', () => {
    const contents = [
      { role: 'user', parts: [{ text: 'Hello' }] },
      { role: 'model', parts: [1, 2].map((n) => ({ functionCall: { name: 'f', args: { n } } })) },
      { role: 'user', parts: [1, 2].map((n) => ({ functionResponse: { name: 'f', response: { n } } })) },
    ]
    const { sent } = send('gemini', 'openai-chat', { contents })
    const [, { tool_calls: calls }, ...tools] = sent.messages as [
      unknown,
      { tool_calls: { id: string }[] },
      ...{ tool_call_id: string; content: string }[],
    ]
    expect(calls.map(({ id }) => id)).toEqual(tools.map(({ tool_call_id }) => tool_call_id))
    expect(new Set(calls.map(({ id }) => id)).size).toBe(2)
    expect(tools.map(({ content }) => content)).toEqual(['{"n":1}', '{"n":2}'])
  })
})

describe('ids and names', () => {
  test('that a target refuses are replaced, the same for a call and its result', () => {
    const id = `call|${'x'.repeat(90)}`
    const input = [
      { type: 'function_call', call_id: id, name: 'a.b', arguments: '{}' },
      { type: 'function_call_output', call_id: id, output: 'x' },
    ]
    for (const to of ['anthropic', 'openai-chat'] as const) {
      const { text, lost } = send('openai-responses', to, {
        model: 'm',
        input,
        tools: [{ type: 'function', name: 'a.b' }],
      })
      expect(text).not.toContain(id)
      expect(new Set(text.match(/"call_[a-z0-9]+"/g)).size).toBe(1)
      expect(text).not.toContain('a.b')
      expect(lost).toContain('tool-name')
    }
  })

  test('C8: two long names with one end stay two', () => {
    const names = ['a', 'b'].map((first) => first.repeat(70) + '_read'.repeat(20))
    const tools = names.map((name) => ({ name, input_schema: { type: 'object' } }))
    const { sent } = send('anthropic', 'openai-chat', { model: 'm', max_tokens: 9, messages: hello, tools })
    const short = (sent.tools as { function: { name: string } }[]).map((tool) => tool.function.name)
    expect(new Set(short).size).toBe(2)
    for (const name of short) expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/)
    expect(short[0]?.endsWith('_read')).toBe(true)
  })
})

describe("Codex's tools that take free text", () => {
  const tools = [
    {
      type: 'custom',
      name: 'apply_patch',
      description: 'Patch.',
      format: { type: 'grammar', definition: 'start: X' },
    },
  ]
  const body = { model: 'm', input: 'x', tools, stream: true }
  const patch = '*** Begin Patch\n"quoted"'

  test('are functions elsewhere, and free text again on the way back', () => {
    const call = send('openai-responses', 'anthropic', { ...body, stream: false })
    expect(call.lost).toContain('custom-tool')
    expect(call.sent.tools).toMatchObject([{ name: 'apply_patch', input_schema: { required: ['input'] } }])
    expect(call.text).toContain('start: X')
    const { json } = call.answer({
      content: [{ type: 'tool_use', id: 'a', name: 'apply_patch', input: { input: patch } }],
      stop_reason: 'tool_use',
    })
    expect(json.output).toMatchObject([
      { type: 'custom_tool_call', call_id: 'a', name: 'apply_patch', input: patch },
    ])
  })

  test('are functions for other models of the chat dialect, and stay what they are for OpenAI', () => {
    const input = [{ type: 'custom_tool_call', call_id: 'a', name: 'apply_patch', input: patch }]
    const other = send('openai-responses', 'openai-chat', { ...body, model: 'deepseek-chat', input })
    expect(other.sent.tools).toMatchObject([
      { type: 'function', function: { parameters: { required: ['input'] } } },
    ])
    expect(other.text).toContain(JSON.stringify(JSON.stringify({ input: patch })))
    const own = send('openai-responses', 'openai-chat', { ...body, model: 'gpt-5.1', input })
    expect(own.sent.tools).toMatchObject([{ type: 'custom', custom: { name: 'apply_patch' } }])
    const relay = other.relay()
    const call = {
      index: 0,
      id: 'a',
      type: 'function',
      function: { name: 'apply_patch', arguments: JSON.stringify({ input: patch }) },
    }
    const chunks = [{ tool_calls: [call] }, {}].map((delta, index) => ({
      choices: [{ index: 0, delta, finish_reason: index === 1 ? 'tool_calls' : null }],
    }))
    const frames = chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join('')
    const out = relay.push(new TextEncoder().encode(`${frames}data: [DONE]\n\n`))
    const text = new TextDecoder().decode(out ?? new Uint8Array())
    expect(text).toContain(`"input":${JSON.stringify(patch)}`)
    expect(text).toContain('"type":"custom_tool_call"')
  })

  test('stream as free text', () => {
    const relay = send('openai-responses', 'anthropic', body).relay()
    const json = JSON.stringify({ input: patch })
    const events = [
      { type: 'message_start', message: { id: 'msg_1', model: 'c' } },
      {
        type: 'content_block_start',
        index: 0,
        content_block: { type: 'tool_use', id: 'a', name: 'apply_patch', input: {} },
      },
      {
        type: 'content_block_delta',
        index: 0,
        delta: { type: 'input_json_delta', partial_json: json.slice(0, 9) },
      },
      {
        type: 'content_block_delta',
        index: 0,
        delta: { type: 'input_json_delta', partial_json: json.slice(9) },
      },
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 1 } },
      { type: 'message_stop' },
    ]
    const out = events.map((event) =>
      relay.push(new TextEncoder().encode(`data: ${JSON.stringify(event)}\n\n`)),
    )
    const text = Buffer.concat(out.filter((one) => one !== null)).toString()
    expect(text).toContain(`"delta":${JSON.stringify(patch)}`)
    expect(text).toContain('response.custom_tool_call_input.done')
  })
})

test("tools that run at the client's provider are dropped by name, and refused where they are forced", () => {
  const web = { type: 'web_search_20250305', name: 'web_search' }
  const body = { model: 'm', max_tokens: 9, messages: hello, tools: [web] }
  expect(send('anthropic', 'gemini', body).warnings).toEqual([expect.stringContaining('web_search_20250305')])
  const forced = { ...body, tool_choice: { type: 'tool', name: 'web_search' } }
  expect(() => send('anthropic', 'gemini', forced)).toThrow('forced-server-tool')
})

test('a schema of Gemini is a JSON schema elsewhere', () => {
  const parameters = {
    type: 'OBJECT',
    properties: {
      when: { type: 'STRING', nullable: true, format: 'date-time' },
      many: { type: 'ARRAY', minItems: '2', items: { type: 'INTEGER' } },
    },
    required: ['many'],
    propertyOrdering: ['when', 'many'],
  }
  const body = {
    contents: [{ role: 'user', parts: [{ text: 'x' }] }],
    tools: [{ functionDeclarations: [{ name: 'f', parameters }] }],
  }
  expect(send('gemini', 'anthropic', body).sent.tools).toMatchObject([
    {
      input_schema: {
        type: 'object',
        properties: {
          when: { type: ['string', 'null'], format: 'date-time' },
          many: { type: 'array', minItems: 2, items: { type: 'integer' } },
        },
        required: ['many'],
      },
    },
  ])
})

test('arguments that are no JSON are kept as text, and named', () => {
  const call = { id: 'a', type: 'function', function: { name: 'f', arguments: '{"half' } }
  const messages = [...hello, { role: 'assistant', content: null, tool_calls: [call] }]
  const { text, lost } = send('openai-chat', 'anthropic', { model: 'm', max_tokens: 9, messages })
  expect(text).toContain('"input":{"input":"{\\"half"}')
  expect(lost).toContain('broken-arguments')
})
