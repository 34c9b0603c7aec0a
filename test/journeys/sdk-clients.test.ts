import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import Anthropic from '@anthropic-ai/sdk'
import { LLMock } from '@copilotkit/aimock'
import { GoogleGenAI } from '@google/genai'
import OpenAI from 'openai'
import { type Engine, type Exchange, type Page, type Product, startProduct } from './product.ts'

/** The official clients, pointed at the gateway by nothing but their base URL, with an independent fake behind it. */
describe.each<Engine>(['postgres', 'redis'])('official clients, queues on %s', (engine) => {
  let product: Product
  let fake: LLMock

  beforeAll(async () => {
    fake = new LLMock({ port: 0 })
    const usage = { input_tokens: 21, output_tokens: 8 }
    fake.onMessage(/weather/, { content: 'Sunny, with a light breeze.', usage })
    await fake.start()
    product = await startProduct(engine, {
      ANTHROPIC_BASE_URL: fake.url,
      OPENAI_BASE_URL: fake.url,
      GEMINI_BASE_URL: fake.url,
    })
  }, 60_000)

  afterAll(async () => {
    await product.stop()
    await fake.stop()
  })

  const question = 'How is the weather?'
  const answer = 'Sunny, with a light breeze.'

  test('Anthropic messages, streamed and not', async () => {
    const client = new Anthropic({ baseURL: product.url, apiKey: 'client-key' })
    const request = {
      model: 'claude-sonnet-5',
      max_tokens: 100,
      messages: [{ role: 'user' as const, content: question }],
    }
    const whole = await client.messages.create(request)
    expect(whole.content[0]).toMatchObject({ type: 'text', text: answer })
    const streamed = await client.messages.stream(request).finalText()
    expect(streamed).toBe(answer)
  })

  test('OpenAI chat, responses, embeddings', async () => {
    const client = new OpenAI({ baseURL: `${product.url}/v1`, apiKey: 'client-key' })
    const messages = [{ role: 'user' as const, content: question }]
    const whole = await client.chat.completions.create({ model: 'gpt-5', messages })
    expect(whole.choices[0]?.message.content).toBe(answer)
    let text = ''
    for await (const chunk of await client.chat.completions.create({
      model: 'gpt-5',
      messages,
      stream: true,
      stream_options: { include_usage: true },
    })) {
      text += chunk.choices[0]?.delta?.content ?? ''
    }
    expect(text).toBe(answer)
    const response = await client.responses.create({ model: 'gpt-5', input: question })
    expect(response.output_text).toBe(answer)
    let streamed = ''
    for await (const event of await client.responses.create({
      model: 'gpt-5',
      input: question,
      stream: true,
    })) {
      if (event.type === 'response.output_text.delta') streamed += event.delta
    }
    expect(streamed).toBe(answer)
    const embedded = await client.embeddings.create({ model: 'text-embedding-3-small', input: 'weather' })
    expect(embedded.data[0]?.embedding.length).toBeGreaterThan(0)
  })

  test('Gemini, streamed and not', async () => {
    // The client's default is /v1, which this fake does not have.
    const httpOptions = { baseUrl: product.url, apiVersion: 'v1beta' }
    const client = new GoogleGenAI({ apiKey: 'client-key', httpOptions })
    const whole = await client.models.generateContent({ model: 'gemini-2.5-flash', contents: question })
    expect(whole.text).toBe(answer)
    let text = ''
    for await (const chunk of await client.models.generateContentStream({
      model: 'gemini-2.5-flash',
      contents: question,
    })) {
      text += chunk.text ?? ''
    }
    expect(text).toBe(answer)
  })

  test('R6, R8: each call is on record with the bytes that the fake sent, its usage and its turns', async () => {
    await product.settled()
    const { items } = await product.read<Page<Exchange>>('/api/exchanges?limit=100')
    expect(items.map(({ dialect }) => dialect).toSorted()).toEqual([
      ...['anthropic', 'anthropic', 'gemini', 'gemini', 'openai-chat', 'openai-chat'],
      ...['openai-embeddings', 'openai-responses', 'openai-responses'],
    ])
    for (const exchange of items) {
      expect(exchange.outcome).toBe('completed')
      const { dialect, usage } = exchange
      const counted =
        dialect === 'openai-embeddings' ? { final: true } : { input: 21, output: 8, final: true }
      expect([dialect, usage]).toMatchObject([dialect, counted])
      for (const side of ['request', 'response'] as const) {
        const raw = await fetch(`${product.url}/api/exchanges/${exchange.id}/${side}`, {
          headers: { authorization: `Bearer ${product.adminKey}` },
        })
        const hash = new Bun.CryptoHasher('sha256').update(await raw.arrayBuffer()).digest('hex')
        expect(hash).toBe(exchange[`${side}_sha256`] ?? 'no hash')
      }
    }
    const found = await product.read<Page<{ snippet: string }>>('/api/search?q=sunny%20breeze')
    expect(found.items.length).toBeGreaterThan(0)
  })
})
