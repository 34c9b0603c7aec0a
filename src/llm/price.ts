import { calcPrice, type PriceCalculation, type Provider } from '@pydantic/genai-prices'
import type { Interpretation, Usage } from '#capture'
import { countsOf, listCounts, microsOf, type Rates, ratesOf } from './rates.ts'

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

/** Where in the list a model was found, and its prices as far as they were asked for. */
type Entry = {
  provider: Provider
  /** By the price's place among those of the model; null: the list's own calculation is needed. */
  ready: Map<number, { rates: Rates; version: string } | null>
}

const mostRemembered = 2_000

/**
 * Remembers where in the list a model was found, and its price as rates: the search takes 25 µs, the list's
 * calculation 5 to 25, and all that is left of it 0.4.
 */
export function lister(list: List): Lister {
  let entries = new Map<string, Entry | null>()

  return {
    price({ usage, model, provider, at }) {
      if (provider === null || model === null || usage === null) return null
      if (usage.input === null && usage.output === null) return null
      const entry = find(provider, model)
      if (entry === null) return null
      const ready = readyAt(entry, { model, at })
      if (ready === null) return calculated(entry, { usage, model, at })
      const micros = microsOf(ready.rates, usage)
      return micros === null ? null : costOf(micros, ready.version)
    },
    contextWindow(provider, model) {
      return find(provider, model)?.provider.models[0]?.context_window ?? null
    },
  }

  function find(provider: string, model: string): Entry | null {
    const providerId = names[provider]
    if (providerId === undefined || model.length > 200) return null
    const key = `${providerId} ${model}`
    const known = entries.get(key)
    if (known !== undefined) return known
    const found = search(providerId, model)
    if (entries.size >= mostRemembered) entries = new Map()
    entries.set(key, found)
    return found
  }

  function search(providerId: string, model: string): Entry | null {
    const own = list.providers?.find(({ id }) => id === providerId)
    if (own === undefined && list.providers !== null) return null
    const result = calculate({ usage: none, model, at: Date.now() }, own ?? providerId)
    return result === null
      ? null
      : { provider: { ...result.provider, models: [result.model] }, ready: new Map() }
  }

  /** A price of one of its times, ready for use. */
  function readyAt(
    { provider, ready }: Entry,
    { model, at }: { model: string; at: number },
  ): { rates: Rates; version: string } | null {
    const place = placeAt(provider.models[0]?.prices, at)
    if (place === null) return null
    const known = ready.get(place)
    if (known !== undefined) return known
    const result = calculate({ usage: none, model, at }, provider)
    const rates =
      result === null || result.model_price !== priceAt(provider.models[0]?.prices, place)
        ? null
        : ratesOf({ price: result.model_price, provider, model, at: new Date(at) })
    const made = rates === null || result === null ? null : { rates, version: version(list.name, result) }
    ready.set(place, made)
    return made
  }

  function calculated({ provider }: Entry, of: { usage: Usage; model: string; at: number }): Cost | null {
    const result = calculate(of, provider)
    if (result === null || !Number.isFinite(result.total_price)) return null
    return costOf(result.total_price * 1e6, version(list.name, result))
  }
}

/** The list's own calculation; null where it has no such model, or cannot make sense of it. */
function calculate(
  { usage, model, at }: { usage: Usage; model: string; at: number },
  where: Provider | string,
): PriceCalculation | null {
  const counts = countsOf(usage)
  if (counts === null) return null
  try {
    const found = typeof where === 'string' ? { providerId: where } : { provider: where }
    return calcPrice(listCounts(counts), model, { ...found, timestamp: new Date(at) })
  } catch {
    return null
  }
}

type Prices = Provider['models'][number]['prices'] | undefined

/** Which of a model's prices holds at that time: the last that has begun. Null where it depends on the hour. */
function placeAt(prices: Prices, at: number): number | null {
  if (!Array.isArray(prices)) return 0
  for (let place = prices.length - 1; place >= 0; place -= 1) {
    const constraint = prices[place]?.constraint
    if (constraint === undefined) return place
    if (constraint.type !== 'start_date') return null
    if (at >= Date.parse(constraint.start_date)) return place
  }
  return 0
}

function priceAt(prices: Prices, place: number): unknown {
  return Array.isArray(prices) ? prices[place]?.prices : prices
}

const builtIn = lister({ name: priceList, providers: null })

/** The list computes with floats: a millionth of a micro-unit keeps a true half from falling down. */
function costOf(micros: number, price_version: string): Cost {
  return { micros: Math.floor(micros + 0.5 + 1e-6), currency: 'USD', price_version }
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
