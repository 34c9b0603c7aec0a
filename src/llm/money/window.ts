import type { RateLimit } from './budget.ts'

type Counts = { requests: number; tokens: number }

/**
 * The counts of a limit: of the running window, and of the one before, which counts by the share of it that still
 * lies within the length of a window. So no burst of twice the limit passes where two windows meet.
 */
export class Window {
  limit: RateLimit
  number = -1
  /** Since the window began. */
  own: Counts = { requests: 0, tokens: 0 }
  /** What of it the database knows. */
  told: Counts = { requests: 0, tokens: 0 }
  /** Of all gateways, as the database last said; includes what it was told. */
  all: Counts = { requests: 0, tokens: 0 }
  before: Counts = { requests: 0, tokens: 0 }
  readonly #name: string

  constructor(limit: RateLimit) {
    this.limit = limit
    this.#name = nameOf(limit)
  }

  /** Goes to the window of that time; a call may have begun in one that is over. */
  roll(at: number): void {
    const number = Math.floor(at / this.#ms)
    if (number <= this.number) return
    const none = { requests: 0, tokens: 0 }
    this.before = number === this.number + 1 ? this.#now() : none
    this.number = number
    this.own = { ...none }
    this.told = { ...none }
    this.all = { ...none }
  }

  add(requests: number, tokens: number): void {
    this.own.requests += requests
    this.own.tokens += tokens
  }

  /** What is used up; null: there is room for so many requests, and a token. */
  fullFor(at: number, more: 0 | 1): 'requests' | 'tokens' | null {
    const { requests, tokens } = this.limit
    if (requests !== null && more > 0 && this.#used('requests', at) + more > requests) return 'requests'
    if (tokens !== null && this.#used('tokens', at) >= tokens) return 'tokens'
    return null
  }

  /** At least 1. */
  secondsUntilRoom(what: 'requests' | 'tokens', at: number): number {
    const most = (this.limit[what] ?? 0) - 1
    const now = this.#now()[what]
    const length = this.limit.window_seconds
    const left = length - (at % this.#ms) / 1000
    // Where this window alone is full, it counts as the one before until enough of it lies too far back.
    const wait =
      now <= most
        ? left - (length * Math.max(0, most - now)) / Math.max(1, this.before[what])
        : left + length * (1 - Math.max(0, most) / now)
    return Math.max(1, Math.ceil(wait))
  }

  shown(at: number): { name: string; most: number; left: number; seconds: number; resets: number }[] {
    const seconds = this.limit.window_seconds
    const resets = Math.ceil(seconds - (at % this.#ms) / 1000)
    return (['requests', 'tokens'] as const).flatMap((what) => {
      const most = this.limit[what]
      if (most === null) return []
      const left = Math.max(0, Math.floor(most - this.#used(what, at)))
      return [{ name: `${this.#name}-${what}`, most, left, seconds, resets }]
    })
  }

  /** Was there no call in this window and the one before? */
  isOver(time: number): boolean {
    return this.number < Math.floor(time / this.#ms) - 1
  }

  get #ms(): number {
    return this.limit.window_seconds * 1000
  }

  #now(): Counts {
    const { all, own, told } = this
    return {
      requests: all.requests + own.requests - told.requests,
      tokens: Math.max(0, all.tokens + own.tokens - told.tokens),
    }
  }

  #used(what: 'requests' | 'tokens', at: number): number {
    const gone = Math.min(1, Math.max(0, at / this.#ms - this.number))
    return this.#now()[what] + this.before[what] * (1 - gone)
  }
}

/** As a string of structured fields may be. */
function nameOf({ name, scope }: RateLimit): string {
  const clean = name.replaceAll(/[^\w .:-]/g, '').slice(0, 40)
  return clean === '' ? scope : clean
}
