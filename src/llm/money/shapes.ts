import { z } from 'zod'
import { may, type Principal } from '#access'
import { SluiceError } from '#lib/errors'
import { text, word } from '#lib/fields'
import { isId } from '#lib/ids'
import { ruleScopes } from './budget.ts'

/** What goes in and out of the routes of money. Amounts are integer micro-units of USD. */

const micros = z.int().nonnegative().max(1e15)

export const tag = 'money'

const about = {
  name: text.max(200).default(''),
  scope: z.enum(ruleScopes),
  subject: word
    .nullable()
    .default(null)
    .meta({ description: 'Id of the key, id of the tenant, name of the route; null for global' }),
  enabled: z.boolean().default(true),
}

const thresholds = z
  .array(z.int().min(1).max(1_000))
  .max(10)
  .meta({ description: 'Percent of the limit; each is told once a period' })
const webhook = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }).max(2_000)

export const budgetInput = z.strictObject({
  ...about,
  period: z.enum(['day', 'month', 'total']).meta({ description: 'Of UTC' }),
  limit_micros: micros,
  on_outage: z.enum(['closed', 'open']).default('closed').meta({
    description: 'Are calls refused or let pass once the lease is used up and the database is down?',
  }),
  unknown_price: z
    .enum(['refuse', 'allow'])
    .default('refuse')
    .meta({ description: 'What happens to a call whose price is not known' }),
  thresholds: thresholds.default([80, 100]),
  webhook_url: webhook.nullable().default(null),
})

export const budgetChange = z.strictObject({
  name: about.name.unwrap().optional(),
  enabled: z.boolean().optional(),
  limit_micros: micros.optional(),
  on_outage: z.enum(['closed', 'open']).optional(),
  unknown_price: z.enum(['refuse', 'allow']).optional(),
  thresholds: thresholds.optional(),
  webhook_url: webhook.nullable().optional(),
})

export const budgetView = z.object({
  id: z.uuid(),
  name: z.string(),
  scope: z.enum(ruleScopes),
  subject: z.string().nullable(),
  tenant: z.string().nullable(),
  period: z.enum(['day', 'month', 'total']),
  limit_micros: z.int(),
  on_outage: z.enum(['closed', 'open']),
  unknown_price: z.enum(['refuse', 'allow']),
  thresholds: z.array(z.int()),
  webhook_url: z.string().nullable(),
  enabled: z.boolean(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
  webhook_error: z.string().nullable().meta({ description: 'Why its receiver is not asked any more' }),
  state: z.object({
    starts_at: z.iso.datetime().nullable().meta({ description: 'Null: all time' }),
    ends_at: z.iso.datetime().nullable(),
    spent_micros: z.int(),
    reserved_micros: z.int().meta({ description: 'Held by gateways: for calls under way, and leased ahead' }),
    remaining_micros: z.int(),
    spent: z.string().meta({ description: 'USD, decimal' }),
    limit: z.string(),
    reset_at: z.iso.datetime().nullable(),
  }),
})
export type BudgetView = z.infer<typeof budgetView>

export const newBudgetView = budgetView.extend({
  webhook_secret: z
    .string()
    .nullable()
    .meta({ description: 'Signs its webhooks (Standard Webhooks); shown this once' }),
})

export const limitInput = z
  .strictObject({
    ...about,
    window_seconds: z.int().min(1).max(3_600).default(60),
    requests: z.int().nonnegative().max(1e9).nullable().default(null),
    tokens: z.int().nonnegative().max(1e12).nullable().default(null),
  })
  .refine(({ requests, tokens }) => requests !== null || tokens !== null, {
    error: 'must name requests or tokens',
    path: ['requests'],
  })

export const limitView = z.object({
  ...{ id: z.uuid(), name: z.string(), scope: z.enum(ruleScopes), subject: z.string().nullable() },
  ...{ tenant: z.string().nullable(), window_seconds: z.int() },
  ...{ requests: z.int().nullable(), tokens: z.int().nullable(), enabled: z.boolean() },
  ...{ created_at: z.iso.datetime(), updated_at: z.iso.datetime() },
})
export type LimitView = z.infer<typeof limitView>

const rate = micros.meta({ description: 'Micro-units per million tokens: 3 USD are 3000000' })
const partRate = rate.nullable().default(null)

export const priceInput = z.strictObject({
  provider: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be the name of a provider'),
  model: word.nullable().default(null).meta({ description: 'Null: any other model of the provider' }),
  input: rate,
  output: rate,
  cache_read: partRate.meta({ description: 'Null: as input' }),
  cache_write: partRate.meta({ description: 'Null: as input' }),
  cache_write_1h: partRate.meta({ description: 'Null: as cache_write' }),
  note: text.max(500).default(''),
})

export const priceView = z.object({
  ...{ id: z.uuid(), provider: z.string(), model: z.string().nullable(), input: z.int(), output: z.int() },
  ...{ cache_read: z.int().nullable(), cache_write: z.int().nullable(), cache_write_1h: z.int().nullable() },
  ...{ note: z.string(), created_at: z.iso.datetime() },
})
export type PriceView = z.infer<typeof priceView>

export const pageQuery = {
  limit: z
    .string()
    .regex(/^\d{1,3}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(1).max(500))
    .default(50),
  cursor: z.string().refine(isId, 'must be a next_cursor of this list').optional(),
}

export const ruleQuery = z.strictObject({ ...pageQuery, tenant: word.optional() })

export function listOf<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), next_cursor: z.string().nullable() })
}

/** `rows` holds one more than the page where there are more. */
export function pageOf<Item extends { id: string }>(rows: readonly Item[], limit: number) {
  const items = rows.slice(0, limit)
  return { items, next_cursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null }
}

/**
 * Whose a principal may see: one tenant's, or with null everybody's.
 * @throws SluiceError 403 where the tenant is not the principal's own
 */
export function reachOf(principal: Principal, tenant: string | undefined): string | null {
  if (may(principal, 'admin')) return tenant ?? null
  if (tenant === undefined || tenant === principal.tenant) return principal.tenant
  throw new SluiceError(403, 'forbidden', `tenant ${tenant.slice(0, 64)}: this key belongs to another`)
}

export function notFound(what: string): SluiceError {
  return new SluiceError(404, 'not-found', `There is no such ${what}`)
}

/** @throws SluiceError 404 where it is no id: nothing can be found under it */
export function idOf(text: string, what: string): string {
  if (isId(text)) return text
  throw notFound(what)
}
