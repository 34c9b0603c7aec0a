import type { ExchangeOpen, Outcome, Recording } from '#capture'
import { now } from '#lib/clock'
import type { HeaderList } from './headers.ts'
import type { Meter } from './meter.ts'

/** What is told of every call at its end: for metrics, never with content. */
export type Observed = {
  provider: string | null
  dialect: string | null
  outcome: Outcome
  status: number | null
  error: string | null
  /** All in ms since the epoch. */
  startedAt: number
  firstByteAt: number | null
  endedAt: number
}

/** Told what passes, up to the one end. */
export type CallListener = {
  answered(status: number, headers: HeaderList): void
  response(bytes: Uint8Array): void
  end(outcome: Outcome): void
}

/** One exchange on its way through: its record, and its one end. */
export class Call {
  readonly id: string
  readonly dialect: string | null
  status: number | null = null
  /** Has the client hung up? */
  clientGone = false
  /** What the cache had to do with it; null where it had no part. */
  cache: 'hit' | 'shared' | 'miss' | null = null
  readonly #open: ExchangeOpen
  readonly #recording: Recording
  readonly #meter: Meter | null
  readonly #observe: (end: Observed) => void
  readonly #onSealed: () => void
  #firstByteAt: number | null = null
  #responseHeaders: HeaderList = []
  #ended = false
  #listener: CallListener | null = null

  constructor(
    open: ExchangeOpen,
    parts: {
      recording: Recording
      meter: Meter | null
      observe: (end: Observed) => void
      onSealed: () => void
    },
  ) {
    this.id = open.id
    this.dialect = open.dialect
    this.#open = open
    this.#recording = parts.recording
    this.#meter = parts.meter
    this.#observe = parts.observe
    this.#onSealed = parts.onSealed
  }

  /** Are the bytes read here, instead of being kept? */
  get isRead(): boolean {
    return this.#meter !== null
  }

  /** Has the cache told what passes: it had no answer, and may keep this one. */
  lead(listener: CallListener): void {
    this.cache = 'miss'
    this.#listener = listener
  }

  /** Bytes of the request, before they go to the upstream. */
  request(bytes: Uint8Array): void {
    this.#recording.request(bytes)
    this.#meter?.request(bytes)
  }

  /** The head of the response, before its first byte. */
  answered(status: number, headers: HeaderList): void {
    this.status = status
    this.#responseHeaders = headers
    this.#meter?.head(status, headers)
    this.#listener?.answered(status, headers)
  }

  /** Bytes of the response, before they go to the client. */
  response(bytes: Uint8Array): void {
    this.#firstByteAt ??= now()
    this.#recording.response(bytes)
    this.#meter?.response(bytes)
    this.#listener?.response(bytes)
  }

  /**
   * Ends the record, once. Only when this returned, or its promise resolved, may the client see the end.
   * An error status of the upstream turns `completed` into `upstream_error`.
   */
  end(outcome: Outcome, error: string | null = null): void | Promise<void> {
    if (this.#ended) return
    this.#ended = true
    const reading = this.#meter?.read() ?? null
    const failed = outcome === 'completed' && ((this.status ?? 0) >= 400 || reading?.error)
    const end = {
      outcome: failed ? ('upstream_error' as const) : outcome,
      status: this.status,
      error: error ?? reading?.error ?? null,
      first_byte_at: this.#firstByteAt,
      ended_at: now(),
      response_headers: this.#responseHeaders,
      ...(reading === null ? {} : { metered: reading.metered }),
      ...(this.cache === null ? {} : { cache: this.cache }),
    }
    const { provider, dialect, started_at: startedAt } = this.#open
    const { status, ended_at: endedAt } = end
    this.#observe({
      ...{ provider, dialect, status, startedAt, endedAt },
      ...{ outcome: end.outcome, error: end.error, firstByteAt: this.#firstByteAt },
    })
    try {
      this.#listener?.end(end.outcome)
      return this.#recording.seal(end)
    } finally {
      this.#onSealed()
    }
  }
}
