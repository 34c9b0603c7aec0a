import type { BatchResult, Commits } from '../commits.ts'
import { within } from './limit.ts'

const fastestMs = 50
const slowestMs = 1_000
const slowestDownMs = 5_000
const answerWithinMs = 10_000

type Awaited = {
  since: number
  patienceMs: number
  resolve: (result: BatchResult | null) => void
  reject: (error: Error) => void
}

/** Asks the store which batches are committed, as long as someone waits for one. */
export class Poller {
  readonly #spool: string
  readonly #commits: Commits
  readonly #onChange: (error: unknown) => void
  readonly #awaited = new Map<string, Awaited>()
  #timer: Timer | null = null
  #asking = false
  #closed = false
  #delay = fastestMs
  #down = false

  /** `onChange` is told when asking begins to fail, and with null when it works again. */
  constructor(spool: string, commits: Commits, onChange: (error: unknown) => void) {
    this.#spool = spool
    this.#commits = commits
    this.#onChange = onChange
  }

  /** What became of the batch; null where the store answered and did not know it for that long. */
  wait(batch: string, patienceMs: number): Promise<BatchResult | null> {
    if (this.#closed) return Promise.reject(new Error('asking for a batch: the spool is closed'))
    const { promise, resolve, reject } = Promise.withResolvers<BatchResult | null>()
    this.#awaited.set(batch, { since: performance.now(), patienceMs, resolve, reject })
    if (!this.#down) this.#delay = fastestMs
    this.#schedule()
    return promise
  }

  close(): void {
    this.#closed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    for (const awaited of this.#awaited.values())
      awaited.reject(new Error('asking for a batch: the spool is closed'))
    this.#awaited.clear()
  }

  #schedule(): void {
    if (this.#timer !== null || this.#asking || this.#closed || this.#awaited.size === 0) return
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#asking = true
      void this.#ask().finally(() => {
        this.#asking = false
        this.#schedule()
      })
    }, this.#delay)
    this.#timer.unref()
  }

  async #ask(): Promise<void> {
    try {
      const results = await within(
        answerWithinMs,
        this.#commits.committed(this.#spool, [...this.#awaited.keys()]),
      )
      if (this.#down) this.#onChange(null)
      this.#down = false
      this.#hand(results)
      this.#delay = results.size > 0 ? fastestMs : Math.min(this.#delay * 1.5, slowestMs)
    } catch (error) {
      if (!this.#down) this.#onChange(error)
      this.#down = true
      this.#delay = Math.min(this.#delay * 2, slowestDownMs)
    }
  }

  #hand(results: Map<string, BatchResult>): void {
    const now = performance.now()
    for (const [batch, awaited] of this.#awaited) {
      const result = results.get(batch) ?? null
      if (result === null && now - awaited.since < awaited.patienceMs) continue
      this.#awaited.delete(batch)
      awaited.resolve(result)
    }
  }
}
