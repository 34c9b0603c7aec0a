/**
 * Keeps calls off what does not work. `closed`: all pass. After some failures in a row `open`: none pass, for a
 * while. Then `half-open`: one passes to try it, and by its end the breaker closes, or opens for twice as long.
 */
export type BreakerState = 'closed' | 'open' | 'half-open'

export type BreakerView = {
  state: BreakerState
  /** In a row. */
  failures: number
  /** Why the last one failed. */
  reason: string | null
  opened_at: string | null
  /** When it lets one pass again, where it is open. */
  retry_at: string | null
}

export type BreakerLimits = {
  /** Failures in a row. @default 5 */
  failures?: number
  /** First time open. @default 10000 */
  openMs?: number
  /** @default 300000 */
  longestMs?: number
  /** ms since the epoch. @default Date.now */
  now?: () => number
}

export class Breaker {
  readonly #limits: Required<BreakerLimits>
  #state: BreakerState = 'closed'
  #failures = 0
  #reason: string | null = null
  #openedAt = 0
  #openMs = 0
  #trying = false

  constructor({ failures = 5, openMs = 10_000, longestMs = 300_000, now = Date.now }: BreakerLimits = {}) {
    this.#limits = { failures, openMs, longestMs, now }
  }

  get state(): BreakerState {
    if (this.#state === 'open' && this.#limits.now() >= this.#openedAt + this.#openMs)
      this.#state = 'half-open'
    return this.#state
  }

  /** May a call pass? Changes nothing. */
  get lets(): boolean {
    return this.state === 'closed' || (this.#state === 'half-open' && !this.#trying)
  }

  /** How long it stays open, in ms. */
  get remainingMs(): number {
    return this.state === 'open' ? this.#openedAt + this.#openMs - this.#limits.now() : 0
  }

  /** A call passes. One of `succeeded`, `failed`, `abandoned` is due. */
  enter(): void {
    if (this.state === 'half-open') this.#trying = true
  }

  succeeded(): void {
    this.reset()
  }

  failed(reason: string): void {
    this.#failures += 1
    this.#reason = reason
    const was = this.state
    this.#trying = false
    if (was === 'open' || (was === 'closed' && this.#failures < this.#limits.failures)) return
    this.#openMs =
      was === 'half-open' ? Math.min(this.#openMs * 2, this.#limits.longestMs) : this.#limits.openMs
    this.#openedAt = this.#limits.now()
    this.#state = 'open'
  }

  /** It ended without a word on the health of the other side. */
  abandoned(): void {
    this.#trying = false
  }

  reset(): void {
    this.#state = 'closed'
    this.#failures = 0
    this.#reason = null
    this.#trying = false
  }

  view(): BreakerView {
    const { state } = this
    return {
      state,
      failures: this.#failures,
      reason: this.#reason,
      opened_at: state === 'closed' ? null : new Date(this.#openedAt).toISOString(),
      retry_at: state === 'open' ? new Date(this.#openedAt + this.#openMs).toISOString() : null,
    }
  }
}
