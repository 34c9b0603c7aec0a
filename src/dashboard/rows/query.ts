import { z } from 'zod'
import { jobFilters } from '#jobs'

export const rowQuery = z.strictObject({
  ...jobFilters,
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.uuid('must be a next_cursor of this list').optional(),
})
export type RowQuery = z.infer<typeof rowQuery>
