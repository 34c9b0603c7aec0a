import { z } from 'zod'

/** Jobs as pages show them. Times are ISO 8601. */

export const rowStates = [
  ...(['waiting', 'scheduled', 'queued', 'admitted', 'running'] as const),
  ...(['succeeded', 'failed', 'cancelled', 'expired'] as const),
] as const
export type RowState = (typeof rowStates)[number]

const time = z.string().nullable()
const text = z.string().nullable()

export const rowView = z.object({
  id: z.uuid(),
  tenant: z.string(),
  kind: z.string(),
  state: z.enum(rowStates),
  priority: z.int(),
  tags: z.array(z.string()),
  created_at: z.string(),
  run_at: z.string(),
  started_at: time,
  ended_at: time,
  attempt: z.int(),
  attempts: z.int(),
  worker: text,
  progress: z.number().nullable(),
  progress_note: text,
  error: text,
  input_bytes: z.int(),
  result_bytes: z.int().nullable(),
})
export type RowView = z.infer<typeof rowView>

export const rowList = z.object({
  items: z.array(rowView),
  next_cursor: z.string().nullable(),
  total: z.int().nullable().meta({ description: 'How many match; null on further pages' }),
  total_is_least: z.boolean().meta({ description: 'There are more than were counted' }),
})
export type RowList = z.infer<typeof rowList>

/** A body: the beginning of its JSON. */
const bodyView = z
  .object({ text: z.string(), bytes: z.int(), cut: z.boolean() })
  .nullable()
  .meta({ description: 'The first 64 KB; `cut` where there is more, which /{part} has' })
export type BodyView = z.infer<typeof bodyView>

const relative = z.object({ id: z.uuid(), kind: z.string(), state: z.enum(rowStates) })

export const rowDetail = rowView.extend({
  key_id: text,
  concurrency_key: text,
  concurrency_limit: z.int(),
  expires_at: time,
  cancel_requested_at: time,
  error_class: text,
  parent_id: text,
  schedule_id: text,
  retry_of: text,
  backoff: z.record(z.string(), z.unknown()),
  input: bodyView,
  result: bodyView,
  stack: bodyView,
  attempt_list: z.array(
    z.object({
      attempt: z.int(),
      worker: z.string(),
      started_at: z.string(),
      ended_at: time,
      outcome: text,
      error: text,
      wait_ms: z.number(),
    }),
  ),
  events: z.array(
    z.object({
      n: z.int(),
      at: z.string(),
      kind: z.enum(['state', 'progress', 'log']),
      data: z.unknown(),
    }),
  ),
  events_left_out: z.int().meta({ description: 'Older ones than those shown' }),
  needs: z.array(relative),
  needed_by: z.array(relative),
  children: z.array(relative),
})
export type RowDetail = z.infer<typeof rowDetail>

export const deadLetters = z.object({
  items: z.array(
    z.object({
      kind: z.string(),
      error: z.string(),
      count: z.int(),
      last_at: z.string(),
      last_id: z.uuid(),
    }),
  ),
  looked_at: z.int().meta({ description: 'Of the latest failures so many were grouped' }),
})
export type DeadLetters = z.infer<typeof deadLetters>

const past = z.iso.datetime({ offset: true })

export const rowFilters = {
  state: z
    .string()
    .transform((words) => words.split(','))
    .pipe(z.array(z.enum(rowStates)).max(9))
    .optional()
    .meta({ description: 'One or more, with commas between' }),
  kind: z.string().max(64).optional(),
  tenant: z.string().max(64).optional().meta({ description: 'For admins' }),
  tag: z.string().max(64).optional(),
  q: z
    .string()
    .max(300)
    .optional()
    .meta({ description: 'Words of the input, the error or the tags; or an id' }),
  since: past.optional().meta({ description: 'Made then or later' }),
  until: past.optional(),
}

export const rowQuery = z.strictObject({
  ...rowFilters,
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.uuid('must be a next_cursor of this list').optional(),
})
export type RowQuery = z.infer<typeof rowQuery>
