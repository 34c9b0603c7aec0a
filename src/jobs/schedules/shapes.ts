import { z } from 'zod'
import { word } from '#lib/fields'
import { how, submission } from '../submission/shapes.ts'
import { ownWebhook, ownWebhookView } from '../webhooks/own.ts'

/** What goes in and out of /api/schedules. */

const { delay: _, run_at: __, depends_on: ___, on_dependency_failure: ____, ...repeatable } = how

/** What a schedule submits: a job, without what only makes sense once. */
export const scheduledJob = z.strictObject({
  kind: submission.shape.kind,
  input: submission.shape.input,
  ...repeatable,
  webhook: z.union([z.uuid(), ownWebhook]).optional().meta({
    description: 'Told beside those that are told of all: one of /api/webhooks, or its own',
  }),
})
export type ScheduledJob = z.infer<typeof scheduledJob>
/** As it is stored: by then a webhook has an id. */
export type StoredJob = Omit<ScheduledJob, 'input' | 'webhook'> & { webhook?: string }

const every = z
  .number()
  .min(1)
  .max(366 * 86_400)
  .meta({ description: 'Seconds between two times' })
const cron = z.string().min(1).max(200).meta({ description: 'Five fields, or six with seconds first' })
const at = z.iso.datetime({ offset: true })
const overlap = z
  .enum(['allow', 'skip'])
  .meta({ description: 'skip: passed over while the last job has not ended' })
const missed = z.enum(['once', 'skip']).meta({
  description: 'once: where times were missed, as no worker ran, one job makes up for them',
})

const rest = {
  name: word,
  enabled: z.boolean().default(true),
  overlap: overlap.default('allow'),
  missed: missed.default('once'),
}

export const scheduleInput = z
  .strictObject({
    ...rest,
    cron: cron.optional(),
    time_zone: z.string().max(64).default('UTC'),
    every: every.optional(),
    at: at.optional().meta({ description: 'Once, at this time' }),
    job: scheduledJob,
  })
  .refine((given) => timings(given) === 1, {
    error: 'one of cron, every and at must be given',
    path: ['cron'],
  })
export type ScheduleInput = z.infer<typeof scheduleInput>

const when = {
  cron: cron.optional(),
  time_zone: z.string().max(64).optional(),
  every: every.optional(),
  at: at.optional().meta({ description: 'Once, at this time' }),
}

export const scheduleChange = z
  .strictObject({
    name: word.optional(),
    enabled: z.boolean().optional(),
    overlap: overlap.optional(),
    missed: missed.optional(),
    ...when,
    job: scheduledJob.optional().meta({
      description: 'The whole of it; the schedule is from then on that of the key that changes it',
    }),
  })
  .refine((given) => timings(given) <= 1, {
    error: 'only one of cron, every and at may be given',
    path: ['cron'],
  })
export type ScheduleChange = z.infer<typeof scheduleChange>

export const timesInput = z.strictObject(when).refine((given) => timings(given) === 1, {
  error: 'one of cron, every and at must be given',
  path: ['cron'],
})
export const timesView = z.object({
  upcoming: z.array(z.iso.datetime()).meta({ description: 'The next five times' }),
})

function timings({ cron, every, at }: { cron?: unknown; every?: unknown; at?: unknown }): number {
  return [cron, every, at].filter((one) => one !== undefined).length
}

export const scheduleView = z.object({
  id: z.uuid(),
  tenant: z.string(),
  key_id: z.string().nullable(),
  name: z.string(),
  type: z.enum(['cron', 'interval', 'once']),
  cron: z.string().nullable(),
  time_zone: z.string(),
  every: z.number().nullable(),
  overlap,
  missed,
  enabled: z.boolean(),
  job: z.looseObject({ kind: z.string() }),
  next_at: z.iso.datetime().nullable(),
  upcoming: z.array(z.iso.datetime()).meta({ description: 'The next five times' }),
  last_at: z.iso.datetime().nullable(),
  last_job_id: z.string().nullable(),
  error: z.string().nullable().meta({ description: 'Why nothing was submitted the last time' }),
  fired: z.int(),
  created_at: z.iso.datetime(),
})

export const newScheduleView = scheduleView.extend({
  webhook: ownWebhookView.optional(),
})
export type ScheduleView = z.infer<typeof scheduleView>
