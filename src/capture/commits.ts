import type { SpoolLedger } from './recording.ts'

/** What the forwarder asks of the store. Implemented over Postgres; every call may reject while that is down. */
export type Commits = {
  /** Which of these batches are committed, and what became of their exchanges. */
  committed(spool: string, batches: readonly string[]): Promise<Map<string, BatchResult>>
  /** Publishes the spool's ledger, so that every gateway can show the total. */
  report(ledger: SpoolLedger): Promise<void>
}

export type BatchResult = { stored: number; quarantined: number }
