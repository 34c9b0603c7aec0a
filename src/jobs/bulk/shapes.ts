import { z } from 'zod'
import { jobFilters } from '../reading/filters.ts'

/** What goes in and out of /api/jobs/bulk. */

const action = z.enum(['retry', 'cancel', 'remove'])

export const bulkInput = z.strictObject({
  action: action.meta({
    description:
      'retry: those that failed, were cancelled or expired; cancel: those that have not ended; remove: those that have, unless others wait for them',
  }),
  filter: z
    .strictObject(jobFilters)
    .meta({ description: 'As the query of GET /api/jobs; empty: all of the tenant' }),
  per_second: z.int().min(1).max(10_000).default(50),
  dry_run: z.boolean().default(false).meta({ description: 'Only counts' }),
})
export type BulkInput = z.infer<typeof bulkInput>

export const bulkCount = z.object({ dry_run: z.literal(true), count: z.int(), newest: z.array(z.uuid()) })

export const bulkView = z.object({
  id: z.uuid(),
  tenant: z.string().nullable(),
  key_id: z.string().nullable(),
  action,
  filter: z.record(z.string(), z.unknown()),
  per_second: z.int(),
  state: z.enum(['running', 'paused', 'done', 'cancelled']),
  total: z.int().meta({ description: 'Counted at its start' }),
  changed: z.int(),
  progress: z.number().meta({ description: '0 to 1' }),
  error: z.string().nullable().meta({
    description: 'Why it does not go on (it tries), or why it was ended: its key is no longer good',
  }),
  created_at: z.iso.datetime(),
  ended_at: z.iso.datetime().nullable(),
})
export type BulkView = z.infer<typeof bulkView>
