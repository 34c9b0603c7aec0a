import type { TransactionSql } from 'postgres'
import { together } from './pipeline.ts'

/** A batch by its spool's name and its own. */
export type BatchRef = { spool: string; batch: string; floor: number }

/**
 * Marks a batch as stored, within the transaction that stores it. A worker that has the same batch waits here for
 * the other's commit.
 * @returns false where it is stored already
 */
export async function markBatch(tx: TransactionSql, { spool, batch }: BatchRef): Promise<boolean> {
  const number = batchNumber(batch)
  const marked = await tx`
    insert into spool_batches (spool, batch, number, stored, quarantined)
    select ${spool}, ${batch}, ${number}, 0, 0
    where not exists (select from spools where id = ${spool} and floor > ${number})
    on conflict do nothing returning 1`
  return marked.length > 0
}

/** Last in the transaction: every worker with a batch of that spool wants this row. */
export async function countBatch(
  tx: TransactionSql,
  { spool, batch, floor }: BatchRef,
  { stored, quarantined }: { stored: number; quarantined: number },
): Promise<void> {
  await together(
    tx`
      update spool_batches set stored = ${stored}, quarantined = ${quarantined}
      where spool = ${spool} and batch = ${batch}`,
    tx`
      insert into spools (id, floor, committed, committed_quarantined)
      values (${spool}, ${floor}, ${stored}, ${quarantined})
      on conflict (id) do update set floor = greatest(spools.floor, excluded.floor),
        committed = spools.committed + excluded.committed,
        committed_quarantined = spools.committed_quarantined + excluded.committed_quarantined`,
  )
}

/** Batches are named by their number, whatever follows; one without is never below the floor. */
export function batchNumber(batch: string): number {
  const digits = /^\d{1,15}/.exec(batch)?.[0]
  return digits === undefined ? Number.MAX_SAFE_INTEGER : Number(digits)
}
