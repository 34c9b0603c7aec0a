import { z } from 'zod'

const time = z.string().nullable()

export const engineJobView = z.object({
  id: z.string(),
  name: z.string(),
  added_at: z.string(),
  due_at: time,
  started_at: time,
  ended_at: time,
  attempts: z.int(),
  attempts_most: z.int(),
  error: z.string().nullable(),
  data_bytes: z.int(),
})
export type EngineJobView = z.infer<typeof engineJobView>

export const engineJobDetail = engineJobView.extend({
  state: z.enum(['waiting', 'active', 'delayed', 'completed', 'failed', 'unknown']),
  data: z.string().nullable().meta({ description: 'JSON, at most 64 K characters; null: not for people' }),
  result: z.string().nullable(),
  stack: z.array(z.string()),
  logs: z.array(z.string()),
})
export type EngineJobDetailView = z.infer<typeof engineJobDetail>
