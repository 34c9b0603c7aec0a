import { z } from 'zod'
import { defineQueue } from './queue.ts'

/** Something that somebody asked to be told: the row has what, and to whom. */
export const webhooksPayload = z.object({
  v: z.literal(1),
  kind: z.enum(['budget-alert', 'queue-alert', 'job']),
  id: z.uuid(),
})

export type WebhooksPayload = z.infer<typeof webhooksPayload>

export const webhooks = defineQueue<WebhooksPayload>({
  name: 'webhooks',
  payload: webhooksPayload,
  // With jitter the waits add up to about a day: a receiver may be down for a night.
  retry: { attempts: 20, backoffMs: 5_000, backoffMaxMs: 4 * 3_600_000 },
  retention: {
    completed: { count: 200, ageSeconds: 86_400 },
    failed: { count: 500, ageSeconds: 7 * 86_400 },
  },
})
