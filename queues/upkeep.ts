import { z } from 'zod'
import { defineQueue } from './queue.ts'

/**
 * What the store needs from time to time, whether or not there is traffic: partitions ahead of their day, and the
 * dropping of those past their keep. A job names its task; what there is to do, the database knows.
 */
export const upkeepPayload = z.object({
  v: z.literal(1),
  task: z.enum(['partitions', 'retention']),
})

export type UpkeepPayload = z.infer<typeof upkeepPayload>

export const upkeep = defineQueue<UpkeepPayload>({
  name: 'upkeep',
  payload: upkeepPayload,
  retry: { attempts: 10, backoffMs: 1_000, backoffMaxMs: 300_000 },
  retention: {
    completed: { count: 50, ageSeconds: 7 * 86_400 },
    failed: { count: 50, ageSeconds: 30 * 86_400 },
  },
})

/** Every hour, though partitions are daily: a missed turn must not matter. */
export const upkeepSchedules: { id: string; everyMs: number; payload: UpkeepPayload }[] = [
  { id: 'partitions', everyMs: 3_600_000, payload: { v: 1, task: 'partitions' } },
  { id: 'retention', everyMs: 3_600_000, payload: { v: 1, task: 'retention' } },
]
