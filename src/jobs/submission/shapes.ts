import { z } from 'zod'
import { word } from '#lib/fields'
import { states } from '../states.ts'
import { ownWebhook, ownWebhookView } from '../webhooks/own.ts'
import { mostDelay, mostNeeds, mostTags } from './limits.ts'

/** What goes into POST /api/jobs, and what comes out. */

const seconds = z.number().min(0).max(mostDelay)

export const tag = z
  .string()
  .regex(/^[\w.:/@=+-]{1,64}$/, 'must be 1 to 64 letters, digits and . : / @ = + - _')
export const backoff = z
  .strictObject({
    type: z.enum(['exponential', 'fixed']).default('exponential'),
    ms: z.int().min(0).max(86_400_000).default(1_000),
    max_ms: z.int().min(0).max(86_400_000).default(60_000),
  })
  .meta({ description: 'Between attempts; doubled each time where exponential, with jitter' })

/** What a submission says of how, beside kind and input. */
export const how = {
  priority: z
    .int()
    .min(-100)
    .max(100)
    .default(0)
    .meta({ description: 'Higher is sooner, within the tenant' }),
  delay: seconds.optional().meta({ description: 'Seconds from now before it may run' }),
  run_at: z.iso
    .datetime({ offset: true })
    .optional()
    .meta({ description: 'Not before this; instead of delay' }),
  ttl: seconds
    .min(0.001)
    .optional()
    .meta({ description: 'Seconds after which it is pointless: it expires unless it has begun' }),
  attempts: z.int().min(1).max(100).optional().meta({ description: 'In all; default: that of the kind' }),
  backoff: backoff.optional(),
  timeout: seconds
    .min(0.001)
    .max(86_400)
    .optional()
    .meta({ description: 'Seconds that one attempt may take; default: that of the kind' }),
  tags: z.array(tag).max(mostTags).default([]),
  concurrency_key: word
    .optional()
    .meta({ description: 'Of those with the same key only a few are under way at once' }),
  concurrency_limit: z.int().min(1).max(1_000).default(1).meta({ description: 'How many' }),
  depends_on: z
    .array(z.string().min(1).max(200))
    .max(mostNeeds)
    .default([])
    .meta({ description: 'Ids of jobs that must have succeeded before; in a batch also refs of its items' }),
  on_dependency_failure: z
    .enum(['fail', 'continue'])
    .default('fail')
    .meta({ description: 'What becomes of this job where one that it depends on does not succeed' }),
}

export const submission = z.strictObject({
  kind: z.string().min(1).max(64),
  input: z.unknown().optional().meta({ description: 'As the schema of the kind has it' }),
  ...how,
  webhook: z.union([z.uuid(), ownWebhook]).optional().meta({
    description: 'Told of its end beside those that are told of all: one of /api/webhooks, or its own',
  }),
  retry_of: z.uuid().optional().meta({ description: 'The job that this one is to do better' }),
})

export const batchItem = submission.extend({
  ref: word.optional().meta({ description: 'A name for depends_on of other items of the batch' }),
  idempotency_key: word
    .optional()
    .meta({ description: 'Default: that of the whole batch, with the place of the item' }),
})

export type Submission = z.infer<typeof batchItem>

export const accepted = z.object({
  id: z.uuid(),
  kind: z.string(),
  state: z.enum(states),
  created_at: z.iso.datetime(),
  run_at: z.iso.datetime(),
  expires_at: z.iso.datetime().nullable(),
  links: z.object({ self: z.string(), events: z.string() }),
  webhook: ownWebhookView.optional(),
})
export type Accepted = z.infer<typeof accepted>

const problem = z.looseObject({ type: z.string(), status: z.int(), detail: z.string() })

export const batchAnswer = z.object({
  accepted: z.int(),
  refused: z.int(),
  items: z.array(
    z.object({
      index: z.int(),
      ref: z.string().optional(),
      status: z.int().meta({ description: '202, or that of the error' }),
      job: accepted.optional(),
      error: problem.optional(),
    }),
  ),
})
export type BatchAnswer = z.infer<typeof batchAnswer>
