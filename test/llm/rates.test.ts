import { expect, test } from 'bun:test'
import { calcPrice, findProvider } from '@pydantic/genai-prices'
import { lister, listName, price } from '../../src/llm/price.ts'
import { countsOf, listCounts } from '../../src/llm/rates.ts'

const vendors = [
  'anthropic',
  'openai',
  'gemini',
  'azure-openai',
  'xai',
  'deepseek',
  'mistral',
  'groq',
  'bedrock',
]
const at = Date.UTC(2026, 10, 1, 17, 30)

/** The same numbers in every run. */
function numbers(seed: number): (most: number) => number {
  let state = seed
  return (most) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * (most + 1))
  }
}

function usages(count: number) {
  const random = numbers(7)
  return Array.from({ length: count }, () => {
    const size = [10, 5_000, 300_000][random(2)] ?? 10
    const output = random(20_000)
    const cache_write = random(1) * random(size)
    return {
      ...{ input: random(size), output, cache_read: random(1) * random(size), cache_write },
      ...{ cache_write_1h: random(1) * random(cache_write), reasoning: random(1) * random(output) },
      final: true,
    }
  })
}

test('every model of the list costs what the list itself computes, whatever was used', () => {
  const samples = usages(40)
  let compared = 0
  for (const provider of vendors) {
    const providerId = listName(provider) ?? ''
    for (const { id: model } of findProvider({ providerId })?.models ?? []) {
      const wrong = samples.filter((usage) => {
        const counts = countsOf(usage)
        if (counts === null) return true
        const options = { providerId, timestamp: new Date(at) }
        const total = calcPrice(listCounts(counts), model, options)?.total_price ?? null
        const micros = total === null ? null : Math.floor(total * 1e6 + 0.5 + 1e-6)
        compared += 1
        return (price({ provider, model, usage, at })?.micros ?? null) !== micros
      })
      expect([provider, model, wrong]).toEqual([provider, model, []])
    }
  }
  expect(compared).toBeGreaterThan(5_000)
})

const usage = {
  input: 100,
  output: 10,
  cache_read: 0,
  cache_write: 0,
  cache_write_1h: 0,
  reasoning: 0,
  final: true,
}

test('a price holds from its day on, though another was asked for before', () => {
  const prices = [
    { prices: { input_mtok: 1, output_mtok: 2 } },
    {
      constraint: { start_date: '2026-11-02', type: 'start_date' as const },
      prices: { input_mtok: 3, output_mtok: 6 },
    },
  ]
  const { price: priceOf } = lister({
    name: 'test',
    providers: [
      {
        ...{ id: 'openai', name: 'OpenAI', api_pattern: 'x' },
        models: [{ id: 'm', match: { equals: 'm' }, prices }],
      },
    ],
  })
  const micros = (time: number) => priceOf({ provider: 'openai', model: 'm', usage, at: time })?.micros
  expect([at, at + 86_400_000, at].map(micros)).toEqual([120, 360, 120])
})

test('a price of more than one row goes by the size of the request, and one by the hour by the list', () => {
  const tiered = { base: 1, tiers: [{ start: 100, price: 10 }] }
  const night = { type: 'time_of_date' as const, start_time: '20:00:00Z', end_time: '23:00:00Z' }
  const { price: priceOf } = lister({
    name: 'test',
    providers: [
      {
        ...{ id: 'openai', name: 'OpenAI', api_pattern: 'x' },
        models: [
          { id: 'm', match: { equals: 'm' }, prices: { input_mtok: tiered, output_mtok: 2 } },
          {
            ...{ id: 'n', match: { equals: 'n' } },
            prices: [{ prices: { input_mtok: 1 } }, { constraint: night, prices: { input_mtok: 2 } }],
          },
        ],
      },
    ],
  })
  const of = (model: string, input: number, time = at) =>
    priceOf({ provider: 'openai', model, usage: { ...usage, input, output: 0 }, at: time })?.micros
  expect([of('m', 100), of('m', 101), of('m', 100)]).toEqual([100, 1_010, 100])
  expect([of('n', 100), of('n', 100, at + 4 * 3_600_000), of('n', 100)]).toEqual([100, 200, 100])
})

test('counts that make no sense have no price', () => {
  for (const bad of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(price({ provider: 'openai', model: 'gpt-4.1', usage: { ...usage, input: bad }, at })).toBeNull()
  }
})
