import { describe, expect, test } from 'bun:test'
import { priceBook } from '../../../src/llm/money/price-book.ts'
import { price } from '../../../src/llm/price.ts'

/** When these were the list's prices. */
const at = Date.UTC(2026, 10, 1)

/** Read from the cache, written to it, of that for an hour. */
type Sample = [input: number, read: number, write: number, hour: number, output: number, micros: number]

/**
 * Sums by hand from the vendors' published prices, in USD per million tokens, which is micro-units per token; half a
 * micro-unit goes up.
 */
const samples: { of: string; samples: Sample[] }[] = [
  {
    // 5, read 0.5, write 6.25, for an hour 10, output 25
    of: 'anthropic claude-opus-4-8',
    samples: [
      [1000, 0, 0, 0, 500, 17_500], // 5000 + 12500
      [3, 12_000, 0, 0, 250, 12_265], // 15 + 6000 + 6250
      [10, 0, 8000, 0, 100, 52_550], // 50 + 50000 + 2500
      [10, 0, 8000, 8000, 100, 82_550], // 50 + 80000 + 2500
      [7, 3, 1001, 1, 1, 6_322], // 35 + 1.5 + 6250 + 10 + 25 = 6321.5
      [1, 0, 0, 0, 0, 5],
    ],
  },
  {
    // 3, read 0.3, write 3.75, output 15; all of it above 200,000 of input: 6, 0.6, 7.5, 22.5
    of: 'anthropic claude-sonnet-4-5',
    samples: [
      [2000, 0, 0, 0, 800, 18_000], // 6000 + 12000
      [200_000, 0, 0, 0, 1000, 615_000], // 600000 + 15000
      [200_001, 0, 0, 0, 1000, 1_222_506], // 1200006 + 22500
      [100, 150_000, 60_000, 0, 2000, 585_600], // 600 + 90000 + 450000 + 45000
      [5, 50_000, 2000, 0, 333, 27_510], // 15 + 15000 + 7500 + 4995
    ],
  },
  {
    // 1, read 0.1, write 1.25, for an hour 2, output 5
    of: 'anthropic claude-haiku-4-5',
    samples: [
      [999, 0, 0, 0, 1, 1_004],
      [1, 15, 0, 0, 0, 3], // 1 + 1.5 = 2.5
      [1, 4, 0, 0, 0, 1], // 1.4
      [0, 0, 2, 0, 0, 3], // 2.5
      [20, 0, 1000, 400, 60, 1_870], // 20 + 750 + 800 + 300
    ],
  },
  {
    // 3, read 0.3, write 3.75, output 15
    of: 'anthropic claude-3-7-sonnet-20250219',
    samples: [
      [3, 0, 12_304, 0, 550, 54_399], // 9 + 46140 + 8250: the invoice of L9812
      [1500, 8500, 0, 0, 420, 13_350], // 4500 + 2550 + 6300
    ],
  },
  {
    // 0.8, read 0.08, write 1, output 4
    of: 'anthropic claude-3-5-haiku-20241022',
    samples: [
      [4, 2455, 0, 0, 23, 292], // 3.2 + 196.4 + 92 = 291.6: the invoice of L11789
      [12, 0, 30, 0, 7, 68], // 9.6 + 30 + 28 = 67.6
    ],
  },
  {
    // 1.25, read 0.125, output 10
    of: 'openai gpt-5',
    samples: [
      [1000, 0, 0, 0, 100, 2_250],
      [1000, 7000, 0, 0, 512, 7_245], // 1250 + 875 + 5120
      [2, 0, 0, 0, 0, 3], // 2.5
      [1, 1, 0, 0, 1, 11], // 1.25 + 0.125 + 10 = 11.375
      [123_456, 0, 0, 0, 7890, 233_220], // 154320 + 78900
    ],
  },
  {
    // 0.4, read 0.1, output 1.6
    of: 'openai gpt-4.1-mini',
    samples: [
      [5000, 0, 0, 0, 1000, 3_600],
      [5, 5, 0, 0, 5, 11], // 2 + 0.5 + 8 = 10.5
      [1, 0, 0, 0, 0, 0], // 0.4
      [800, 200, 0, 0, 300, 820], // 320 + 20 + 480
    ],
  },
  {
    // 2.5, read 1.25, output 10
    of: 'openai gpt-4o',
    samples: [
      [777, 0, 0, 0, 333, 5_273], // 1942.5 + 3330 = 5272.5
      [100, 1000, 0, 0, 50, 2_000], // 250 + 1250 + 500
      [3, 0, 0, 0, 3, 38], // 7.5 + 30 = 37.5
    ],
  },
  {
    // 2, read 0.5, output 8
    of: 'openai o3',
    samples: [
      [1500, 0, 0, 0, 4000, 35_000], // 3000 + 32000
      [11, 13, 0, 0, 17, 165], // 22 + 6.5 + 136 = 164.5
    ],
  },
  {
    // 0.02
    of: 'openai text-embedding-3-small',
    samples: [
      [1000, 0, 0, 0, 0, 20],
      [8191, 0, 0, 0, 0, 164], // 163.82
      [24, 0, 0, 0, 0, 0], // 0.48
    ],
  },
  {
    // 1.25, read 0.125, output 10; all of it above 200,000 of input: 2.5, 0.25, 15
    of: 'gemini gemini-2.5-pro',
    samples: [
      [1000, 0, 0, 0, 200, 3_250],
      [150_000, 50_000, 0, 0, 100, 194_750], // 187500 + 6250 + 1000
      [150_000, 50_001, 0, 0, 100, 389_000], // 375000 + 12500.25 + 1500
      [37, 19, 0, 0, 11, 159], // 46.25 + 2.375 + 110 = 158.625
    ],
  },
  {
    // 0.3, read 0.03, output 2.5
    of: 'gemini gemini-2.5-flash',
    samples: [
      [1111, 0, 0, 0, 99, 581], // 333.3 + 247.5 = 580.8
      [10, 90, 0, 0, 5, 18], // 3 + 2.7 + 12.5 = 18.2
    ],
  },
  // 3, read 0.75, output 15
  { of: 'xai grok-4', samples: [[640, 320, 0, 0, 128, 4_080]] }, // 1920 + 240 + 1920
  // 2, output 6
  { of: 'mistral mistral-large-latest', samples: [[350, 0, 0, 0, 70, 1_120]] }, // 700 + 420
  {
    // 0.59, output 0.79
    of: 'groq llama-3.3-70b-versatile',
    samples: [
      [1000, 0, 0, 0, 1000, 1_380],
      [100, 0, 0, 0, 33, 85], // 59 + 26.07
    ],
  },
]

function usageOf([input, read, write, hour, output]: Sample) {
  const cache = { cache_read: read, cache_write: write, cache_write_1h: hour }
  return { input, output, ...cache, reasoning: null, final: true }
}

describe('M1: what a call cost is right to the micro-unit', () => {
  test('on at least 40 samples over ten models', () => {
    expect(samples.length).toBeGreaterThanOrEqual(10)
    expect(samples.flatMap((one) => one.samples).length).toBeGreaterThanOrEqual(40)
  })

  for (const { of, samples: rows } of samples) {
    test(`for ${of}`, () => {
      const [provider = '', model = ''] = of.split(' ')
      for (const row of rows) {
        const cost = price({ provider, model, usage: usageOf(row), at })
        expect([row, cost?.micros]).toEqual([row, row[5]])
      }
    })
  }
})

describe('an operator’s price', () => {
  const own = { id: 'a', provider: 'openai', cache_read: 1, cache_write: null, cache_write_1h: null }
  const book = priceBook([
    { ...own, model: 'gpt-5', input: 3_000_001, output: 7 },
    { ...own, id: 'b', model: null, input: 0, output: 0 },
    { ...own, id: 'c', provider: 'ollama', model: null, input: 500_000, output: 0 },
  ])
  const of = (provider: string, model: string, sample: Sample) =>
    book.price({ provider, model, usage: usageOf(sample), at })

  test('takes the place of the list’s, exactly and rounded once', () => {
    // 2 × 3.000001 + 4 × 0.000001 + 5 × 3.000001 + 70000 × 0.000007 = 6.000002 + 0.000004 + 15.000005 + 0.49
    expect(of('openai', 'gpt-5', [2, 4, 5, 1, 70_000, 0])).toEqual({
      ...{ micros: 21, currency: 'USD', price_version: 'override/a openai/gpt-5' },
    })
    // The same with numbers that are no longer exact in floating point: 3000001 × 9007199254 / 1e6
    expect(of('openai', 'gpt-5', [9_007_199_254, 0, 0, 0, 0, 0])?.micros).toBe(27_021_606_769)
  })

  test('of a provider is for all of its other models, and may be nothing, or make a free one cost', () => {
    expect(of('openai', 'gpt-4o', [1000, 0, 0, 0, 1000, 0])?.micros).toBe(0)
    expect(of('ollama', 'llama', [3, 0, 0, 0, 9, 0])?.micros).toBe(2)
    expect(of('gemini', 'gemini-2.5-pro', [1000, 0, 0, 0, 200, 0])?.micros).toBe(3_250)
  })
})
