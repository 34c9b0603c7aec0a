import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import OpenAI from 'openai'
import { Webhook } from 'standardwebhooks'
import { openMock } from '#llm'
import { temporaryFolder } from '../support/folder.ts'
import { until } from '../support/until.ts'
import { type Started, startAll, stopAll } from './started.ts'

setDefaultTimeout(60_000)

/**
 * `bun start` in front of a server that plays every provider and counts its calls: what costs nothing, and what too
 * much.
 */
let mock: Awaited<ReturnType<typeof openMock>>
let upstream: Bun.Server<undefined>
let receiver: Bun.Server<undefined>
let product: Started
let key: string
let asked = 0
const told: { headers: Record<string, string>; body: string }[] = []

beforeAll(async () => {
  mock = await openMock()
  upstream = Bun.serve({
    ...{ port: 0, hostname: '127.0.0.1' },
    async fetch({ url, method, headers, body }) {
      asked += 1
      const { pathname, search } = new URL(url)
      return await fetch(mock.url + pathname + search, { method, headers, body })
    },
  })
  receiver = Bun.serve({
    ...{ port: 0, hostname: '127.0.0.1' },
    async fetch(request) {
      told.push({ headers: Object.fromEntries(request.headers), body: await request.text() })
      return new Response(null, { status: 204 })
    },
  })
  const env: Record<string, string> = { PRIVATE_ADDRESSES: 'true' }
  for (const name of ['ANTHROPIC', 'OPENAI', 'GEMINI', 'OLLAMA']) {
    env[`${name}_BASE_URL`] = upstream.url.origin
    env[`${name}_API_KEY`] = 'sk-of-the-gateway'
  }
  product = await startAll({ dataDir: temporaryFolder(), env })
  key = product.adminKey ?? ''
})

afterAll(async () => {
  expect((await stopAll(product)).left).toEqual([])
  await Promise.all([upstream.stop(true), receiver.stop(true), mock.close()])
})

async function api<Body>(method: string, path: string, body: object): Promise<Body> {
  const headers = { authorization: `Bearer ${key}` }
  const answer = await fetch(product.url + path, { method, headers, body: JSON.stringify(body) })
  expect([path, answer.ok]).toEqual([path, true])
  return (await answer.json()) as Body
}

const question = 'How deep is the sea?'
const cached = { 'sluice-cache': 'on' }

test('an equal stream is replayed to each official client as the stream that it was, and its provider asked once', async () => {
  const anthropic = new Anthropic({ baseURL: product.url, apiKey: key, defaultHeaders: cached })
  const openai = new OpenAI({ baseURL: `${product.url}/v1`, apiKey: key, defaultHeaders: cached })
  const gemini = new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: product.url, headers: cached } })
  const messages = [{ role: 'user' as const, content: question }]
  const heard = {
    anthropic: () =>
      anthropic.messages.create({ model: 'claude-haiku-4-5', max_tokens: 99, messages, stream: true }),
    chat: () => openai.chat.completions.create({ model: 'gpt-5-mini', messages, stream: true }),
    responses: () => openai.responses.create({ model: 'gpt-5-mini', input: question, stream: true }),
    gemini: () => gemini.models.generateContentStream({ model: 'gemini-2.5-flash', contents: question }),
  }
  for (const [name, ask] of Object.entries(heard)) {
    const before = asked
    const first = await gathered(await ask())
    expect([name, first.length > 3, asked - before]).toEqual([name, true, 1])
    let again: unknown[] = []
    await until(`${name} is stored`, async () => {
      const reached = asked
      again = await gathered(await ask())
      return asked === reached
    })
    expect([name, again]).toEqual([name, first])
  }
})

test('who nears the limit of a budget is told once by a signed webhook, and then refused by its SDK’s own error', async () => {
  const made = await api<{ id: string; key: string }>('POST', '/api/keys', {
    name: 'spender',
    scopes: ['call'],
  })
  await api('PUT', '/api/prices', { provider: 'anthropic', model: null, input: 0, output: 1_000_000_000 })
  const budget = await api<{ id: string; webhook_secret: string; on_outage: string }>(
    'POST',
    '/api/budgets',
    {
      ...{ scope: 'key', subject: made.id, period: 'day', limit_micros: 400_000 },
      ...{ thresholds: [2], webhook_url: receiver.url.href },
    },
  )
  expect(budget.on_outage).toBe('closed')
  const client = new Anthropic({ baseURL: product.url, apiKey: made.key })
  const ask = (max_tokens: number) =>
    client.messages.create({
      ...{ model: 'claude-haiku-4-5', max_tokens },
      messages: [{ role: 'user', content: 'What does it cost?' }],
    })
  const { usage } = await ask(100)
  await until('the receiver is told', () => told.length > 0)
  const [first] = told
  const { data } = new Webhook(budget.webhook_secret).verify(first?.body ?? '', first?.headers ?? {}) as {
    data: object
  }
  expect(data).toMatchObject({
    ...{ budget_id: budget.id, subject: made.id, threshold_percent: 2 },
    ...{ spent_micros: usage.output_tokens * 1_000, limit_micros: 400_000 },
  })
  const before = asked
  const refused = await ask(5_000).catch((error) => error)
  expect(refused).toBeInstanceOf(Anthropic.APIError)
  expect([refused.status, refused.error.error.type, asked]).toEqual([402, 'billing_error', before])
  await ask(100)
  const settled = 2 * usage.output_tokens * 1_000
  await until('the second call is settled', async () => {
    const { state } = await product.read<{ state: { spent_micros: number } }>(
      `/api/budgets/${budget.id}`,
      key,
    )
    return state.spent_micros === settled
  })
  expect(told.length).toBe(1)
})

test('M4: under a spent budget a route goes on with its free local model only, and says so', async () => {
  const made = await api<{ id: string; key: string }>('POST', '/api/keys', {
    name: 'broke',
    scopes: ['call'],
  })
  await api('POST', '/api/budgets', { scope: 'key', subject: made.id, period: 'day', limit_micros: 0 })
  const candidates = [
    { provider: 'openai', model: 'gpt-5-mini', priority: 0 },
    { provider: 'ollama', model: 'mock-echo', priority: 1 },
  ]
  await api('PUT', '/api/routes/either', { match: { models: ['either'] }, candidates })
  const asking = (apiKey: string, model: string) =>
    new OpenAI({ baseURL: `${product.url}/v1`, apiKey, maxRetries: 0 }).chat.completions
      .create({ model, messages: [{ role: 'user', content: question }] })
      .withResponse()
  const served = async (apiKey: string) =>
    (await asking(apiKey, 'either')).response.headers.get('sluice-provider')
  expect(await served(key)).toBe('openai')
  expect(await served(made.key)).toBe('ollama')
  const refused = await asking(made.key, 'gpt-5-mini').catch((error) => error)
  expect([refused.status, refused.code]).toEqual([402, 'budget_exhausted'])
  const client = new OpenAI({ baseURL: `${product.url}/p/ollama/v1`, apiKey: made.key })
  const messages = [{ role: 'user' as const, content: question }]
  const { choices } = await client.chat.completions.create({ model: 'mock-echo', messages })
  expect(choices[0]?.message.content).toBe(question)
})

async function gathered(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const parts: unknown[] = []
  // Google's client hangs the head of the answer to each part, and each answer has one of its own.
  const withoutHead = (name: string, value: unknown) => (name === 'sdkHttpResponse' ? undefined : value)
  for await (const part of stream) parts.push(JSON.parse(JSON.stringify(part, withoutHead)))
  return parts
}
