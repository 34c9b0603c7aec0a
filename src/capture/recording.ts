import type { ExchangeEnd, ExchangeOpen, Metered, RecordedExchange } from './exchange.ts'

/**
 * The record of a gateway's exchanges on their way to the store: what was sealed here survives the process.
 */
export type Spool = {
  /** The spool's stable name, as in `host-0`. */
  id: string
  /**
   * Starts the record of one exchange.
   * @throws SpoolFullError (503) when the disk bound is reached and the operator chose `block`
   */
  begin(open: ExchangeOpen): Recording
  ledger(): SpoolLedger
  /**
   * What the disk of this machine holds of an exchange that the store may not have yet, in whichever slot. Null where
   * it is in none, or was begun less than 100 ms ago.
   */
  find(id: string): Promise<FoundExchange | null>
  /**
   * Ships what is there for up to `graceMs`, leaves the rest on disk for the next start, and frees the slot. What
   * is still open is put on disk and recorded as `gateway_crashed` by the next start: seal first.
   * @default 5000
   */
  close(graceMs?: number): Promise<void>
}

/** An exchange as far as it is known; `end` is null while it is under way, or until a crash is recovered from. */
export type FoundExchange = Omit<RecordedExchange, 'end'> & { end: ExchangeEnd | null }

export type Recording = {
  /** Adds bytes of the request, as the client sent them. The bytes must not change afterwards. */
  request(bytes: Uint8Array): void
  /** Adds bytes of the response, before they are handed to the client. The bytes must not change afterwards. */
  response(bytes: Uint8Array): void
  /**
   * Ends the record, once; later calls do nothing. When it returns (or its promise resolves) the exchange is
   * durable, and only then may the client see the end of its stream. A promise only where the disk is full and
   * the operator chose `block`: it rejects with SpoolFullError after 10 s without room.
   */
  seal(end: SealedEnd): void | Promise<void>
}

/** The recorder itself counts, hashes and numbers. */
export type SealedEnd = Omit<
  ExchangeEnd,
  'seq' | 'request_bytes' | 'response_bytes' | 'request_sha256' | 'response_sha256' | 'metered'
> & {
  /** Required in `metadata` mode, ignored otherwise. */
  metered?: Metered
}

/** `accepted = stored + spooled + queued + quarantined + dropped`, at all times. */
export type SpoolLedger = {
  spool: string
  /** Exchanges sealed, since the spool was made. */
  accepted: number
  /** Known to be committed in the store. */
  stored: number
  /** On this disk, not yet handed to the queue engine. */
  spooled: number
  /** Handed to the queue engine, commit not yet known. Still on this disk too. */
  queued: number
  /** Unreadable; the bytes are kept aside for a person. */
  quarantined: number
  /** Given up because the disk was full and the operator chose `drop`. */
  dropped: number
  /** Not part of the sum: begun and not sealed yet. */
  open: number
  /** Bytes on disk, and the bound. */
  bytes: number
  max_bytes: number
}
