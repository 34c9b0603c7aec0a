import type { KeyRing, ProviderKey } from './keys.ts'

/** Dialects that carry calls of models, which rules can be about. */
export const onwardDialects = [
  'anthropic',
  'openai-chat',
  'openai-responses',
  'openai-embeddings',
  'gemini',
] as const

/** A vendor, or a server of the operator's own: data only. What its bytes mean is its dialect's. */
export type Provider = {
  name: string
  /** The dialect of its own API: what calls in other dialects are translated to. */
  dialect: string
  /** Dialects that it takes as they are. */
  speaks: readonly string[]
  /** Where its credential stands. */
  credential: { header: string; scheme: 'bearer' | 'bare' }
  /** Does it take calls without any credential? */
  open: boolean
  /** A server of the operator's own: its calls cost nothing. */
  local: boolean
  /** Null where only the operator can know it. Without a slash at its end. */
  baseUrl: string | null
  keys: KeyRing
  /** The first of `keys`. */
  apiKey: string | null
}

/** What an operator stored of a provider. Null: as it would be without. */
export type StoredProvider = {
  name: string
  base_url: string | null
  dialect: string | null
  speaks: string[] | null
  open: boolean | null
  local: boolean | null
  enabled: boolean
}

export type ReadyProvider = Provider & { baseUrl: string; origin: string }

export type Providers = {
  /** @throws SluiceError 404 `unknown-provider` naming the known ones, 502 `provider-not-set-up` naming the variable */
  get(name: string): ReadyProvider
  /** As `get`, without an address and without a fuss. */
  find(name: string): Provider | null
  /** The dialect of a provider's own API; null where there is no such provider. */
  dialectOf(name: string): string | null
  names(): string[]
  /** Takes what is stored, on top of what is known and of the environment. */
  replace(stored: readonly StoredProvider[], keys: ReadonlyMap<string, ProviderKey[]>): void
}

/** `azure-openai` is set up by `AZURE_OPENAI_API_KEY`. */
export function variableOf(provider: string, kind: 'API_KEY' | 'BASE_URL'): string {
  return `${provider.toUpperCase().replaceAll('-', '_')}_${kind}`
}
