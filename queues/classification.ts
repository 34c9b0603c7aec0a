import { z } from 'zod'
import { defineQueue } from './queue.ts'

/**
 * Exchanges that were stored and may be classified. A job carries their ids only: what was said, the store knows.
 * Best effort: a job that is lost is made up for by `bun run classify`.
 */
export const classificationPayload = z.object({
  v: z.literal(1),
  ids: z.array(z.uuid()).min(1).max(500),
})

export type ClassificationPayload = z.infer<typeof classificationPayload>

export const classification = defineQueue<ClassificationPayload>({
  name: 'classification',
  payload: classificationPayload,
  retry: { attempts: 5, backoffMs: 1_000, backoffMaxMs: 60_000 },
  retention: {
    completed: { count: 20, ageSeconds: 3_600 },
    failed: { count: 50, ageSeconds: 7 * 86_400 },
  },
})
