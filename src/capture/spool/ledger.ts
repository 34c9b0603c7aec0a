export type Place = 'stored' | 'spooled' | 'queued' | 'quarantined' | 'dropped'

/**
 * How many exchanges are where. Every change is one step, so that the sum is right at any moment:
 * `accepted = stored + spooled + queued + quarantined + dropped`.
 */
export class Ledger {
  accepted = 0
  readonly at: Record<Place, number> = { stored: 0, spooled: 0, queued: 0, quarantined: 0, dropped: 0 }
  /** Begun and not sealed. */
  open = 0
  /** The number of the last exchange. */
  seq = 0

  /** Counts an exchange that was just made durable, or given up, under the number `seq + 1`. */
  accept(place: 'spooled' | 'dropped'): void {
    this.seq += 1
    this.accepted += 1
    this.at[place] += 1
  }

  /** Counts exchanges that were found on disk, or are known from before. */
  count(exchanges: number, place: Place): void {
    this.accepted += exchanges
    this.at[place] += exchanges
  }

  move(exchanges: number, from: Place, to: Place): void {
    this.at[from] -= exchanges
    this.at[to] += exchanges
  }
}
