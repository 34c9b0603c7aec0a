import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import OpenAI from 'openai'
import { type Mock, openMock } from '../../src/llm/providers/mock/index.ts'

let mock: Mock
let anthropic: Anthropic
let openai: OpenAI
let gemini: GoogleGenAI

beforeAll(async () => {
  mock = await openMock()
  anthropic = new Anthropic({ apiKey: 'none', baseURL: mock.url, maxRetries: 0 })
  openai = new OpenAI({ apiKey: 'none', baseURL: `${mock.url}/v1`, maxRetries: 0 })
  gemini = new GoogleGenAI({ apiKey: 'none', httpOptions: { baseUrl: mock.url } })
})
afterAll(async () => await mock.close())

/** What a call of an SDK throws. Their promises are lazy, which `expect().rejects` does not see. */
async function caught(work: PromiseLike<unknown>): Promise<unknown> {
  try {
    await work
    return null
  } catch (error) {
    return error
  }
}

const schema = {
  type: 'object' as const,
  properties: { city: { type: 'string' as const }, days: { type: 'integer' as const, minimum: 2 } },
  required: ['city', 'days'],
}
const hello = [{ role: 'user' as const, content: 'Hello there' }]

describe('the Anthropic SDK', () => {
  const tools = [{ name: 'weather', input_schema: schema }]
  const base = { model: 'mock', max_tokens: 100, messages: hello }

  test('gets the same answer whole and streamed', async () => {
    const whole = await anthropic.messages.create(base)
    const streamed = await anthropic.messages.stream(base).finalMessage()
    expect(whole.content[0]).toMatchObject({ type: 'text' })
    expect(streamed.content.map((block) => 'text' in block && block.text)).toEqual(
      whole.content.map((block) => 'text' in block && block.text),
    )
    expect(streamed.usage.output_tokens).toBe(whole.usage.output_tokens)
    expect(whole.stop_reason).toBe('end_turn')
  })

  test('calls a tool, and gets its result read back', async () => {
    const messages: Anthropic.MessageParam[] = [{ role: 'user', content: 'Please use tool weather' }]
    for (const call of [
      await anthropic.messages.create({ ...base, tools, messages }),
      await anthropic.messages.stream({ ...base, tools, messages }).finalMessage(),
    ]) {
      const use = call.content[0]
      if (use?.type !== 'tool_use') throw new Error('no tool call')
      expect(use).toMatchObject({ name: 'weather', input: { city: 'mock', days: 2 } })
      const result = { type: 'tool_result' as const, tool_use_id: use.id, content: 'rain' }
      const turn: Anthropic.MessageParam[] = [
        ...messages,
        { role: 'assistant', content: call.content },
        { role: 'user', content: [result] },
      ]
      const last = await anthropic.messages.create({ ...base, tools, messages: turn })
      expect(last.content).toEqual([expect.objectContaining({ text: 'The tool answered: rain' })])
    }
  })

  test('thinks, counts tokens and lists models', async () => {
    const thinking = { type: 'enabled' as const, budget_tokens: 1024 }
    const message = await anthropic.messages.stream({ ...base, thinking }).finalMessage()
    expect(message.content[0]).toMatchObject({ type: 'thinking', signature: 'bW9jaw==' })
    const counted = await anthropic.messages.countTokens({ model: 'mock', messages: hello })
    expect(counted.input_tokens).toBeGreaterThan(0)
    expect((await anthropic.models.list()).data.map(({ id }) => id)).toContain('mock-echo')
  })

  test('reads its errors', async () => {
    const failing = anthropic.messages.create({ ...base, model: 'mock-error-529' })
    expect(await caught(failing)).toMatchObject({
      status: 529,
      error: { error: { type: 'overloaded_error' } },
    })
    const inBand = anthropic.messages.stream({ ...base, model: 'mock-inband-error' }).finalMessage()
    expect(String(await caught(inBand))).toContain('overloaded_error')
    const empty = anthropic.messages.create({ ...base, messages: [] })
    expect(await caught(empty)).toMatchObject({ status: 400 })
  })
})

describe('the OpenAI SDK', () => {
  const parameters = schema as Record<string, unknown>

  test('gets the same chat completion whole and streamed, with usage', async () => {
    const base = { model: 'mock', messages: hello }
    const whole = await openai.chat.completions.create(base)
    const stream = openai.chat.completions.stream({ ...base, stream_options: { include_usage: true } })
    const streamed = await stream.finalChatCompletion()
    expect(streamed.choices[0]?.message.content).toBe(whole.choices[0]?.message.content ?? 'none')
    expect(streamed.usage?.completion_tokens).toBe(whole.usage?.completion_tokens ?? -1)
  })

  test('calls a tool that is forced, in chat completions and in responses', async () => {
    const chat = await openai.chat.completions
      .stream({
        model: 'mock',
        messages: hello,
        tools: [{ type: 'function', function: { name: 'weather', parameters } }],
        tool_choice: { type: 'function', function: { name: 'weather' } },
      })
      .finalChatCompletion()
    const call = chat.choices[0]?.message.tool_calls?.[0]
    expect(call).toMatchObject({ function: { name: 'weather', arguments: '{"city":"mock","days":2}' } })

    const tools = [{ type: 'function' as const, name: 'weather', parameters, strict: false }]
    const answer = await openai.responses.create({
      model: 'mock',
      input: 'hi',
      tools,
      tool_choice: 'required',
    })
    expect(answer.output[0]).toMatchObject({ type: 'function_call', name: 'weather' })
    const item = answer.output[0]
    if (item?.type !== 'function_call') throw new Error('no call')
    const output = { type: 'function_call_output' as const, call_id: item.call_id, output: 'sun' }
    const last = await openai.responses.create({ model: 'mock', input: [item, output], tools })
    expect(last.output_text).toBe('The tool answered: sun')
  })

  test('gets the same response whole and streamed', async () => {
    const whole = await openai.responses.create({ model: 'mock', input: 'Hello' })
    const streamed = await openai.responses.stream({ model: 'mock', input: 'Hello' }).finalResponse()
    expect(streamed.output_text).toBe(whole.output_text)
    expect(streamed.usage?.total_tokens).toBe(whole.usage?.total_tokens ?? -1)
  })

  test('gets embeddings, models and errors', async () => {
    const { data, usage } = await openai.embeddings.create({ model: 'mock', input: ['a', 'b'] })
    expect(data.map(({ embedding }) => embedding.length)).toEqual([8, 8])
    expect(usage.prompt_tokens).toBeGreaterThan(0)
    expect((await openai.models.list()).data.length).toBeGreaterThan(3)
    const failing = openai.chat.completions.create({ model: 'mock-error-429', messages: hello })
    expect(await caught(failing)).toMatchObject({ status: 429, code: 'rate_limit_exceeded' })
  })
})

describe('the Gemini SDK', () => {
  const ask = { model: 'mock', contents: 'Hello there' }
  const declared = [{ functionDeclarations: [{ name: 'weather', parametersJsonSchema: schema }] }]

  test('gets the same answer whole and streamed', async () => {
    const whole = await gemini.models.generateContent(ask)
    let text = ''
    let tokens: number | undefined
    for await (const chunk of await gemini.models.generateContentStream(ask)) {
      text += chunk.text ?? ''
      tokens = chunk.usageMetadata?.candidatesTokenCount
    }
    expect(text).toBe(whole.text ?? 'none')
    expect(tokens).toBe(whole.usageMetadata?.candidatesTokenCount ?? -1)
  })

  test('calls a tool, counts tokens, embeds and lists models', async () => {
    const called = await gemini.models.generateContent({
      model: 'mock',
      contents: 'use tool weather with {"city": "Bern", "days": 3}',
      config: { tools: declared },
    })
    expect(called.functionCalls?.[0]).toMatchObject({ name: 'weather', args: { city: 'Bern', days: 3 } })
    expect((await gemini.models.countTokens(ask)).totalTokens).toBeGreaterThan(0)
    expect((await gemini.models.embedContent(ask)).embeddings?.[0]?.values?.length).toBe(8)
    const names: (string | undefined)[] = []
    for await (const model of await gemini.models.list()) names.push(model.name)
    expect(names).toContain('models/mock')
  })

  test('reads its errors', async () => {
    const failing = gemini.models.generateContent({ ...ask, model: 'mock-error-503' })
    expect(await caught(failing)).toMatchObject({ status: 503 })
  })
})

describe('by directive, the mock', () => {
  const post = (body: unknown, path = '/v1/messages') =>
    fetch(mock.url + path, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) })

  test('answers in as many frames as asked, and echoes', async () => {
    const body = { model: 'mock-long-200', max_tokens: 9, stream: true, messages: hello }
    const text = await (await post(body)).text()
    expect(text.match(/"type":"text_delta"/g)).toHaveLength(200)
    const echo = await (await post({ model: 'mock-echo', max_tokens: 9, messages: hello })).json()
    expect(echo).toMatchObject({ content: [{ type: 'text', text: 'Hello there' }] })
  })

  test('dies in the middle of a stream', async () => {
    const response = await post({ model: 'mock-cut', max_tokens: 9, stream: true, messages: hello })
    expect(response.status).toBe(200)
    let seen = ''
    const decoder = new TextDecoder()
    const reading = (async () => {
      for await (const chunk of response.body ?? []) seen += decoder.decode(chunk)
    })()
    expect(await caught(reading)).toBeInstanceOf(Error)
    expect(seen).toContain('message_start')
    expect(seen).not.toContain('message_stop')
  })

  test('waits where it is told to', async () => {
    const before = performance.now()
    await (await post({ model: 'mock-slow-30', max_tokens: 9, messages: hello })).json()
    expect(performance.now() - before).toBeGreaterThanOrEqual(29)
  })

  test('refuses malformed requests in the shape of the dialect', async () => {
    const broken = await post('{"model":')
    expect(broken.status).toBe(400)
    expect(await broken.json()).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } })
    const chat = await post({ messages: hello }, '/v1/chat/completions')
    expect(await chat.json()).toMatchObject({ error: { type: 'invalid_request_error', param: null } })
    const google = await post({}, '/v1beta/models/mock:generateContent')
    expect(await google.json()).toMatchObject({ error: { code: 400, status: 'INVALID_ARGUMENT' } })
    expect((await fetch(`${mock.url}/v1/messages`)).status).toBe(405)
  })

  test('answers equal requests with equal bytes', async () => {
    const body = { model: 'm', max_tokens: 9, stream: true, messages: hello }
    expect(await (await post(body)).text()).toBe(await (await post(body)).text())
  })

  test('speaks the Responses API over a WebSocket, several turns on one', async () => {
    const socket = new WebSocket(`${mock.url.replace('http', 'ws')}/v1/responses`)
    const types: string[] = []
    const done = Promise.withResolvers<void>()
    const ask = (input: string) =>
      socket.send(JSON.stringify({ type: 'response.create', model: 'mock', input }))
    socket.onopen = () => ask('one')
    socket.onmessage = ({ data }) => {
      const { type } = JSON.parse(String(data))
      types.push(type)
      if (type !== 'response.completed') return
      if (types.filter((one) => one === type).length === 2) done.resolve()
      else ask('two')
    }
    await done.promise
    socket.close()
    expect(types[0]).toBe('response.created')
    expect(types).toContain('response.output_text.delta')
  })
})
