import type { Usage } from '#capture'
import { type List, type Lister, lister, type PriceOf, priceList } from '../price.ts'

/** An operator's own price, in micro-units per million tokens: 3 USD are 3,000,000. */
export type PriceOverride = {
  id: string
  provider: string
  /** Null: of every model of the provider that has no price of its own here. */
  model: string | null
  input: number
  output: number
  /** Null: as `input`. */
  cache_read: number | null
  /** Null: as `input`. */
  cache_write: number | null
  /** Null: as `cache_write`. */
  cache_write_1h: number | null
}

/** All prices in force: overrides first, then the list. */
export type PriceBook = {
  price: PriceOf
  /** Is there an operator's price, even one of nothing? */
  overrides(provider: string, model: string | null): boolean
  contextWindow(provider: string, model: string): number | null
  /** The list's name. */
  list: string
}

const builtInList: List = { name: priceList, providers: null }

export function priceBook(overrides: readonly PriceOverride[] = [], list: List = builtInList): PriceBook {
  const table = new Map(overrides.map((one) => [keyOf(one.provider, one.model), one]))
  const listed = listerOf(list)
  return {
    list: list.name,
    contextWindow: listed.contextWindow,
    overrides: (provider, model) => find(provider, model) !== undefined,
    price(of) {
      const own = of.provider === null ? undefined : find(of.provider, of.model)
      if (own === undefined) return listed.price(of)
      if (of.usage === null || (of.usage.input === null && of.usage.output === null)) return null
      return {
        micros: overridden(own, of.usage),
        currency: 'USD',
        price_version: `override/${own.id} ${own.provider}/${own.model ?? '*'}`,
      }
    },
  }

  function find(provider: string, model: string | null): PriceOverride | undefined {
    if (table.size === 0) return undefined
    return (
      (model === null ? undefined : table.get(keyOf(provider, model))) ?? table.get(keyOf(provider, null))
    )
  }
}

/** A book is made anew with each change of a budget; what a list's reader remembers must outlive that. */
function listerOf(list: List): Lister {
  const known = listers.get(list) ?? lister(list)
  listers.set(list, known)
  return known
}

const listers = new WeakMap<List, Lister>()

/** Rounded once, half up; in whole numbers of any size, so that it is exact. */
function overridden(own: PriceOverride, usage: Usage): number {
  const written = usage.cache_write ?? 0
  const hour = Math.min(usage.cache_write_1h ?? 0, written)
  const write = own.cache_write ?? own.input
  const parts: [number, number][] = [
    [usage.input ?? 0, own.input],
    [usage.output ?? 0, own.output],
    [usage.cache_read ?? 0, own.cache_read ?? own.input],
    [written - hour, write],
    [hour, own.cache_write_1h ?? write],
  ]
  const total = parts.reduce((sum, [tokens, rate]) => sum + BigInt(tokens) * BigInt(rate), 0n)
  return Number((total + 500_000n) / 1_000_000n)
}

function keyOf(provider: string, model: string | null): string {
  return model === null ? provider : `${provider}/${model}`
}
