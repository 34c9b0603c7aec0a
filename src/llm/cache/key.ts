import { isCredential, withoutKey } from '#lib/credentials'
import { decompress } from '../decompress.ts'
import { canonicalJson, object, parseJson } from '../dialects/json.ts'

/** What names an answer: equal requests have equal keys, and nothing of a request can be read from its key. */
export type CacheRequest = {
  tenant: string
  /** The client's dialect. */
  dialect: string | null
  /** Where the request would go first. */
  provider: string
  /** Where a route asks for another model than the body does. @default the body's */
  model?: string | null
  method: string
  /** Path and query at the provider. */
  path: string
  /** As the client sent them. */
  headers: Headers
  /** Null where it is not read whole. */
  body: Uint8Array | null
  /** Does the client's own credential go to the upstream? Then its answers are for that credential only. */
  passThrough: boolean
}

/** Part of every key: what was stored by another reading of requests must not be found. */
const version = 1
const longestBody = 4 * 1024 * 1024

/** Ends of paths whose answer depends on nothing but the request. */
const cacheable =
  /\/(messages|messages\/count_tokens|chat\/completions|completions|responses|responses\/input_tokens|embeddings)$|\/models\/[^/]+:(generateContent|streamGenerateContent|countTokens|embedContent|batchEmbedContents)$/

/** Headers that change an answer. `accept-encoding` as it changes the answer's bytes. */
const telling = [
  ...['anthropic-version', 'anthropic-beta', 'openai-beta', 'openai-organization', 'openai-project'],
  ...['x-goog-user-project', 'accept', 'accept-encoding', 'sluice-route'],
]

/** Fields of a body that say who asks or how it is billed, and not what. */
const silent = [
  'metadata',
  'user',
  'safety_identifier',
  'prompt_cache_key',
  'prompt_cache_retention',
  'labels',
]

/** Fields by which an answer depends on more than the request, or is more than an answer. */
const stateful = ['previous_response_id', 'conversation', 'background', 'cachedContent', 'cached_content']

/**
 * The sha256 of tenant, dialect, provider, model, path, the headers that matter and the body as canonical JSON
 * without the fields that do not; null where the request is not one whose answer can be given again.
 */
export function cacheKey(request: CacheRequest): string | null {
  const { tenant, dialect, provider, method, headers, body } = request
  const path = withoutKey(request.path)
  if (method !== 'POST' || body === null || body.byteLength === 0 || body.byteLength > longestBody)
    return null
  if (!cacheable.test(path.replace(/\?.*$/s, ''))) return null
  const meant = canonicalBody(body, headers.get('content-encoding'))
  if (meant === null) return null
  const named = telling.map((name) => headers.get(name)?.toLowerCase().replaceAll(' ', '') ?? null)
  const who = request.passThrough ? credentialsOf(headers, request.path) : null
  const head = [version, tenant, dialect, provider, request.model ?? null, path, named, who]
  return new Bun.CryptoHasher('sha256').update(JSON.stringify(head)).update('\0').update(meant).digest('hex')
}

/** Numbers that JSON.parse would round must not make two requests one. */
const longNumber = /\d{16}/

function canonicalBody(bytes: Uint8Array, encoding: string | null): string | null {
  const plain = decompress(bytes, encoding, longestBody)
  if (plain === null) return null
  const text = new TextDecoder().decode(plain)
  const body = object(parseJson(text))
  if (body === null || stateful.some((field) => (body[field] ?? false) !== false)) return null
  if (longNumber.test(text)) return text
  for (const field of silent) delete body[field]
  return canonicalJson(body)
}

function credentialsOf(headers: Headers, path: string): string[] {
  const found: string[] = [path]
  headers.forEach((value, name) => {
    if (isCredential(name)) found.push(`${name}=${value}`)
  })
  return found
}
