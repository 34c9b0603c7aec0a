import type { SpoolLedger } from './recording.ts'

/** What the forwarder asks of the store. Implemented over Postgres; every call may reject while that is down. */
export type Commits = {
  /**
   * Which of these batches are committed, and what became of their exchanges. A batch is named by its number,
   * as in `1790000000123`; a part that is not the last, kept until the last one comes, is named with its
   * number behind, as in `1790000000123-p0`, and counts no exchanges.
   */
  committed(spool: string, batches: readonly string[]): Promise<Map<string, BatchResult>>
  /** Publishes the spool's ledger, so that every gateway can show the total. */
  report(ledger: SpoolLedger): Promise<void>
}

export type BatchResult = { stored: number; quarantined: number }
