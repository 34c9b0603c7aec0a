import type { Sql } from 'postgres'
import type { BatchResult, Commits } from '../commits.ts'
import { partName } from './parts.ts'

/** `Commits` over Postgres. Rejects while that is down. */
export function openCommits(sql: Sql): Commits {
  return {
    committed: (spool, batches) => committed(sql, spool, batches),
    async report(ledger) {
      await sql`
        insert into spools ${sql({
          id: ledger.spool,
          reported_at: new Date().toISOString(),
          accepted: ledger.accepted,
          stored: ledger.stored,
          spooled: ledger.spooled,
          queued: ledger.queued,
          quarantined: ledger.quarantined,
          dropped: ledger.dropped,
          open: ledger.open,
          bytes: ledger.bytes,
          max_bytes: ledger.max_bytes,
        })}
        on conflict (id) do update set reported_at = excluded.reported_at, accepted = excluded.accepted,
          stored = excluded.stored, spooled = excluded.spooled, queued = excluded.queued,
          quarantined = excluded.quarantined, dropped = excluded.dropped, open = excluded.open,
          bytes = excluded.bytes, max_bytes = excluded.max_bytes`
    },
  }
}

async function committed(
  sql: Sql,
  spool: string,
  batches: readonly string[],
): Promise<Map<string, BatchResult>> {
  const found = new Map<string, BatchResult>()
  if (batches.length === 0) return found
  const rows = await sql<{ batch: string; stored: number; quarantined: number }[]>`
    select batch, stored, quarantined from spool_batches
    where spool = ${spool} and batch = any(${[...batches]}::text[])`
  for (const { batch, stored, quarantined } of rows) found.set(batch, { stored, quarantined })
  const parts = batches.filter((batch) => partName.test(batch))
  if (parts.length > 0) for (const name of await heldParts(sql, spool, parts)) found.set(name, noExchange)
  return found
}

/** A part is here if it is staged, or if its batch is stored and needs it no more. */
async function heldParts(sql: Sql, spool: string, names: readonly string[]): Promise<string[]> {
  const batches = [...new Set(names.map((name) => partName.exec(name)?.[1] ?? ''))]
  const rows = await sql<{ name: string }[]>`
    select batch || '-p' || part as name from spool_parts where spool = ${spool} and batch = any(${batches}::text[])
    union all
    select batch from spool_batches where spool = ${spool} and batch = any(${batches}::text[])`
  const held = new Set(rows.map((row) => row.name))
  return names.filter((name) => held.has(name) || held.has(partName.exec(name)?.[1] ?? ''))
}

const noExchange: BatchResult = { stored: 0, quarantined: 0 }
