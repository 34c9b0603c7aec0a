import type { Outcome, Usage } from '#capture'

/**
 * What a call may cost, decided before it is made and settled after. Synchronous and in memory wherever no budget is
 * short of its lease; a call that no budget and no limit is about gets one shared admission that does nothing.
 */
export type Money = {
  /**
   * Counts the call against rate limits, whoever answers it, the cache included. In memory.
   * @throws SluiceError 429 `rate-limited`; nothing is counted then
   */
  count(call: AdmitCall): Admission
  /**
   * Reserves what the call may cost in every budget that is about it, once it is known that a provider is to be asked.
   * @throws SluiceError 402 `budget-exhausted`, `price-unknown`; 503 `budget-unavailable`
   */
  reserve(call: AdmitCall): Admission | Promise<Admission>
  /**
   * Calls over a WebSocket come without a moment to refuse each, so none is opened where a budget or a limit is about
   * them.
   * @throws SluiceError 426 `budget-needs-http`, `limit-needs-http`, at which clients go on over HTTP
   */
  admitSocket(call: Pick<AdmitCall, 'tenant' | 'keyId' | 'candidates'>): void
  /** Settles what is told, gives leases back. */
  close(): Promise<void>
}

export type AdmitCall = {
  /** The exchange's start, ms since the epoch: names the period. */
  at: number
  tenant: string
  keyId: string | null
  /** Name of the route that matched. */
  route: string | null
  /** Whom it may be sent to. The dearest counts. */
  candidates: readonly Candidate[]
  method: string
  path: string
  /** As sent, so far as it is in memory; null: streamed. */
  body: Uint8Array | null
  /** Null: not known, as it is streamed without a length. */
  bodyBytes: number | null
  /** Compressed by the client: its limits cannot be read, its length is no measure. */
  packed: boolean
  /** A call that climbs a ladder is one request; the tokens are those of its rungs. @default both */
  counts?: 'both' | 'requests' | 'tokens'
}

export type Candidate = {
  provider: string
  model: string | null
  /** The dialect of the bytes; null where nobody can read what they cost. */
  dialect: string | null
  /** A server of the operator's own: costs nothing, unless a price override says so. */
  local: boolean
}

export type Admission = {
  /** RateLimit headers for the answer. */
  headers: Readonly<Record<string, string>>
  /** Must the answer's usage be read, whatever the capture mode? */
  metered: boolean
  /** The budget was too short for the candidates that cost, but there are some that cost nothing: those only. */
  freeOnly: boolean
  /**
   * Due once, at whatever end; later calls do nothing. In memory.
   * @returns what counts against the budgets in micro-units, for the record; null where none is about the call
   */
  settle(actual: Actual): number | null
}

export type Actual = {
  /** Of all attempts; null: not known. */
  costMicros: number | null
  usage: Usage | null
  outcome: Outcome
  /** Of the answer: what is charged by where no usage was told. */
  responseBytes: number
  streamed: boolean
}

/** For calls that nothing limits. */
export const unlimited: Admission = {
  headers: {},
  metered: false,
  freeOnly: false,
  settle: () => null,
}
