import type { Budget } from './budget.ts'

/** A call that waits for its reservation. */
export type Waiter = { micros: number; tries: number; resolve: (answer: Reserved) => void }

/** `yes`; `exhausted`: the budget has not so much left; `unavailable`: the database does not say. */
export type Reserved = 'yes' | 'exhausted' | 'unavailable'

/** A call's reservation; 0 where it was let through without one. */
export type Held = { account: Account; reserved: number }

/** Told by the database with each exchange; micro-units. */
export type Standing = { spent: number; elsewhere: number }

/** A loop of refused calls must not become a loop of questions to the database. */
const refusedMs = 100

/**
 * One gateway's part in a budget's period. Its lease is what is reserved and what is available; both are covered by
 * what the database counts as held by this gateway, until `validUntil`. All amounts in micro-units.
 */
export class Account {
  readonly budget: string
  /** ms since the epoch */
  readonly startsAt: number
  /** The budget as it is now: its limit may change while the account lives. */
  terms: Budget
  /** Leased, and not reserved by any call. Below zero where a call cost more than it reserved. */
  available = 0
  /** Reserved by the calls under way. */
  reserved = 0
  /** By all calls of this process. */
  settled = 0
  /** What of it the database is known to know. */
  told = 0
  /** On the clock of `performance.now()`. */
  validUntil = 0
  activeAt = 0
  /** Reserved since the last look: how much to lease ahead. */
  recent = 0
  readonly waiting: Waiter[] = []
  state: 'idle' | 'asking' = 'idle'
  /** The smallest that was refused last, and when: for a moment nothing as large has to ask. */
  refused = { micros: 0, at: Number.NEGATIVE_INFINITY }
  standing: Standing = { spent: 0, elsewhere: 0 }

  constructor(terms: Budget, startsAt: number) {
    this.budget = terms.id
    this.terms = terms
    this.startsAt = startsAt
  }

  /** Reserves from what is available. False where that is too little, or others came first. */
  take(micros: number): boolean {
    const time = performance.now()
    // A process that stood still must not go on with a lease that others may have by now.
    if (time > this.validUntil && this.available > 0) this.available = 0
    if (micros > 0 && (this.waiting.length > 0 || this.available < micros)) return false
    this.hold(micros)
    this.activeAt = time
    return true
  }

  /** Was so much refused a moment ago? */
  isShortOf(micros: number): boolean {
    const { refused } = this
    return micros >= refused.micros && performance.now() - refused.at < refusedMs
  }

  hold(micros: number): void {
    this.available -= micros
    this.reserved += micros
    this.recent += micros
  }

  /** Ends a reservation. What was not used can be reserved again. */
  settle(reserved: number, actual: number): void {
    this.reserved -= reserved
    this.settled += actual
    this.available += reserved - actual
  }

  /** What may be spent of the lease; a debt was settled, and is the database's to know. */
  get spare(): number {
    return Math.max(0, this.available)
  }

  /** A call that was let through without a reservation. */
  charge(actual: number): void {
    this.settled += actual
    this.available -= actual
  }

  /** Does the database have to hear from it? */
  needsTelling(time: number, renewMs: number): boolean {
    if (this.settled !== this.told) return true
    const holds = this.available !== 0 || this.reserved !== 0
    return holds && this.validUntil - time < renewMs
  }
}
