import { z } from 'zod'
import { word } from '#lib/fields'
import { ended } from '../states.ts'
import { tag } from '../submission/shapes.ts'
import { events, receiverUrl } from './own.ts'
import { secret } from './receivers.ts'

/** What goes in and out of /api/webhooks. */

const settings = {
  name: word,
  url: receiverUrl,
  events,
  kinds: z
    .array(z.string().min(1).max(64))
    .min(1)
    .max(50)
    .nullable()
    .meta({ description: 'Told of jobs of these; null: of any' }),
  tags: z.array(tag).max(16).meta({ description: 'Jobs with one of these; empty: any' }),
  on_request: z.boolean().meta({ description: 'Told only of jobs that name it as their webhook' }),
}

export const webhookInput = z.strictObject({
  ...settings,
  events: settings.events.default([...ended]),
  kinds: settings.kinds.default(null),
  tags: settings.tags.default([]),
  on_request: settings.on_request.default(false),
  secret: secret.optional(),
})
export type WebhookInput = z.infer<typeof webhookInput>

export const webhookChange = z.strictObject({ ...settings, enabled: z.boolean() }).partial()
export type WebhookChange = z.infer<typeof webhookChange>

export const rotation = z.strictObject({
  secret: secret.optional(),
  keep: z
    .int()
    .min(0)
    .max(7 * 86_400)
    .default(86_400)
    .meta({ description: 'Seconds for which the old one signs too' }),
})

export const webhookView = z.object({
  id: z.uuid(),
  ...settings,
  url: z.string().meta({ description: 'Without the scope operator only its origin' }),
  tenant: z.string(),
  key_id: z.string().nullable(),
  enabled: z.boolean(),
  error: z.string().nullable().meta({ description: 'Why it was disabled by itself' }),
  old_secret_until: z.iso.datetime().nullable(),
  created_at: z.iso.datetime(),
})
export type WebhookView = z.infer<typeof webhookView>

export const newWebhookView = webhookView.extend({
  secret: z.string().meta({ description: 'Signs what is sent (Standard Webhooks); shown this once' }),
})

export const deliveryStates = ['pending', 'queued', 'delivered', 'failed'] as const

export const deliveryView = z.object({
  id: z.uuid().meta({ description: 'Sent as webhook-id, the same at each try' }),
  webhook_id: z.uuid(),
  job_id: z.uuid().nullable().meta({ description: 'Null: a test' }),
  event: z.string(),
  state: z.enum(deliveryStates),
  created_at: z.iso.datetime(),
  next_at: z.iso.datetime().nullable().meta({ description: 'Of the next try' }),
  tries: z.int(),
  tried_at: z.iso.datetime().nullable(),
  status: z.int().nullable().meta({ description: 'Of the last answer' }),
  took_ms: z.int().nullable(),
  answer: z.string().nullable().meta({ description: 'Its beginning' }),
  error: z.string().nullable(),
  delivered_at: z.iso.datetime().nullable(),
})
export type DeliveryView = z.infer<typeof deliveryView>

export const deliveryQuery = z.strictObject({
  state: z.enum(deliveryStates).optional(),
  limit: z
    .string()
    .regex(/^\d{1,3}$/)
    .transform(Number)
    .pipe(z.int().min(1).max(500))
    .default(100),
})
