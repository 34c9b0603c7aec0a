import type { Commits } from '../commits.ts'
import type { SpoolLedger } from '../recording.ts'
import { within } from './limit.ts'

const everyMs = 1_000
const answerWithinMs = 1_000

/** Publishes a ledger whenever it changed, each second at most. Best effort: the files are the truth. */
export class Reporter {
  readonly #commits: Commits
  readonly #view: () => SpoolLedger
  readonly #timer: Timer
  #reported = ''
  #under: Promise<void> | null = null

  constructor(commits: Commits, view: () => SpoolLedger) {
    this.#commits = commits
    this.#view = view
    this.#timer = setInterval(() => this.#report(), everyMs)
    this.#timer.unref()
  }

  /** Reports once more, if that is possible soon. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#under
    this.#report()
    await this.#under
  }

  #report(): void {
    const ledger = this.#view()
    const text = JSON.stringify(ledger)
    if (this.#under !== null || text === this.#reported) return
    this.#under = within(answerWithinMs, this.#commits.report(ledger))
      .then(
        () => {
          this.#reported = text
        },
        () => {},
      )
      .finally(() => {
        this.#under = null
      })
  }
}
