/** A vendor, or a server of the operator's own: data only. What its bytes mean is its dialect's. */
export type Provider = {
  name: string
  /** The dialect of its own API, for errors on paths that name none. */
  dialect: string
  /** Where its credential stands. */
  credential: { header: string; scheme: 'bearer' | 'bare' }
  /** Does it take calls without any credential? */
  open: boolean
  /** Null where only the operator can know it. Without a slash at its end. */
  baseUrl: string | null
  apiKey: string | null
}

export type Providers = {
  /** @throws SluiceError 404 `unknown-provider` naming the known ones, 502 `provider-not-set-up` naming the variable */
  get(name: string): Provider & { baseUrl: string; origin: string }
  /** The dialect of a provider's own API; null where there is no such provider. */
  dialectOf(name: string): string | null
  names(): string[]
}

/** `azure-openai` is set up by `AZURE_OPENAI_API_KEY`. */
export function variableOf(provider: string, kind: 'API_KEY' | 'BASE_URL'): string {
  return `${provider.toUpperCase().replaceAll('-', '_')}_${kind}`
}
