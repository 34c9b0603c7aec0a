import type { Sql } from 'postgres'
import { type BatchRef, batchNumber } from './marker.ts'

/** Puts a part of a large batch aside, once, still compressed. */
export async function stagePart(sql: Sql, ref: BatchRef, part: number, packed: Uint8Array): Promise<void> {
  await sql`
    insert into spool_parts (spool, batch, part, frames)
    select ${ref.spool}, ${ref.batch}, ${part}, ${Buffer.from(packed)}
    where not exists (select from spool_batches where spool = ${ref.spool} and batch = ${ref.batch})
      and not exists (select from spools where id = ${ref.spool} and floor > ${batchNumber(ref.batch)})
    on conflict do nothing`
}

/**
 * All parts but the last, in order and still compressed. Null where they are gone because the batch is stored.
 * @throws Error where a part has not come yet: the job is then tried again
 */
export async function stagedParts(sql: Sql, ref: BatchRef, count: number): Promise<Uint8Array[] | null> {
  const rows = await sql<{ frames: Uint8Array }[]>`
    select frames from spool_parts where spool = ${ref.spool} and batch = ${ref.batch} order by part`
  if (rows.length === count) return rows.map((row) => row.frames)
  const stored = await sql`
    select from spool_batches where spool = ${ref.spool} and batch = ${ref.batch}
    union all select from spools where id = ${ref.spool} and floor > ${batchNumber(ref.batch)}`
  if (stored.length > 0) return null
  throw new Error(
    `storing batch ${ref.batch} of ${ref.spool}: ${rows.length} of ${count} earlier parts are here`,
  )
}

export async function dropParts(sql: Sql, { spool, batch }: BatchRef): Promise<void> {
  await sql`delete from spool_parts where spool = ${spool} and batch = ${batch}`
}

/** As the forwarder names it when it asks whether a part is here. */
export const partName = /^(.+)-p(\d{1,9})$/
