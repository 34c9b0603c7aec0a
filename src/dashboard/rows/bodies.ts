import { promisify } from 'node:util'
import { zstdDecompress } from 'node:zlib'
import type { Sql } from 'postgres'
import type { BodyView } from './view.ts'

/** Of a body on a page, in bytes. */
const shownAtMost = 64 * 1024

const plain = promisify(zstdDecompress)

export async function cutBody(packed: Uint8Array): Promise<BodyView> {
  const bytes = await plain(packed)
  const cut = bytes.length > shownAtMost
  // A character that the cut went through is left out.
  const text = new TextDecoder().decode(bytes.subarray(0, shownAtMost), { stream: cut })
  return { text, bytes: bytes.length, cut }
}

/** The whole JSON; null where there is none in reach. */
export async function wholeBody(
  sql: Sql,
  { id, tenant, part }: { id: string; tenant: string | null; part: string },
): Promise<Buffer | null> {
  const [row] = await sql<{ body: Buffer }[]>`
    select b.body from job_bodies b join jobs j on j.id = b.job_id
    where b.job_id = ${id} and b.part = ${part} and (${tenant}::text is null or j.tenant = ${tenant})`
  return row === undefined ? null : await plain(row.body)
}
