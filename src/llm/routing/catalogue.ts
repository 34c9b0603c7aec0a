import { findProvider } from '@pydantic/genai-prices'
import { listName, price } from '../price.ts'
import { mockModels } from '../providers/mock/models.ts'
import type { Provider, Providers } from '../providers/provider.ts'

export type Listed = { provider: string; model: string }

/** Which models there are, and whose they are. */
export type Catalogue = {
  /**
   * Who has a model: `provider/model` names it; else a provider that lists it, else one whose price list has it.
   * Only providers that are set up count. Null: nobody.
   */
  find(model: string): Listed | null
  /** Names that calls may ask for. */
  names(): string[]
  /** Takes what rules name. */
  replace(named: readonly Listed[]): void
  /** Takes what providers themselves list. */
  learn(listed: readonly Listed[]): void
  /** What rules name and providers list; where no provider did, what price lists have. */
  listed(): readonly Listed[]
}

/** Names found are remembered, as a look at the price list costs 20 µs. Bounded. */
const mostRemembered = 5_000

export function openCatalogue(providers: Providers): Catalogue {
  let ruled: readonly Listed[] = []
  let learnt: readonly Listed[] = []
  let remembered = new Map<string, Listed | null>()

  return {
    find(model) {
      const before = remembered.get(model)
      if (before !== undefined) return before
      const found = named(model) ?? [...ruled, ...learnt].find((one) => one.model === model) ?? priced(model)
      if (remembered.size >= mostRemembered) remembered = new Map()
      remembered.set(model, found)
      return found
    },
    names: () => [...[...ruled, ...learnt].map(({ model }) => model), ...setUp().flatMap(pricedModels)],
    listed() {
      const known = new Set(learnt.map(({ provider }) => provider))
      const silent = setUp().filter(({ name }) => !known.has(name))
      const priced = silent.flatMap((one) =>
        pricedModels(one).map((model) => ({ provider: one.name, model })),
      )
      return [...ruled, ...learnt, ...priced]
    },
    learn(list) {
      learnt = list
      remembered = new Map()
    },
    replace(list) {
      ruled = list
      remembered = new Map()
    },
  }

  function named(text: string): Listed | null {
    const slash = text.indexOf('/')
    if (slash <= 0) return null
    const provider = text.slice(0, slash)
    return providers.find(provider) === null ? null : { provider, model: text.slice(slash + 1) }
  }

  function priced(model: string): Listed | null {
    const usage = {
      input: 1,
      output: 1,
      cache_read: 0,
      cache_write: 0,
      cache_write_1h: 0,
      reasoning: 0,
      final: true,
    }
    const owner = setUp().find(({ name }) =>
      name === 'mock'
        ? mockModels.includes(model)
        : price({ provider: name, model, usage, at: Date.now() }) !== null,
    )
    return owner === undefined ? null : { provider: owner.name, model }
  }

  function setUp(): Provider[] {
    return providers.names().flatMap((name) => {
      const provider = providers.find(name)
      if (provider === null || provider.baseUrl === null) return []
      return provider.keys.size > 0 || name === 'mock' ? [provider] : []
    })
  }
}

function pricedModels({ name }: Provider): readonly string[] {
  if (name === 'mock') return mockModels
  const providerId = listName(name)
  if (providerId === null) return []
  return (findProvider({ providerId })?.models ?? []).map(({ id }) => id)
}
