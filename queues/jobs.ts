import { z } from 'zod'
import { defineQueue } from './queue.ts'

/** A job that is about to run. Its row has everything; the row, not the engine, says whether it still may. */
export const jobsPayload = z.object({
  v: z.literal(1),
  id: z.uuid(),
  /** Which admission of the row this is: a run of an earlier one does nothing. */
  admission: z.int().positive(),
})

export type JobsPayload = z.infer<typeof jobsPayload>

export const jobs = defineQueue<JobsPayload>({
  name: 'jobs',
  payload: jobsPayload,
  // Tries of the engine are for a database that is away when a job is to begin; those of the job are its row's.
  retry: { attempts: 1_000, backoffMs: 100, backoffMaxMs: 1_000 },
  // The row keeps the history. What stayed here under the same id would keep an admission from being made again.
  retention: { completed: { count: 0, ageSeconds: 0 }, failed: { count: 0, ageSeconds: 0 } },
})
