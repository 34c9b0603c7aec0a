import { afterAll, beforeAll, expect, test } from 'bun:test'
import { LLMock } from '@copilotkit/aimock'
import { dialectOfPath } from '../../../src/llm/dialects/dialects.ts'
import { readBody } from './reading.ts'

/** A fake of the model APIs that somebody else wrote: our readers must understand it as they do our own. */
let fake: LLMock

beforeAll(async () => {
  fake = new LLMock({ port: 0 })
  const usage = { input_tokens: 120, output_tokens: 34, prompt_tokens: 120, completion_tokens: 34 }
  fake.onMessage('hello', { content: 'Hi there, grüezi 🎉!', usage })
  fake.onMessage('call', { toolCalls: [{ name: 'weather', arguments: '{"city":"Bern"}' }] })
  await fake.start()
})
afterAll(async () => await fake.stop())

const said = (text: string) => [{ role: 'user', content: text }]
const chat = (text: string) => ({
  model: 'gpt-4o',
  messages: said(text),
  stream_options: { include_usage: true },
})
const google = (text: string) => ({ contents: [{ role: 'user', parts: [{ text }] }] })

const apis: [string, (text: string) => object, { whole: string; streamed: string }][] = [
  [
    'anthropic',
    (text) => ({ model: 'claude-sonnet-4-5', max_tokens: 99, messages: said(text) }),
    { whole: '/v1/messages', streamed: '/v1/messages' },
  ],
  ['openai-chat', chat, { whole: '/v1/chat/completions', streamed: '/v1/chat/completions' }],
  [
    'openai-responses',
    (text) => ({ model: 'gpt-4o', input: text }),
    { whole: '/v1/responses', streamed: '/v1/responses' },
  ],
  [
    'gemini',
    google,
    {
      whole: '/v1beta/models/gemini-2.5-pro:generateContent',
      streamed: '/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse',
    },
  ],
]

test.each(apis)('an independent fake of %s is understood, whole and streamed', async (name, ask, paths) => {
  for (const [prompt, text] of [
    ['hello', 'Hi there, grüezi 🎉!'],
    ['call', 'weather({"city":"Bern"})'],
  ] as const) {
    const read = async (path: string, stream: boolean) => {
      expect(dialectOfPath(path)?.name).toBe(name)
      const body = { ...ask(prompt), ...(name === 'gemini' ? {} : { stream }) }
      const response = await fetch(fake.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: 'Bearer x', 'x-api-key': 'x' },
        body: JSON.stringify(body),
      })
      return readBody(name, await response.bytes(), 11)
    }
    const whole = await read(paths.whole, false)
    const streamed = await read(paths.streamed, true)
    expect(whole.reply?.text).toBe(text)
    expect(streamed.reply).toEqual(whole.reply)
    expect(streamed.usage?.final).toBe(true)
    if (prompt === 'hello') {
      expect(whole.usage).toMatchObject({ input: 120, output: 34 })
      expect(streamed.usage).toMatchObject({ input: 120, output: 34 })
    }
  }
})
