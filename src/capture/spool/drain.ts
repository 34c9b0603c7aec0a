import { errorText } from '#lib/errors'
import type { Logger } from '#lib/log'
import type { Commits } from '../commits.ts'
import type { Step } from './depot.ts'
import { Forwarder, type LoggingProducer } from './forwarder.ts'
import { recover } from './recovery.ts'
import { Reporter } from './reporter.ts'
import { takeAbandonedSlot } from './slot.ts'

const lookEveryMs = 2_000
const forwardMs = 60_000

type DrainOptions = {
  root: string
  own: string
  log: Logger
  producer: LoggingProducer
  commits: Commits
  step: Step
}

/** Ships what is left in slots that no gateway holds, one slot at a time. */
export class Drain {
  readonly #options: DrainOptions
  readonly #timer: Timer
  #under: Promise<void> | null = null
  #stop: (() => void) | null = null

  constructor(options: DrainOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.#look(), lookEveryMs)
    this.#timer.unref()
    this.#look()
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#stop?.()
    await this.#under
  }

  #look(): void {
    if (this.#under !== null) return
    this.#under = this.#one()
      .catch((error) =>
        this.#options.log.error({ reason: errorText(error) }, 'spool: draining a slot failed'),
      )
      .finally(() => {
        this.#under = null
      })
  }

  async #one(): Promise<void> {
    const { root, own, log, step, producer, commits } = this.#options
    const slot = takeAbandonedSlot(root, own)
    if (slot === null) return
    const depot = recover(slot, { log, step })
    const bytes = depot.bytes()
    log.info({ spool: slot.id, batches: depot.batches.length }, 'spool: draining a slot that nobody holds')
    const forwarder = new Forwarder({ depot, producer, commits })
    const reporter = new Reporter(commits, () => depot.view(depot.bytes(), bytes))
    const stopped = new Promise<void>((resolve) => {
      this.#stop = resolve
    })
    await Promise.race([forwarder.drain(forwardMs), stopped])
    forwarder.close()
    await reporter.close()
    await depot.close()
    slot.release()
  }
}
