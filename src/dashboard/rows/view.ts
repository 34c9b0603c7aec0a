import { z } from 'zod'

/** Jobs as pages show them. Times are ISO 8601. */

/** Those of `#jobs`, and all else of them that is here, written down again: browsers' types must not lead there. */
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
  key_id: text,
  kind: z.string(),
  state: z.enum(rowStates),
  priority: z.int(),
  tags: z.array(z.string()),
  concurrency_key: text,
  created_at: z.string(),
  run_at: z.string(),
  expires_at: time,
  started_at: time,
  ended_at: time,
  attempt: z.int(),
  attempts: z.int(),
  progress: z.number().nullable(),
  progress_note: text,
  error: text,
  error_class: text,
  worker: text,
  cancel_requested: z.boolean(),
  input_bytes: z.int(),
  result_bytes: z.int().nullable(),
  file_bytes: z.int().nullable(),
  retry_of: text,
  schedule_id: text,
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
  concurrency_limit: z.int(),
  parent_id: text,
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
