import type { ExchangeOpen, Outcome, Recording, Usage } from '#capture'
import { now } from '#lib/clock'
import type { HeaderList } from './headers.ts'
import { type Meter, openMeter, type Reading } from './meter.ts'
import { type Admission, unlimited } from './money/money.ts'
import type { PriceOf } from './price.ts'
import { type Journey, routedOf } from './routing/journey.ts'

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
  /** Is the rest of the answer wanted, though the client has gone? */
  wanted?(): boolean
}

export type CallParts = {
  recording: Recording
  meter: Meter | null
  price: PriceOf
  observe: (end: Observed) => void
  onSealed: () => void
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
  /** Set where the gateway decided where it goes. */
  journey: Journey | null = null
  /** Is the answer wanted for the record when the client has gone? */
  finish = false
  readonly #open: ExchangeOpen
  readonly #parts: CallParts
  #meter: Meter | null
  readonly #admissions: Admission[] = []
  #firstByteAt: number | null = null
  #responseHeaders: HeaderList = []
  #responseBytes = 0
  #ended = false
  #listener: CallListener | null = null

  constructor(open: ExchangeOpen, parts: CallParts) {
    this.id = open.id
    this.dialect = open.dialect
    this.#open = open
    this.#parts = parts
    this.#meter = parts.meter
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

  /** Does the upstream go on though the client has gone? */
  get outlivesClient(): boolean {
    return this.finish || (this.#listener?.wanted?.() ?? false)
  }

  /** May be made, on these terms too. */
  admit(admission: Admission): void {
    if (admission !== unlimited) this.#admissions.push(admission)
  }

  /** Bytes of the request, before they go to the upstream. */
  request(bytes: Uint8Array): void {
    this.#parts.recording.request(bytes)
    if (this.#open.mode === 'metadata') this.#meter?.request(bytes)
  }

  /** The head of the response, before its first byte. */
  answered(status: number, headers: HeaderList): void {
    this.status = status
    this.#responseHeaders = headers
    // The answer alone: to read a request of 75 KB as well takes three times as long as all the rest.
    if (!this.#isCached && this.#admissions.some(({ metered }) => metered))
      this.#meter ??= openMeter(this.#open)
    this.#meter?.head(status, headers)
    this.#listener?.answered(status, headers)
  }

  /** Bytes of the response, before they go to the client. */
  response(bytes: Uint8Array): void {
    this.#firstByteAt ??= now()
    this.#responseBytes += bytes.byteLength
    this.#parts.recording.response(bytes)
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
    const rest = this.#meter?.end() ?? null
    if (rest !== null) return rest.then(() => this.#seal(outcome, error))
    return this.#seal(outcome, error)
  }

  #seal(outcome: Outcome, error: string | null): void | Promise<void> {
    const reading = this.#meter?.read() ?? null
    const failed = outcome === 'completed' && ((this.status ?? 0) >= 400 || reading?.error)
    const ended = failed ? ('upstream_error' as const) : outcome
    const routed = this.journey === null ? null : routedOf(this.journey, this.#open.mode)
    const charged = this.#settle(ended, reading, routed?.usage)
    const end = {
      outcome: ended,
      status: this.status,
      error: error ?? reading?.error ?? null,
      first_byte_at: this.#firstByteAt,
      ended_at: now(),
      response_headers: this.#responseHeaders,
      ...(reading === null || this.#open.mode !== 'metadata' ? {} : { metered: reading.metered }),
      ...(routed === null ? {} : { routed }),
      ...(charged === null ? {} : { charged_micros: charged }),
      ...(this.cache === null ? {} : { cache: this.cache }),
    }
    this.#tell(end.error, ended, routed?.provider ?? this.#open.provider)
    try {
      this.#listener?.end(ended)
      return this.#parts.recording.seal(end)
    } finally {
      this.#parts.onSealed()
    }
  }

  #tell(error: string | null, outcome: Outcome, provider: string | null): void {
    this.#judge(outcome, error)
    const { dialect, started_at: startedAt } = this.#open
    this.#parts.observe({
      ...{ provider, dialect, status: this.status, startedAt, endedAt: now() },
      ...{ outcome, error, firstByteAt: this.#firstByteAt },
    })
  }

  /** An answer that breaks off speaks against who gave it. */
  #judge(outcome: Outcome, error: string | null): void {
    const use = this.journey?.served?.use ?? null
    if (outcome === 'upstream_gone' || outcome === 'upstream_timeout') use?.failed(error ?? outcome)
    use?.end()
  }

  /** `told` by the upstream of a translated call; undefined: the answer's own counts are the upstream's. */
  #settle(outcome: Outcome, reading: Reading | null, told: Usage | null | undefined): number | null {
    if (this.#admissions.length === 0) return null
    const own = told === undefined ? (reading?.metered.usage ?? null) : told
    const usage = this.#isCached ? nothing : own
    const metered = reading?.metered
    const served = this.journey?.served?.candidate
    const provider = served?.provider ?? this.#open.provider
    const models = [metered?.model_served, served?.model, metered?.model_asked]
    const priced = models.flatMap((model) =>
      model ? (this.#parts.price({ provider, model, usage, at: this.#open.started_at }) ?? []) : [],
    )
    const actual = {
      costMicros: usage === nothing ? 0 : (priced[0]?.micros ?? null),
      ...{ usage, outcome, responseBytes: this.#responseBytes, streamed: metered?.streamed ?? false },
    }
    const charges = this.#admissions.map((admission) => admission.settle(actual))
    return charges.find((charge) => charge !== null) ?? null
  }

  get #isCached(): boolean {
    return this.cache === 'hit' || this.cache === 'shared'
  }
}

const nothing: Usage = {
  ...{ input: 0, output: 0, cache_read: 0, cache_write: 0, cache_write_1h: 0, reasoning: 0 },
  final: true,
}
