import { z } from 'zod'
import { ended } from '../states.ts'
import { tag, word } from '../submission/shapes.ts'

/** What goes in and out of /api/webhooks. */

const event = z.enum(ended)
const events = z.array(event).min(1).max(ended.length)

export const webhookInput = z.strictObject({
  name: word,
  url: z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }).max(2_000),
  events: events.default([...ended]).meta({ description: 'States that a job ends in' }),
  kinds: z
    .array(z.string().min(1).max(64))
    .min(1)
    .max(50)
    .nullable()
    .default(null)
    .meta({ description: 'Null: any' }),
  tags: z.array(tag).max(16).default([]).meta({ description: 'Jobs with one of these; empty: any' }),
  on_request: z
    .boolean()
    .default(false)
    .meta({ description: 'Told only of jobs that name it as their webhook' }),
})
export type WebhookInput = z.infer<typeof webhookInput>

export const webhookChange = z.strictObject({
  name: word.optional(),
  events: events.optional(),
  enabled: z.boolean().optional(),
})
export type WebhookChange = z.infer<typeof webhookChange>

export const webhookView = z.object({
  ...webhookInput.shape,
  id: z.uuid(),
  tenant: z.string(),
  key_id: z.string().nullable(),
  enabled: z.boolean(),
  error: z.string().nullable().meta({ description: 'Why it was disabled by itself' }),
  created_at: z.iso.datetime(),
})
export type WebhookView = z.infer<typeof webhookView>

export const newWebhookView = webhookView.extend({
  secret: z.string().meta({ description: 'Signs what is sent (Standard Webhooks); shown this once' }),
})

export const deliveryView = z.object({
  id: z.uuid(),
  job_id: z.uuid(),
  event,
  created_at: z.iso.datetime(),
  delivered_at: z.iso.datetime().nullable(),
  tries: z.int(),
  status: z.int().nullable(),
  error: z.string().nullable(),
  given_up: z.boolean(),
})
export type DeliveryView = z.infer<typeof deliveryView>
