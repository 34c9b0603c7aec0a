import { calcPrice, type PriceCalculation, type Provider } from '@pydantic/genai-prices'
import type { Interpretation, Usage } from '#capture'

export type Cost = NonNullable<Interpretation['cost']>

/** What is to be priced; `at` in ms since the epoch. */
export type Priced = { provider: string | null; model: string | null; usage: Usage | null; at: number }

/**
 * What tokens cost, in integer micro-units, rounded once at the end, half up. Null where provider, model or usage
 * are unknown: a guess would look like a bill. Never throws.
 */
export type PriceOf = (of: Priced) => Cost | null

/** The release of the price list that comes with the program; a test holds it to the one that is installed. */
export const priceList = 'genai-prices/0.1.8'

export type List = {
  /** As in `genai-prices/0.1.8`. */
  name: string
  /** Null: the one that comes with the program. */
  providers: readonly Provider[] | null
}

/** Prices by a list. */
export type Lister = {
  price: PriceOf
  /** Tokens that the model takes at most; null where not known. */
  contextWindow(provider: string, model: string): number | null
}

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

/** What the price list calls a provider of ours; null where it has none such. */
export function listName(provider: string): string | null {
  return names[provider] ?? null
}

/** At the list price of the day that the program was made. */
export function price(of: Priced): Cost | null {
  return builtIn.price(of)
}

const none: Usage = {
  ...{ input: 0, output: 0, cache_read: 0, cache_write: 0, cache_write_1h: 0, reasoning: 0 },
  final: true,
}

const mostRemembered = 1_000

/** Remembers where in the list a model was found: the search takes 25 µs, the rest 8. */
export function lister(list: List): Lister {
  const found = new Map<string, Provider>()

  return {
    price(of) {
      const { usage, model, provider } = of
      if (provider === null || model === null || usage === null) return null
      if (usage.input === null && usage.output === null) return null
      const result = calculate(provider, model, { usage, at: of.at })
      if (result === null || !Number.isFinite(result.total_price)) return null
      return {
        micros: roundMicros(result.total_price),
        currency: 'USD',
        price_version: version(list.name, result),
      }
    },
    contextWindow(provider, model) {
      const known = found.get(`${names[provider]} ${model}`)?.models[0]
      const entry = known ?? calculate(provider, model, { usage: none, at: Date.now() })?.model
      return entry?.context_window ?? null
    },
  }

  function calculate(
    provider: string,
    model: string,
    { usage, at }: { usage: Usage; at: number },
  ): PriceCalculation | null {
    const providerId = names[provider]
    if (providerId === undefined || model.length > 200) return null
    const key = `${providerId} ${model}`
    const known = found.get(key) ?? list.providers?.find(({ id }) => id === providerId)
    if (known === undefined && list.providers !== null) return null
    try {
      const where = known === undefined ? { providerId } : { provider: known }
      const result = calcPrice(countsOf(usage), model, { ...where, timestamp: new Date(at) })
      if (result !== null && !found.has(key) && found.size < mostRemembered) {
        found.set(key, { ...result.provider, models: [result.model] })
      }
      return result
    } catch {
      return null
    }
  }
}

const builtIn = lister({ name: priceList, providers: null })

/** The list counts what came from and went to the cache as part of the input. */
function countsOf(usage: Usage): Record<string, number> {
  const read = usage.cache_read ?? 0
  const written = usage.cache_write ?? 0
  return {
    input_tokens: (usage.input ?? 0) + read + written,
    output_tokens: usage.output ?? 0,
    cache_read_tokens: read,
    cache_write_tokens: written,
    cache_write_1h_tokens: Math.min(usage.cache_write_1h ?? 0, written),
    output_reasoning_tokens: Math.min(usage.reasoning ?? 0, usage.output ?? 0),
  }
}

/** The list computes with floats: a millionth of a micro-unit keeps a true half from falling down. */
function roundMicros(total: number): number {
  return Math.floor(total * 1e6 + 0.5 + 1e-6)
}

/** Names the list, the model matched in it, and the very price: one model may have had several over time. */
function version(list: string, { provider, model, model_price }: PriceCalculation): string {
  let hash = hashes.get(model_price)
  if (hash === undefined) {
    hash = Bun.SHA256.hash(JSON.stringify(model_price), 'hex').slice(0, 8)
    hashes.set(model_price, hash)
  }
  return `${list} ${provider.id}/${model.id} ${hash}`
}

const hashes = new WeakMap<object, string>()
