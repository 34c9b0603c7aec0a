import { afterAll, beforeAll, expect, test } from 'bun:test'
import Anthropic from '@anthropic-ai/sdk'
import { LLMock } from '@copilotkit/aimock'
import { type Exchange, type Product, startProduct } from './product.ts'

/** A call in one dialect, served in another behind a rule, from the client to the record and back. */
let product: Product
let fake: LLMock
let id: string

beforeAll(async () => {
  fake = new LLMock({ port: 0 })
  fake.onMessage(/weather/, { content: 'Sunny, with a light breeze.' })
  await fake.start()
  product = await startProduct('postgres', {
    OPENAI_BASE_URL: fake.url,
    OPENAI_API_KEY: 'sk-one,sk-two',
    ANTHROPIC_BASE_URL: fake.url,
    ANTHROPIC_API_KEY: 'sk-ant',
  })
  await api('PUT', '/api/routes/cross', {
    match: { dialects: ['anthropic'] },
    candidates: [
      { provider: 'nowhere', priority: 0 },
      { provider: 'openai', model: 'gpt-5', priority: 1 },
    ],
  })
}, 60_000)

afterAll(async () => {
  await product.stop()
  await fake.stop()
})

async function api(method: string, path: string, body?: object): Promise<Response> {
  return await fetch(`${product.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${product.adminKey}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
}

test('the exchange shows its route, its attempts and who served', async () => {
  const client = new Anthropic({ baseURL: product.url, apiKey: product.adminKey })
  const { data, response } = await client.messages
    .create({
      model: 'claude-sonnet-5',
      max_tokens: 50,
      messages: [{ role: 'user', content: 'How is the weather?' }],
    })
    .withResponse()
  expect(data.content[0]).toMatchObject({ type: 'text', text: 'Sunny, with a light breeze.' })
  id = response.headers.get('sluice-exchange') ?? ''
  await product.settled()
  expect(await product.read<Exchange>(`/api/exchanges/${id}`)).toMatchObject({
    ...{ route: 'cross', provider: 'openai', dialect: 'anthropic', warnings: [] },
    attempts: [
      { provider: 'nowhere', status: null, error: 'unknown-provider' },
      { provider: 'openai', model: 'gpt-5', status: 200, error: null },
    ],
  })
  const { items } = await product.read<{ items: Exchange[] }>('/api/exchanges?route=cross')
  expect(items.map((one) => one.id)).toEqual([id])
})

test('its replay at a provider of another dialect is translated, and names what it replays', async () => {
  const answer = await api('POST', `/api/exchanges/${id}/replay`, { provider: 'openai', model: 'gpt-5-mini' })
  expect((await answer.json()) as object).toMatchObject({ type: 'message', role: 'assistant' })
  const replayed = answer.headers.get('sluice-exchange')
  expect(answer.headers.get('sluice-model')).toBe('gpt-5-mini')
  await product.settled()
  expect(await product.read<Exchange>(`/api/exchanges/${replayed}`)).toMatchObject({
    ...{ replay_of: id, provider: 'openai', route: null, dialect: 'anthropic' },
    attempts: [{ provider: 'openai', model: 'gpt-5-mini' }],
  })
})

test('T2: what the target cannot carry is named in a header and on record', async () => {
  const client = new Anthropic({ baseURL: product.url, apiKey: product.adminKey })
  const { data, response } = await client.messages
    .create({
      ...{ model: 'claude-sonnet-5', max_tokens: 50 },
      system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
      messages: [{ role: 'user', content: 'How is the weather?' }],
    })
    .withResponse()
  expect(data.content[0]).toMatchObject({ type: 'text', text: 'Sunny, with a light breeze.' })
  expect(response.headers.get('sluice-warning')).toContain('cache-control')
  await product.settled()
  const path = `/api/exchanges/${response.headers.get('sluice-exchange')}`
  expect(await product.read<Exchange>(path)).toMatchObject({
    warnings: [expect.stringContaining('cache-control')],
  })
})
