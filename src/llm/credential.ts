import { credentialHeaders } from '#lib/credentials'
import { SluiceError } from '#lib/errors'
import type { ProviderKey } from './providers/keys.ts'
import { type Provider, variableOf } from './providers/provider.ts'

/** OpenAI's way for browsers, which can send no header on a WebSocket. */
const protocolKey = /^openai-insecure-api-key\./

export function dropCredentials(headers: Headers): void {
  for (const place of credentialHeaders) headers.delete(place)
  const protocols = headers.get('sec-websocket-protocol')
  if (protocols?.includes('openai-insecure-api-key.')) {
    headers.set('sec-websocket-protocol', withoutProtocolKey(protocols))
  }
}

/**
 * Puts one of the gateway's own keys where the provider looks for it.
 * @returns that key; null where the provider takes calls without
 * @throws SluiceError 502 `provider-key-missing` naming the variable
 */
export function placeKey(headers: Headers, provider: Provider, dialect: string | null): ProviderKey | null {
  const { credential } = provider
  const key = provider.keys.pick()
  if (key === null) {
    if (provider.open) return null
    const variable = variableOf(provider.name, 'API_KEY')
    throw new SluiceError(
      502,
      'provider-key-missing',
      `The gateway has no key for ${provider.name}: set ${variable}, or send your own where PASS_THROUGH_KEYS is on`,
    )
  }
  // Vendors who speak OpenAI's dialect beside their own take OpenAI's kind of credential there.
  const guest = dialect?.startsWith('openai-') && !provider.dialect.startsWith('openai-')
  if (guest || credential.scheme === 'bearer') headers.set('authorization', `Bearer ${key.secret}`)
  else headers.set(credential.header, key.secret)
  return key
}

/** The query, for those who look for a key in it; null where there can be none. */
export function keyQuery(path: string): URLSearchParams | null {
  const start = path.indexOf('?')
  return start === -1 || !path.includes('key=', start) ? null : new URLSearchParams(path.slice(start + 1))
}

export function withoutProtocolKey(protocols: string): string {
  return protocols
    .split(',')
    .map((protocol) => protocol.trim())
    .filter((protocol) => !protocolKey.test(protocol))
    .join(', ')
}
