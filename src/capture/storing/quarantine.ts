import type { TransactionSql } from 'postgres'
import { newId } from '#lib/ids'
import { type Column, insertRows } from './insert.ts'

/** What cannot be stored, with all its bytes. */
export type Poison = { exchange: string | null; reason: string; bytes: Uint8Array }

export async function quarantine(
  tx: TransactionSql,
  poison: readonly Poison[],
  { spool, batch }: { spool: string; batch: string },
): Promise<void> {
  const columns: Column<Poison>[] = [
    { name: 'id', kind: 'uuid', value: () => newId() },
    { name: 'exchange_id', kind: 'uuid', value: (row) => row.exchange },
    { name: 'spool', kind: 'text', value: () => spool },
    { name: 'batch', kind: 'text', value: () => batch },
    { name: 'reason', kind: 'text', value: (row) => row.reason },
    { name: 'bytes', kind: 'bytes', wide: true, value: (row) => row.bytes },
  ]
  for (const one of poison) await insertRows(tx, 'quarantine', columns, [one])
}
