import { SluiceError } from '#lib/errors'

/** What a route says of the cache. */
export type CacheRule = { mode: 'on' | 'off'; ttlSeconds?: number | undefined }

/** What is to happen with one request. */
export type CachePolicy = {
  /** May a stored answer, or one under way, be given? */
  use: boolean
  /** Must it? Then no upstream is asked. */
  only: boolean
  /** May the answer be stored? */
  store: boolean
  ttlSeconds: number
  /** Stored answers that are older do not count. */
  maxAgeSeconds: number | null
}

export const defaultTtlSeconds = 3_600
const longestTtlSeconds = 30 * 86_400

/**
 * A request takes part in the cache where its route or its header `sluice-cache` says so, the header coming first:
 * `on`, `only` (a stored answer or 504), `refresh` (ask, and store), `off`, each with `ttl=<seconds>` where it stores;
 * a `ttl` alone means `on`. Within that the client's own `cache-control` holds: `no-store` (neither looked up nor
 * stored), `no-cache` and `max-age=0` (refresh), `max-age=<seconds>`, `only-if-cached`.
 * @returns null where the cache has no part in the request
 * @throws SluiceError 400 `bad-header`
 */
export function cachePolicy(headers: Headers, route: CacheRule | null): CachePolicy | null {
  const sent = headers.get('sluice-cache')
  if (sent === null && (route === null || route.mode === 'off')) return null
  const asked = sent === null ? { mode: 'on' as const, ttl: null } : readHeader(sent)
  if (asked.mode === 'off') return null
  const control = readControl(headers.get('cache-control'))
  if (control.noStore) return null
  const refresh = asked.mode === 'refresh' || control.noCache
  const only = asked.mode === 'only' || control.onlyIfCached
  return {
    use: only || !refresh,
    only,
    store: true,
    ttlSeconds: asked.ttl ?? route?.ttlSeconds ?? defaultTtlSeconds,
    maxAgeSeconds: control.maxAge,
  }
}

const modes = ['on', 'only', 'refresh', 'off'] as const
type Asked = { mode: (typeof modes)[number]; ttl: number | null }

function readHeader(text: string): Asked {
  let mode: Asked['mode'] | null = null
  let ttl: number | null = null
  for (const word of text.split(/[,;]/).map((part) => part.trim().toLowerCase())) {
    const named = modes.find((one) => one === word)
    const seconds = /^ttl=(\d{1,9})$/.exec(word)?.[1]
    if (named !== undefined && mode === null) mode = named
    else if (seconds !== undefined && ttl === null) ttl = Number(seconds)
    else throw badHeader()
  }
  if (ttl !== null && (ttl < 1 || ttl > longestTtlSeconds)) throw badHeader()
  return { mode: mode ?? 'on', ttl }
}

function badHeader(): SluiceError {
  return new SluiceError(
    400,
    'bad-header',
    `sluice-cache: must be one of ${modes.join(', ')}, and may name ttl=<1 to ${longestTtlSeconds} seconds>`,
  )
}

function readControl(text: string | null) {
  const words = (text ?? '')
    .toLowerCase()
    .split(',')
    .map((part) => part.trim())
  const age = words.map((word) => /^max-age=(\d{1,9})$/.exec(word)?.[1]).find((one) => one !== undefined)
  const maxAge = age === undefined ? null : Number(age)
  return {
    noStore: words.includes('no-store'),
    noCache: words.includes('no-cache') || maxAge === 0,
    onlyIfCached: words.includes('only-if-cached'),
    maxAge,
  }
}

/** May an answer with these headers be stored? Streams say `no-cache` as a rule, which is not meant for us. */
export function mayStore(headers: readonly (readonly [string, string])[]): boolean {
  return !headers.some(([name, value]) => name === 'cache-control' && /\bno-store\b/i.test(value))
}
