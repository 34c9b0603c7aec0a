import { zstdCompressSync } from 'node:zlib'
import type { Sql } from 'postgres'
import { newId } from '#lib/ids'

export type PlantedJob = {
  tenant: string
  kind: string
  state: string
  error: string | null
  tags: string[]
  run_at: Date
  words: string
  input: unknown
  result: unknown
  stack: string
}

/** A job's row, as it would be without anybody having run it. @returns its id */
export async function plantJob(sql: Sql, options: Partial<PlantedJob> = {}): Promise<string> {
  const id = newId()
  const job: Partial<PlantedJob> & Omit<PlantedJob, 'run_at' | 'words' | 'input' | 'result' | 'stack'> = {
    ...{ tenant: 'default', kind: 'http-request', state: 'queued', error: null, tags: [] },
    ...options,
  }
  const backoff = '{"type":"fixed","ms":1000,"max_ms":1000}'
  await sql`
    insert into jobs (id, tenant, kind, state, error, tags, run_at, backoff, attempts)
    values (${id}, ${job.tenant}, ${job.kind}, ${job.state}, ${job.error}, ${job.tags}::text[],
      ${(job.run_at ?? new Date()).toISOString()}::timestamptz,
      ${backoff}::text::jsonb, 3)`
  for (const part of ['input', 'result', 'stack'] as const) {
    if (job[part] === undefined) continue
    const body = zstdCompressSync(Buffer.from(JSON.stringify(job[part])))
    await sql`insert into job_bodies (job_id, part, body) values (${id}, ${part}, ${body})`
  }
  if (job.words) {
    await sql`insert into job_words (job_id, words) values (${id}, to_tsvector('simple', ${job.words}))`
  }
  return id
}
