import type { ProviderEnv } from '#lib/env'
import { SluiceError } from '#lib/errors'
import { KeyRing, keysOfEnv, type ProviderKey } from './keys.ts'
import { known, ownServer } from './known.ts'
import {
  type Provider,
  type Providers,
  type ReadyProvider,
  type StoredProvider,
  variableOf,
} from './provider.ts'

/**
 * The known vendors with their keys and addresses of this installation, and any other server that
 * `<NAME>_BASE_URL`, or what an operator stored, gives an address to.
 */
export function openProviders(settings: Record<string, ProviderEnv>): Providers {
  let providers = new Map<string, Provider>()
  providers = made([], new Map())
  const ready = new Map<string, ReadyProvider>()

  return {
    get,
    find: (name) => providers.get(name) ?? null,
    dialectOf: (name) => providers.get(name)?.dialect ?? null,
    names: () => [...providers.keys()].sort(),
    replace(stored, keys) {
      providers = made(stored, keys)
      ready.clear()
    },
  }

  function get(name: string): ReadyProvider {
    const found = ready.get(name)
    if (found !== undefined) return found
    const provider = providers.get(name)
    if (provider === undefined) throw unknown(name)
    const { baseUrl } = provider
    if (baseUrl === null) throw notSetUp(name)
    const whole = { ...provider, baseUrl, origin: new URL(baseUrl).origin }
    ready.set(name, whole)
    return whole
  }

  function made(
    stored: readonly StoredProvider[],
    keys: ReadonlyMap<string, ProviderKey[]>,
  ): Map<string, Provider> {
    const before = providers
    const all = new Map<string, Omit<Provider, 'keys' | 'apiKey'>>()
    for (const vendor of known) all.set(vendor.name, vendor)
    for (const [name, { baseUrl }] of Object.entries(settings)) {
      const vendor = all.get(name) ?? (baseUrl === undefined ? null : ownServer(name, null))
      if (vendor !== null) all.set(name, { ...vendor, baseUrl: baseUrl ?? vendor.baseUrl })
    }
    for (const one of stored) {
      if (one.enabled) all.set(one.name, changed(all.get(one.name) ?? ownServer(one.name, null), one))
      else all.delete(one.name)
    }
    return new Map(
      [...all].map(([name, provider]) => {
        const own = [...keysOfEnv(settings[name]?.apiKey), ...(keys.get(name) ?? [])]
        const ring = new KeyRing(own, before.get(name)?.keys)
        return [name, { ...provider, keys: ring, apiKey: own[0]?.secret ?? null }]
      }),
    )
  }

  function unknown(name: string): SluiceError {
    const names = [...providers.keys()].sort().join(', ')
    const asked = JSON.stringify(name.slice(0, 64))
    return new SluiceError(404, 'unknown-provider', `There is no provider ${asked}. Known are: ${names}`)
  }
}

function changed(provider: ReturnType<typeof ownServer>, stored: StoredProvider): typeof provider {
  const dialect = stored.dialect ?? provider.dialect
  return {
    ...provider,
    dialect,
    speaks: stored.speaks ?? (stored.dialect === null ? provider.speaks : [dialect]),
    baseUrl: stored.base_url ?? provider.baseUrl,
    open: stored.open ?? provider.open,
    local: stored.local ?? provider.local,
    credential: dialect === provider.dialect ? provider.credential : credentialOf(dialect),
  }
}

function credentialOf(dialect: string): Provider['credential'] {
  if (dialect === 'anthropic') return { header: 'x-api-key', scheme: 'bare' }
  if (dialect === 'gemini') return { header: 'x-goog-api-key', scheme: 'bare' }
  return { header: 'authorization', scheme: 'bearer' }
}

function notSetUp(name: string): SluiceError {
  const variable = variableOf(name, 'BASE_URL')
  return new SluiceError(502, 'provider-not-set-up', `The address of ${name} is not known: set ${variable}`)
}
