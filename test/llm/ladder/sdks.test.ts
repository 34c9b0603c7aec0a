import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import OpenAI from 'openai'
import { type LadderGateway, type Lines, openLadderGateway } from './support.ts'

/** What a climb that comes to nothing costs, with clients that try again by themselves. */

let on: LadderGateway
beforeAll(async () => {
  on = await openLadderGateway()
})
afterAll(() => on.close())

const messages = [{ role: 'user' as const, content: 'Hi' }]
const rungs = ['deepseek/deepseek-chat', 'openai/middle'].map((model) => ({ model, retries: 0 }))
const regex = [{ kind: 'regex', pattern: '^good' }]
const asks = (model: string) => on.asked.filter((one) => one.model === model).length

/** As people use them: with the retries that they come with. Each gives the error that its caller sees. */
const clients: Record<string, () => Promise<unknown>> = {
  anthropic: () =>
    failed(
      new Anthropic({ apiKey: 'none', baseURL: on.gateway.url }).messages.create({
        ...{ model: 'any', max_tokens: 9, messages },
      }),
    ),
  'openai chat': () => failed(openai().chat.completions.create({ model: 'any', messages })),
  'openai responses': () => failed(openai().responses.create({ model: 'any', input: 'Hi' })),
  'google genai': () =>
    failed(
      new GoogleGenAI({ apiKey: 'none', httpOptions: { baseUrl: on.gateway.url } }).models.generateContent({
        ...{ model: 'any', contents: 'Hi' },
      }),
    ),
}

function openai(): OpenAI {
  return new OpenAI({ apiKey: 'none', baseURL: `${on.gateway.url}/v1` })
}

async function failed(answer: Promise<unknown>): Promise<unknown> {
  return await answer.then(
    () => null,
    (error: unknown) => error,
  )
}

describe.each(Object.keys(clients))('%s', (name) => {
  const call = () => clients[name]?.()

  // 409: to be tried again, and nothing that opens the breaker for the tests to come.
  test.each<[string, object, Lines]>([
    ['rung', { rungs, judges: regex }, { 'deepseek-chat': ['bad'], middle: [409] }],
    [
      'judge',
      { rungs, judges: [{ kind: 'model', model: 'openai/gpt-5-mini', criteria: 'kind' }] },
      { 'deepseek-chat': ['bad'], 'gpt-5-mini': ['not JSON'] },
    ],
  ])('climbs once where a %s fails after one that was paid for', async (_, ladder, lines) => {
    await on.ladder(ladder, lines)
    expect(await call()).toMatchObject({ status: 503 })
    expect(asks('deepseek-chat')).toBe(1)
  })
})

test('SDKs try again by themselves where nothing was paid for yet', async () => {
  await on.ladder({ rungs, judges: regex }, { 'deepseek-chat': [409, 'good'] })
  expect(await clients.anthropic?.()).toBe(null)
  expect(asks('deepseek-chat')).toBe(2)
})

test('a climb that its judge ended has its cost on record, that of the judge included', async () => {
  const judges = [{ kind: 'model', model: 'openai/gpt-5-mini', criteria: 'kind' }]
  await on.ladder({ rungs, judges }, { 'deepseek-chat': ['fine'], 'gpt-5-mini': ['not JSON'] })
  const { headers, status } = await on.say('Hi')
  expect(status).toBe(503)
  const { json } = await on.admin('GET', `/api/climbs/${headers.get('sluice-ladder')}`)
  expect(json.steps).toMatchObject([
    { model: 'deepseek/deepseek-chat', verdict: 'failed', reason: 'not judged', status: 200 },
  ])
  const [{ cost_micros: own, judge_micros: judged }] = json.steps
  expect(own).toBeGreaterThan(0)
  // Asked three times, for nothing each time.
  expect(judged % 3).toBe(0)
  expect(judged).toBeGreaterThan(0)
  expect(json.cost_micros).toBe(own + judged)
})
