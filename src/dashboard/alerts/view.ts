import { z } from 'zod'
import { text } from '#lib/fields'

export const measures = ['backlog', 'oldest-age', 'failure-rate', 'no-workers'] as const
export type Measure = (typeof measures)[number]

const name = text.max(200)
const webhook = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }).max(2_000)
const threshold = z.number().min(0).max(1e12).meta({
  description:
    'Jobs that wait; seconds that the oldest has waited; percent of the last 15 minutes; none for no-workers',
})
const holds = z.int().min(0).max(86_400).meta({ description: 'Seconds that it must hold before it is told' })

export const ruleInput = z.strictObject({
  name: name.default(''),
  queue: z.string().min(1).max(64),
  measure: z.enum(measures),
  threshold: threshold.default(0),
  for_s: holds.default(60),
  enabled: z.boolean().default(true),
  webhook_url: webhook.nullable().default(null),
})
export type RuleInput = z.input<typeof ruleInput>

/** What it watches stays: what was told of it would be of something else. */
export const ruleChange = z.strictObject({
  name: name.optional(),
  threshold: threshold.optional(),
  for_s: holds.optional(),
  enabled: z.boolean().optional(),
  webhook_url: webhook.nullable().optional(),
})

export const ruleView = z.object({
  id: z.uuid(),
  name: z.string(),
  queue: z.string(),
  measure: z.enum(measures),
  threshold: z.number(),
  for_s: z.int(),
  enabled: z.boolean(),
  webhook_url: z.string().nullable(),
  webhook_error: z.string().nullable().meta({ description: 'Why its receiver is not asked any more' }),
  state: z.enum(['ok', 'pending', 'firing']),
  since: z.string().meta({ description: 'Since when it is in that state' }),
  value: z.number().nullable().meta({ description: 'As last measured; null: not known' }),
  created_at: z.string(),
})
export type RuleView = z.infer<typeof ruleView>

export const newRuleView = ruleView.extend({
  webhook_secret: z.string().nullable().meta({ description: 'Signs its webhooks; shown this once' }),
})
export type NewRuleView = z.infer<typeof newRuleView>

export const testView = z.object({
  delivered: z.boolean(),
  status: z.int().nullable().meta({ description: 'That the receiver answered; null: it did not' }),
  error: z.string().nullable(),
})
export type TestView = z.infer<typeof testView>

export const eventView = z.object({
  id: z.uuid(),
  rule_id: z.uuid(),
  name: z.string(),
  queue: z.string(),
  measure: z.enum(measures),
  type: z.enum(['fired', 'resolved']),
  at: z.string(),
  value: z.number().nullable(),
  threshold: z.number(),
  delivered_at: z.string().nullable(),
  error: z.string().nullable(),
})
export type EventView = z.infer<typeof eventView>

export const listOf = <Item extends z.ZodType>(item: Item) => z.object({ items: z.array(item) })
