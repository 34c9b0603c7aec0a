import { promisify } from 'node:util'
import { zstdCompress } from 'node:zlib'
import type { Sql } from 'postgres'
import { FinalJobError } from '#broker'
import { LostError } from './reasons.ts'

/** The file of one attempt, piece by piece into the database, where every gateway finds it. */
export type ResultFile = {
  write(piece: Uint8Array): Promise<void>
  /** @returns its size in bytes; null where nothing was written */
  close(): Promise<number | null>
}

const pieceBytes = 1024 * 1024
export const mostFileBytes = 4 * 1024 ** 3
const compress = promisify(zstdCompress)

export function openFile(sql: Sql, { id, attempt }: { id: string; attempt: number }): ResultFile {
  let waiting: Uint8Array[] = []
  let held = 0
  let size = 0
  let n = 0

  return {
    async write(piece) {
      waiting.push(Uint8Array.from(piece))
      held += piece.length
      size += piece.length
      if (size > mostFileBytes)
        throw new FinalJobError(`the file has more than ${mostFileBytes} bytes, the limit`)
      if (held >= pieceBytes) await flush()
    },
    async close() {
      if (size === 0) return null
      if (held > 0) await flush()
      return size
    },
  }

  async function flush(): Promise<void> {
    const data = await compress(Buffer.concat(waiting))
    waiting = []
    held = 0
    // What an earlier attempt wrote is no part of this one.
    const mine = sql`select id from jobs where id = ${id} and attempt = ${attempt} and state = 'running'`
    if (n === 0) await sql`delete from job_files where job_id in (${mine})`
    const { count } = await sql`
      insert into job_files (job_id, n, data) select id, ${n}::int, ${data}::bytea from (${mine}) mine`
    // A worker that was given up may still be at work: it must not write into the file of the next attempt.
    if (count === 0) throw new LostError('another worker has it')
    n += 1
  }
}
