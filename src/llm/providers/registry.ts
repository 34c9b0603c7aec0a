import type { ProviderEnv } from '#lib/env'
import { SluiceError } from '#lib/errors'
import { known, ownServer } from './known.ts'
import { type Provider, type Providers, variableOf } from './provider.ts'

/**
 * The known vendors with their keys and addresses of this installation, and any other server that
 * `<NAME>_BASE_URL` gives an address to.
 */
export function openProviders(settings: Record<string, ProviderEnv>): Providers {
  const providers = new Map<string, Provider>()
  for (const vendor of known) providers.set(vendor.name, { ...vendor, apiKey: null })
  for (const [name, { apiKey, baseUrl }] of Object.entries(settings)) {
    const vendor = providers.get(name) ?? (baseUrl === undefined ? null : ownServer(name, null))
    if (vendor === null) continue
    providers.set(name, { ...vendor, baseUrl: baseUrl ?? vendor.baseUrl, apiKey: apiKey ?? null })
  }
  const ready = new Map<string, ReturnType<Providers['get']>>()

  return {
    get,
    dialectOf: (name) => providers.get(name)?.dialect ?? null,
    names: () => [...providers.keys()].sort(),
  }

  function get(name: string): ReturnType<Providers['get']> {
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

  function unknown(name: string): SluiceError {
    const names = [...providers.keys()].sort().join(', ')
    const asked = JSON.stringify(name.slice(0, 64))
    return new SluiceError(404, 'unknown-provider', `There is no provider ${asked}. Known are: ${names}`)
  }
}

function notSetUp(name: string): SluiceError {
  const variable = variableOf(name, 'BASE_URL')
  return new SluiceError(502, 'provider-not-set-up', `The address of ${name} is not known: set ${variable}`)
}
