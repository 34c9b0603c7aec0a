import { calcPrice, type PriceCalculation } from '@pydantic/genai-prices'
import type { Interpretation, Usage } from '#capture'

export type Cost = NonNullable<Interpretation['cost']>

/** The release of the price list; a test holds it to the one that is installed. */
export const priceList = 'genai-prices/0.1.8'

/** Ours, where the price list has another name. Whoever is on neither list has no price. */
const names: Record<string, string> = {
  anthropic: 'anthropic',
  openai: 'openai',
  gemini: 'google',
  vertex: 'google',
  'azure-openai': 'azure',
  xai: 'x-ai',
  deepseek: 'deepseek',
  mistral: 'mistral',
  groq: 'groq',
  openrouter: 'openrouter',
  together: 'together',
  fireworks: 'fireworks',
  cerebras: 'cerebras',
  cohere: 'cohere',
  moonshot: 'moonshotai',
  perplexity: 'perplexity',
  bedrock: 'aws',
  zai: 'zai',
}

/**
 * What tokens cost at the list price of their day, in integer micro-units, rounded once at the end, half up.
 * Null where provider, model or usage are unknown: a guess would look like a bill. Never throws.
 * @param at ms since the epoch
 */
export function price(of: {
  provider: string | null
  model: string | null
  usage: Usage | null
  at: number
}): Cost | null {
  const providerId = of.provider === null ? undefined : names[of.provider]
  if (providerId === undefined || of.model === null || of.model.length > 200 || of.usage === null) return null
  if (of.usage.input === null && of.usage.output === null) return null
  const found = calculate(of.usage, of.model, providerId, of.at)
  if (found === null || !Number.isFinite(found.total_price)) return null
  return { micros: roundMicros(found.total_price), currency: 'USD', price_version: version(found) }
}

/** The list counts what came from and went to the cache as part of the input. */
function calculate(usage: Usage, model: string, providerId: string, at: number): PriceCalculation | null {
  const read = usage.cache_read ?? 0
  const written = usage.cache_write ?? 0
  const counts = {
    input_tokens: (usage.input ?? 0) + read + written,
    output_tokens: usage.output ?? 0,
    cache_read_tokens: read,
    cache_write_tokens: written,
    cache_write_1h_tokens: Math.min(usage.cache_write_1h ?? 0, written),
    output_reasoning_tokens: Math.min(usage.reasoning ?? 0, usage.output ?? 0),
  }
  try {
    return calcPrice(counts, model, { providerId, timestamp: new Date(at) })
  } catch {
    return null
  }
}

/** The list computes with floats: a millionth of a micro-unit keeps a true half from falling down. */
function roundMicros(total: number): number {
  return Math.floor(total * 1e6 + 0.5 + 1e-6)
}

/** Names the list, the model matched in it, and the very price: one model may have had several over time. */
function version(found: PriceCalculation): string {
  const exact = Bun.SHA256.hash(JSON.stringify(found.model_price), 'hex').slice(0, 8)
  return `${priceList} ${found.provider.id}/${found.model.id} ${exact}`
}
