import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { sseParser } from '#lib/sse'
import { openMock } from '#llm'
import { temporaryFolder } from '../support/folder.ts'
import { until } from '../support/until.ts'
import { type Started, startAll, stopAll } from './started.ts'

setDefaultTimeout(60_000)

/** `bun start` in front of a server that plays OpenAI: many models at once, and one after the other. */
let mock: Awaited<ReturnType<typeof openMock>>
let product: Started
let key: string

beforeAll(async () => {
  mock = await openMock()
  const env = { OPENAI_BASE_URL: mock.url, OPENAI_API_KEY: 'sk-of-the-gateway' }
  product = await startAll({ dataDir: temporaryFolder(), env })
  key = product.adminKey ?? ''
})

afterAll(async () => {
  expect((await stopAll(product)).left).toEqual([])
  await mock.close()
})

type Result = {
  model: string
  status: string
  text: string | null
  cost_micros: number | null
  exchange_id: string
}
type Outcome = { id: string; results: Result[]; summary: Result | null; total: { cost_micros: number } }
type Exchange = {
  id: string
  conversation_id: string
  cost: { micros: number } | null
  model_asked: string
  route: string | null
}

async function api(method: string, path: string, body?: object, headers: Record<string, string> = {}) {
  return await fetch(product.url + path, {
    method,
    headers: { authorization: `Bearer ${key}`, ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
}

async function recorded(tag: string, count: number): Promise<Exchange[]> {
  let items: Exchange[] = []
  await until(`${count} exchanges of ${tag} are on record`, async () => {
    const page = await product.read<{ items: Exchange[] }>(
      `/api/exchanges?tag=${encodeURIComponent(tag)}`,
      key,
    )
    items = page.items
    return items.length === count
  })
  return items
}

const sumOf = (costs: number[]) => costs.reduce((sum, cost) => sum + cost, 0)

test('the orchestra: partial results as they come, one that fails beside the others, a summary, all on record', async () => {
  const models = ['openai/gpt-5-mini', 'openai/gpt-4.1', 'openai/mock-error-529']
  const body = { prompt: 'Which colour has the sky?', models, summary: { model: 'openai/gpt-5-mini' } }
  const response = await api('POST', '/api/orchestra', body, { accept: 'text/event-stream' })
  expect(response.status).toBe(200)
  const events: { name: string | null; data: Record<string, unknown> }[] = []
  const parser = sseParser(({ event, data }) => events.push({ name: event, data: JSON.parse(data) }))
  for await (const chunk of response.body ?? []) parser.push(chunk)

  const names = events.map(({ name }) => name)
  expect([names[0], names.at(-1)]).toEqual(['started', 'done'])
  const texts = events.filter(({ name, data }) => name === 'text' && data.model === models[0])
  expect(texts.length).toBeGreaterThan(1)
  const outcome = events.at(-1)?.data as unknown as Outcome
  expect(outcome.results.map(({ model, status }) => [model, status])).toEqual([
    ['openai/gpt-5-mini', 'succeeded'],
    ['openai/gpt-4.1', 'succeeded'],
    ['openai/mock-error-529', 'failed'],
  ])
  expect(texts.map(({ data }) => data.text).join('')).toBe(outcome.results[0]?.text ?? '')
  expect(outcome.summary).toMatchObject({ model: 'openai/gpt-5-mini', status: 'succeeded' })

  const exchanges = await recorded(`orchestra:${outcome.id}`, 4)
  expect(new Set(exchanges.map(({ conversation_id }) => conversation_id)).size).toBe(1)
  expect(outcome.total.cost_micros).toBeGreaterThan(0)
  expect(sumOf(exchanges.map(({ cost }) => cost?.micros ?? 0))).toBe(outcome.total.cost_micros)
})

const rungs = ['openai/gpt-5-mini', 'openai/mock-echo'].map((model) => ({ model, retries: 0 }))
const judged = (pattern: string) => [{ kind: 'regex', pattern }]

async function route(ladder: object): Promise<void> {
  const answer = await api('PUT', '/api/routes/climbing', { match: { models: ['best'] }, ladder })
  expect([200, 201]).toContain(answer.status)
}

function ask(content: string): Promise<Response> {
  return api('POST', '/v1/chat/completions', { model: 'best', messages: [{ role: 'user', content }] })
}

async function said(response: Response): Promise<unknown> {
  const { choices } = (await response.json()) as { choices: { message: { content: string } }[] }
  return choices[0]?.message.content
}

type Climb = {
  outcome: string
  cost_micros: number
  steps: { model: string; verdict: string }[]
  consensus: unknown
}

test('a ladder: the judge objects to the first rung, the second answers, and the climb is one conversation', async () => {
  await route({ rungs, judges: judged('^answer') })
  const response = await ask('answer me this')
  expect(response.headers.get('sluice-model')).toBe('openai/mock-echo')
  expect(await said(response)).toBe('answer me this')

  const id = response.headers.get('sluice-ladder')
  const climb = await product.read<Climb>(`/api/climbs/${id}`, key)
  expect(climb.steps.map(({ model, verdict }) => [model, verdict])).toEqual([
    ['openai/gpt-5-mini', 'rejected'],
    ['openai/mock-echo', 'accepted'],
  ])
  const exchanges = await recorded(`ladder:${id}`, 2)
  expect(new Set(exchanges.map(({ conversation_id }) => conversation_id)).size).toBe(1)
  expect(climb.cost_micros).toBeGreaterThan(0)
  expect(sumOf(exchanges.map(({ cost }) => cost?.micros ?? 0))).toBe(climb.cost_micros)
})

test('where no rung is good enough, those who agree have the word', async () => {
  const models = ['openai/gpt-5-mini', 'openai/gpt-4.1', 'openai/mock-echo']
  await route({ rungs, judges: judged('^never'), consensus: { models, k: 2 } })
  const response = await ask('answer me that')
  expect(await said(response)).toStartWith('This is the mock provider.')
  const climb = await product.read<Climb>(`/api/climbs/${response.headers.get('sluice-ladder')}`, key)
  expect(climb).toMatchObject({
    outcome: 'consensus',
    consensus: { reached: true, groups: [['openai/gpt-5-mini', 'openai/gpt-4.1'], ['openai/mock-echo']] },
  })
})

test('where nobody agrees, a human is asked over the API, and the caller who waits gets that answer', async () => {
  await route({ rungs, judges: judged('^never'), human: { wait_seconds: 60, instructions: 'Be brief.' } })
  const waiting = ask('who can answer this?')
  let task = ''
  await until('a human is asked', async () => {
    type Tasks = { items: { id: string; question: string; proposals: unknown[] }[] }
    const { items } = await product.read<Tasks>('/api/tasks?status=waiting', key)
    task = items[0]?.id ?? ''
    return items[0]?.question === 'who can answer this?' && items[0].proposals.length === 2
  })
  expect((await api('POST', `/api/tasks/${task}/answer`, { answer: 'I can.' })).status).toBe(200)
  const response = await waiting
  expect(response.headers.get('sluice-task')).toBe(task)
  expect(await said(response)).toBe('I can.')
})
