import type postgres from 'postgres'
import { z } from 'zod'
import { idFloor, idTime } from '#lib/ids'
import { unpacked } from '../body.ts'
import { type JobItem, jobColumns, jobItem } from './item.ts'

/** Of an input or result larger than this only the beginning is shown; the whole has a route of its own. */
const shownBytes = 64 * 1024
const previewCharacters = 2_000

const body = z.object({
  bytes: z.int(),
  value: z.unknown().meta({ description: 'Left out where it is larger than 65536 bytes' }),
  preview: z.string().optional().meta({ description: 'Its beginning, where it is larger' }),
  truncated: z.boolean(),
  link: z.string(),
})
type Body = z.infer<typeof body>

const attempt = z.object({
  attempt: z.int(),
  worker: z.string(),
  started_at: z.iso.datetime(),
  ended_at: z.iso.datetime().nullable(),
  outcome: z
    .string()
    .nullable()
    .meta({ description: 'succeeded, failed, timeout, cancelled, stopped, lost' }),
  error: z.string().nullable(),
  wait_ms: z.int(),
})

export const jobDetail = jobItem.extend({
  concurrency_limit: z.int(),
  backoff: z.object({ type: z.string(), ms: z.int(), max_ms: z.int() }),
  timeout_ms: z.int(),
  cancel_reason: z.string().nullable(),
  on_dependency_failure: z.string(),
  input: body.nullable(),
  result: body.nullable(),
  stack: z.string().nullable(),
  history: z.array(attempt),
  depends_on: z.array(z.object({ id: z.string(), state: z.string() })),
  dependants: z.array(z.object({ id: z.string(), state: z.string() })),
  exchanges: z.object({
    count: z.int(),
    cost_micros: z.int().meta({ description: 'Of those whose price is known' }),
    link: z.string(),
  }),
  links: z.record(z.string(), z.string()),
})
export type JobDetail = z.infer<typeof jobDetail>

type Row = JobItem &
  Pick<JobDetail, 'concurrency_limit' | 'backoff' | 'timeout_ms' | 'cancel_reason' | 'on_dependency_failure'>

/** Everything of one job, bodies cut short. `tenant`: null where any may be seen. */
export async function findJob(
  sql: postgres.Sql,
  id: string,
  tenant: string | null,
): Promise<JobDetail | null> {
  const [row] = await sql<Row[]>`
    select ${jobColumns(sql)}, j.concurrency_limit, j.backoff, j.timeout_ms, j.cancel_reason,
      j.dependency_policy as on_dependency_failure
    from jobs j where j.id = ${id} ${tenant === null ? sql`` : sql`and j.tenant = ${tenant}`}`
  if (row === undefined) return null
  const [bodies, history, depends_on, dependants, exchanges] = await Promise.all([
    readBodies(sql, row),
    sql<z.infer<typeof attempt>[]>`
      select attempt, worker, to_char(started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as started_at,
        to_char(ended_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as ended_at, outcome, error, wait_ms
      from job_attempts where job_id = ${id} order by attempt`,
    sql<{ id: string; state: string }[]>`
      select n.id, n.state from job_dependencies d join jobs n on n.id = d.needs where d.job_id = ${id} order by 1`,
    sql<{ id: string; state: string }[]>`
      select n.id, n.state from job_dependencies d join jobs n on n.id = d.job_id where d.needs = ${id}
      order by 1 limit 100`,
    caused(sql, row),
  ])
  return { ...row, ...bodies, history, depends_on, dependants, exchanges, links: linksOf(row) }
}

/** The exchanges that its calls made: by its tag, and by time, so that only the partitions since then are read. */
async function caused(sql: postgres.Sql, { id, tenant }: JobItem): Promise<JobDetail['exchanges']> {
  const tag = `job:${id}`
  const [sum] = await sql<{ count: number; cost_micros: number }[]>`
    select count(*)::int as count, coalesce(sum(cost_micros), 0)::bigint as cost_micros from exchanges
    where tags @> ${[tag]}::text[] and tenant = ${tenant} and id >= ${idFloor(idTime(id))}`
  const link = `/api/exchanges?tag=${encodeURIComponent(tag)}&tenant=${encodeURIComponent(tenant)}`
  return { count: sum?.count ?? 0, cost_micros: sum?.cost_micros ?? 0, link }
}

async function readBodies(sql: postgres.Sql, job: JobItem) {
  const rows = await sql<{ part: string; body: Uint8Array }[]>`
    select part, body from job_bodies where job_id = ${job.id}`
  const parts = new Map(rows.map((row) => [row.part, row.body]))
  const stack = parts.get('stack')
  return {
    input: shown(parts.get('input'), job.input_bytes, `/api/jobs/${job.id}/input`),
    result: shown(parts.get('result'), job.result_bytes ?? 0, `/api/jobs/${job.id}/result`),
    stack: stack === undefined || job.error === null ? null : String(JSON.parse(unpacked(stack).toString())),
  }
}

function shown(packed: Uint8Array | undefined, bytes: number, link: string): Body | null {
  if (packed === undefined) return null
  const text = unpacked(packed)
  if (bytes <= shownBytes) return { bytes, value: JSON.parse(text.toString()), truncated: false, link }
  const preview = text
    .subarray(0, previewCharacters * 4)
    .toString()
    .slice(0, previewCharacters)
  return { bytes, value: undefined, preview: preview.toWellFormed(), truncated: true, link }
}

function linksOf({ id, file_bytes }: JobItem): Record<string, string> {
  const self = `/api/jobs/${id}`
  return {
    ...{ self, events: `${self}/events`, input: `${self}/input`, result: `${self}/result` },
    ...{ cancel: `${self}/cancel`, retry: `${self}/retry`, deliveries: `${self}/deliveries` },
    ...(file_bytes === null ? {} : { file: `${self}/file` }),
  }
}
