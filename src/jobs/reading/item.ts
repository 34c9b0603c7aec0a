import type postgres from 'postgres'
import { z } from 'zod'
import { states } from '../states.ts'

/** A job as lists show it: nothing of its input or result but their sizes. */
export const jobItem = z.object({
  id: z.uuid(),
  tenant: z.string(),
  key_id: z.string().nullable(),
  kind: z.string(),
  state: z.enum(states),
  priority: z.int(),
  tags: z.array(z.string()),
  concurrency_key: z.string().nullable(),
  created_at: z.iso.datetime(),
  run_at: z.iso.datetime(),
  expires_at: z.iso.datetime().nullable(),
  started_at: z.iso.datetime().nullable().meta({ description: 'Of the last attempt' }),
  ended_at: z.iso.datetime().nullable(),
  attempt: z.int().meta({ description: 'Attempts begun' }),
  attempts: z
    .int()
    .meta({ description: 'Attempts that it may have; those that its worker did not survive do not count' }),
  progress: z.number().nullable().meta({ description: '0 to 1' }),
  progress_note: z.string().nullable(),
  error: z.string().nullable(),
  error_class: z.string().nullable(),
  worker: z.string().nullable(),
  cancel_requested: z.boolean(),
  input_bytes: z.int(),
  result_bytes: z.int().nullable(),
  file_bytes: z.int().nullable(),
  retry_of: z.string().nullable(),
  schedule_id: z.string().nullable(),
  version: z.int().meta({ description: 'Rises with each change' }),
})
export type JobItem = z.infer<typeof jobItem>

/** The columns of an item, on a table that goes by the name `j`. */
export function jobColumns(sql: postgres.Sql): postgres.Fragment {
  const time = (name: string) =>
    sql`to_char(${sql(`j.${name}`)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as ${sql(name)}`
  return sql`j.id, j.tenant, j.key_id, j.kind, j.state, j.priority, j.tags, j.concurrency_key, ${time('created_at')},
    ${time('run_at')}, ${time('expires_at')}, ${time('started_at')}, ${time('ended_at')}, j.attempt, j.attempts,
    j.progress, j.progress_note, j.error, j.error_class, j.worker, j.cancel_requested_at is not null as cancel_requested,
    j.input_bytes, j.result_bytes, j.file_bytes, j.retry_of, j.schedule_id, j.version`
}
