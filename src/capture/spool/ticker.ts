import { errorText } from '#lib/errors'
import { foldSealed } from './fold.ts'
import type { Journal, Waiting } from './journal.ts'
import { SpoolFullError } from './room.ts'

/**
 * Fine enough that what is flushed at 85 ms is on disk at 100 ms. Two fifths of the time may go to flushing, and never
 * much of it at once: the frames of all streams wait meanwhile.
 */
const tickMs = 10
const flushBudgetMs = 4
const foldBudgetMs = 2
const slowMs = 1_000

/**
 * The one timer of a gateway's recordings. It runs while there is something to do:
 * flushes exchanges that stay open, folds sealed files, closes segments, and looks for room on a full disk.
 */
export class Ticker {
  readonly #journal: Journal
  #timer: Timer | null = null
  #slowAt = 0
  #dropped = 0
  #saved = -1

  constructor(journal: Journal) {
    this.#journal = journal
    this.wake()
  }

  wake(): void {
    if (this.#timer !== null || this.#journal.closed) return
    this.#timer = setInterval(() => this.#tick(performance.now()), tickMs)
    this.#timer.unref()
  }

  /** Puts everything on disk, sealed or not, and closes the segment. */
  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
    const { files, open, waiting, segment } = this.#journal
    for (const recorder of open) this.#guard(() => recorder.leave())
    for (const entry of waiting) entry.reject(new SpoolFullError())
    waiting.clear()
    this.#guard(() => foldSealed(this.#journal, Number.POSITIVE_INFINITY))
    this.#guard(() => segment.close())
    files.close()
  }

  #tick(now: number): void {
    const { segment } = this.#journal
    this.#flushOpen(now)
    this.#guard(() => foldSealed(this.#journal, foldBudgetMs))
    this.#guard(() => segment.closeIfOld(now))
    if (now - this.#slowAt >= slowMs) {
      this.#slowAt = now
      this.#guard(() => this.#slowTick())
    }
    for (const entry of this.#journal.waiting) {
      this.#guard(() => this.#retry(entry, now))
    }
    if (this.#idle() && this.#timer !== null) {
      clearInterval(this.#timer)
      this.#timer = null
    }
  }

  /** Oldest first. What the budget leaves is due at the next tick, before those that were flushed now. */
  #flushOpen(now: number): void {
    for (const recorder of this.#journal.open) {
      if (!recorder.due(now)) continue
      this.#guard(() => recorder.flush(now))
      if (performance.now() - now > flushBudgetMs) return
    }
  }

  #slowTick(): void {
    const { room, depot } = this.#journal
    room.refill()
    const { accepted, at } = depot.ledger
    if (accepted !== this.#saved) depot.save()
    this.#saved = accepted
    if (at.dropped > this.#dropped) {
      depot.log.error(
        { dropped: at.dropped - this.#dropped, total: at.dropped },
        'spool: full, exchanges were dropped',
      )
    }
    this.#dropped = at.dropped
  }

  #retry(entry: Waiting, now: number): void {
    const { waiting } = this.#journal
    if (entry.recorder.trySeal()) {
      waiting.delete(entry)
      entry.resolve()
    } else if (now >= entry.deadline) {
      entry.reject(new SpoolFullError())
      entry.deadline = Number.POSITIVE_INFINITY
      if (entry.recorder.abandon()) waiting.delete(entry)
    }
  }

  #idle(): boolean {
    const { open, sealed, segment, waiting, room, depot } = this.#journal
    return (
      open.size === 0 &&
      sealed.length === 0 &&
      waiting.size === 0 &&
      segment.empty &&
      room.ample &&
      depot.ledger.accepted === this.#saved
    )
  }

  #guard(action: () => void): void {
    try {
      action()
    } catch (error) {
      this.#journal.depot.log.error({ reason: errorText(error) }, 'spool: a step failed, it is tried again')
    }
  }
}
