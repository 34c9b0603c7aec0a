import { retryAfterMs } from '../routing/retry.ts'

const limitedMs = 30_000
const refusedMs = 300_000

/** One of a provider's keys. The secret goes to the provider and nowhere else. */
export type ProviderKey = {
  /** `env-1`, or the id of a stored one. */
  id: string
  secret: string
  source: 'env' | 'database'
  name: string
}

export type KeyView = {
  id: string
  source: ProviderKey['source']
  name: string
  last4: string
  /** Until when it is left alone, and why, where the provider refused it. */
  resting_until: string | null
  reason: string | null
}

/** The keys of one provider, used in turn. One that the provider refuses or limits rests for a while. */
export class KeyRing {
  readonly keys: readonly ProviderKey[]
  readonly #resting: Map<string, { until: number; reason: string }>
  #next = 0

  /** @param before the ring that this one takes the place of: its keys go on to rest */
  constructor(keys: readonly ProviderKey[], before?: KeyRing) {
    this.keys = keys
    this.#resting = before === undefined ? new Map() : before.#resting
  }

  get size(): number {
    return this.keys.length
  }

  /** The next that does not rest, else the one that will be back first; null where there is none at all. */
  pick(): ProviderKey | null {
    const { keys } = this
    if (keys.length <= 1) return keys[0] ?? null
    for (let n = 0; n < keys.length; n += 1) {
      const key = keys[(this.#next + n) % keys.length]
      if (key === undefined || this.#isResting(key)) continue
      this.#next = (this.#next + n + 1) % keys.length
      return key
    }
    return keys.reduce(
      (best, key) => (this.#until(key) < this.#until(best) ? key : best),
      keys[0] as ProviderKey,
    )
  }

  /** Is there one that does not rest? */
  get fresh(): boolean {
    return this.keys.some((key) => !this.#isResting(key))
  }

  /**
   * A key that is refused, or has used up its share, rests: for as long as the provider says, or a while.
   * @returns whether it does
   */
  judge(key: ProviderKey | null, { status, headers }: Pick<Response, 'status' | 'headers'>): boolean {
    if (key === null || (status !== 429 && status !== 401 && status !== 403)) return false
    this.rest(key, status === 429 ? (retryAfterMs(headers) ?? limitedMs) : refusedMs, `HTTP ${status}`)
    return true
  }

  rest(key: ProviderKey, ms: number, reason: string): void {
    this.#resting.set(key.id, { until: Date.now() + ms, reason })
  }

  wake(): void {
    this.#resting.clear()
  }

  view(): KeyView[] {
    return this.keys.map((key) => {
      const rest = this.#isResting(key) ? this.#resting.get(key.id) : undefined
      return {
        ...{ id: key.id, source: key.source, name: key.name, last4: key.secret.slice(-4) },
        resting_until: rest === undefined ? null : new Date(rest.until).toISOString(),
        reason: rest?.reason ?? null,
      }
    })
  }

  #isResting(key: ProviderKey): boolean {
    return this.#until(key) > Date.now()
  }

  #until(key: ProviderKey): number {
    return this.#resting.get(key.id)?.until ?? 0
  }
}

/** `<PROVIDER>_API_KEY` may name several, with commas between. */
export function keysOfEnv(apiKey: string | undefined): ProviderKey[] {
  const secrets = (apiKey ?? '').split(',').flatMap((secret) => secret.trim() || [])
  return secrets.map((secret, index) => ({ id: `env-${index + 1}`, secret, source: 'env', name: '' }))
}
