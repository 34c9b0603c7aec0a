import { describe, expect, test } from 'bun:test'
import installed from '../../node_modules/@pydantic/genai-prices/package.json'
import { price, priceList } from '../../src/llm/price.ts'

const none = {
  input: 0,
  output: 0,
  cache_read: null,
  cache_write: null,
  cache_write_1h: null,
  reasoning: null,
  final: true,
}
const at = Date.UTC(2026, 10, 1)

describe('M1: a price', () => {
  test('charges cache writes once: $0.054399, not $0.091311', () => {
    const usage = { ...none, input: 3, cache_write: 12_304, cache_read: 0, output: 550 }
    const model = 'claude-3-7-sonnet-20250219'
    expect(price({ provider: 'anthropic', model, usage, at })).toMatchObject({
      micros: 54_399,
      currency: 'USD',
    })
  })

  test('charges cache reads as such: $0.0002916, not $0.002059, rounded once and half up', () => {
    const usage = { ...none, input: 4, cache_read: 2455, output: 23 }
    const model = 'claude-3-5-haiku-20241022'
    expect(price({ provider: 'anthropic', model, usage, at })?.micros).toBe(292)
    const half = { ...none, input: 2, cache_read: 1 }
    // 2 × 5 + 0.5 micro-units
    expect(price({ provider: 'anthropic', model: 'claude-opus-4-8', usage: half, at })?.micros).toBe(11)
  })

  test('knows that an hour of cache costs more', () => {
    const usage = { ...none, input: 50, cache_write: 50, cache_write_1h: 20, output: 10 }
    // 50 × 5 + 30 × 6.25 + 20 × 10 + 10 × 25 = 887.5
    expect(price({ provider: 'anthropic', model: 'claude-opus-4-8', usage, at })?.micros).toBe(888)
  })
})

describe('a price', () => {
  const usage = { ...none, input: 1000, output: 100 }

  test('has a version that names the list, the model and the very price', () => {
    const cost = price({ provider: 'gemini', model: 'gemini-2.5-pro', usage, at })
    expect(cost?.price_version).toMatch(/^genai-prices\/[\d.]+ google\/gemini-2.5-pro [0-9a-f]{8}$/)
    expect(priceList).toBe(`genai-prices/${installed.version}`)
  })

  test('is null where anything is unknown', () => {
    const known = { provider: 'openai', model: 'gpt-5', usage, at }
    expect(price(known)?.micros).toBe(2250)
    expect(price({ ...known, provider: 'mock' })).toBeNull()
    expect(price({ ...known, provider: null })).toBeNull()
    expect(price({ ...known, model: 'no-such-model' })).toBeNull()
    expect(price({ ...known, model: 'x'.repeat(100_000) })).toBeNull()
    expect(price({ ...known, model: null })).toBeNull()
    expect(price({ ...known, usage: null })).toBeNull()
    expect(price({ ...known, usage: { ...none, input: null, output: null } })).toBeNull()
  })

  test('of embeddings is that of their input', () => {
    const input = { ...none, input: 1000, output: null }
    const model = 'text-embedding-3-small'
    expect(price({ provider: 'openai', model, usage: input, at })?.micros).toBe(20)
  })
})
