import { promisify } from 'node:util'
import { zstdDecompress } from 'node:zlib'
import type postgres from 'postgres'
import { SluiceError } from '#lib/errors'

type Read = <Result>(work: (sql: postgres.Sql) => Promise<Result>) => Promise<Result>

const decompress = promisify(zstdDecompress)

/** The whole input or result. @throws SluiceError 404 */
export async function bodyResponse(
  sql: postgres.Sql,
  { id, part, tenant }: { id: string; part: 'input' | 'result'; tenant: string | null },
): Promise<Response> {
  const [row] = await sql<{ body: Uint8Array }[]>`
    select b.body from job_bodies b join jobs j on j.id = b.job_id
    where b.job_id = ${id} and b.part = ${part} ${tenant === null ? sql`` : sql`and j.tenant = ${tenant}`}`
  if (row === undefined) throw new SluiceError(404, 'not-found', `There is no such job, or it has no ${part}`)
  return new Response(await decompress(row.body), {
    headers: {
      'content-type': 'application/json',
      'content-disposition': `attachment; filename="${id}-${part}.json"`,
    },
  })
}

/** The file that a job made, read as fast as the client takes it. @throws SluiceError 404 */
export async function fileResponse(
  read: Read,
  { id, tenant }: { id: string; tenant: string | null },
): Promise<Response> {
  const [job] = await read(
    (sql) => sql<{ file_bytes: number | null; kind: string }[]>`
      select file_bytes, kind from jobs j where id = ${id} ${tenant === null ? sql`` : sql`and tenant = ${tenant}`}`,
  )
  if (job === undefined || job.file_bytes === null)
    throw new SluiceError(404, 'not-found', 'There is no such job, or it has made no file')
  let n = 0
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const [piece] = await read(
        (sql) => sql<{ data: Uint8Array }[]>`select data from job_files where job_id = ${id} and n = ${n}`,
      )
      n += 1
      if (piece === undefined) controller.close()
      else controller.enqueue(new Uint8Array(await decompress(piece.data)))
    },
  })
  return new Response(body, {
    headers: {
      'content-type': 'application/x-ndjson',
      'content-length': String(job.file_bytes),
      'content-disposition': `attachment; filename="${job.kind}-${id}.jsonl"`,
    },
  })
}
