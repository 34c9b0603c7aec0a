/** Where clients put a credential, in the order in which we look. The last is what Azure's clients send. */
const headerNames = ['sluice-key', 'x-api-key', 'authorization', 'x-goog-api-key', 'api-key'] as const

/** OpenAI's way for browsers, which can send no header of their own with a WebSocket. */
const browserKey = /(?:^|,)\s*openai-insecure-api-key\.([^,\s]+)/

export type Credential = {
  token: string
  /** From the `sluice-key` header, which is ours alone. */
  ownHeader: boolean
}

/** Every credential of a request, in order of preference; the query's `key` is the last. */
export function* credentials(headers: Headers, query: URLSearchParams | null): Generator<Credential> {
  for (const name of headerNames) {
    const value = headers.get(name)
    if (value === null || value === '') continue
    yield { token: name === 'authorization' ? bearer(value) : value, ownHeader: name === 'sluice-key' }
  }
  const fromBrowser = browserKey.exec(headers.get('sec-websocket-protocol') ?? '')?.[1]
  if (fromBrowser !== undefined) yield { token: fromBrowser, ownHeader: false }
  const fromQuery = query?.get('key')
  if (fromQuery) yield { token: fromQuery, ownHeader: false }
}

/** The token of `Bearer …`; another scheme is a credential too, but can only be the client's own. */
function bearer(value: string): string {
  return /^bearer /i.test(value) ? value.slice(7).trim() : value
}
