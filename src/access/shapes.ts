import { z } from 'zod'
import { text } from '#lib/fields'
import { scopes } from './principal.ts'

/** What goes in and out of `/api/keys` and `/api/tenants`. */

const tenantId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be 1 to 63 of a-z, 0-9 and -, not starting with -')

const name = text.max(200)

const tag = z.string().regex(/^[\w.:@/+-]{1,64}$/, 'must be 1 to 64 of letters, digits and _ . : @ / + -')

export const keyInput = z.strictObject({
  name: name.default(''),
  tenant: tenantId.optional().meta({ description: 'Another than its own only an admin may name' }),
  scopes: z.array(z.enum(scopes)).min(1).default(['call']),
  capture: z
    .enum(['full', 'metadata'])
    .optional()
    .meta({ description: 'What of its calls is recorded; unset: the default of the gateway' }),
  tags: z.array(tag).max(20).default([]).meta({ description: 'Put on every exchange of this key' }),
  expires_at: z.iso
    .datetime({ offset: true })
    .refine((at) => Date.parse(at) > Date.now(), 'must be in the future')
    .optional(),
})

export const keyView = z.object({
  id: z.uuid(),
  tenant: z.string(),
  name: z.string(),
  prefix: z.string(),
  last4: z.string(),
  scopes: z.array(z.string()),
  capture: z.enum(['full', 'metadata']).nullable(),
  tags: z.array(z.string()),
  status: z.enum(['active', 'expired', 'revoked']),
  created_at: z.iso.datetime(),
  created_by: z.uuid().nullable().meta({ description: 'The key that made it; null: the admin key' }),
  expires_at: z.iso.datetime().nullable(),
  revoked_at: z.iso.datetime().nullable(),
  last_used_at: z.iso.datetime().nullable().meta({ description: 'To the half minute' }),
})
/** Times are ISO 8601. */
export type KeyView = z.infer<typeof keyView>

export const newKeyView = keyView.extend({ key: z.string().meta({ description: 'Shown this once' }) })

export const tenantInput = z.strictObject({ id: tenantId, name: name.optional() })

export const tenantView = z.object({ id: z.string(), name: z.string(), created_at: z.iso.datetime() })
export type TenantView = z.infer<typeof tenantView>

const limit = z
  .string()
  .regex(/^\d{1,4}$/, 'must be a whole number')
  .transform(Number)
  .pipe(z.int().min(1).max(500))
  .default(50)

export const keyQuery = z.strictObject({
  limit,
  cursor: z.uuid('must be a next_cursor of this list').optional(),
  tenant: tenantId.optional(),
})

export const tenantQuery = z.strictObject({ limit, cursor: tenantId.optional() })

export function listOf<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), next_cursor: z.string().nullable() })
}

/** `rows` holds one more than the page where there are more. */
export function pageOf<Item extends { id: string }>(rows: readonly Item[], limit: number) {
  const items = rows.slice(0, limit)
  return { items, next_cursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null }
}
