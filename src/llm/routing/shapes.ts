import { z } from 'zod'
import { onwardDialects } from '../providers/provider.ts'
import { routeSpec } from './route.ts'

/** What goes in and out of `/api/routes`, `/api/providers` and `/api/models`. */

export const routeName = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,62}$/,
    'must be 1 to 63 of a-z, 0-9 and . _ -, not starting with one of these',
  )

export const providerName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be 1 to 63 of a-z, 0-9 and -, not starting with -')

const settings = {
  ...routeSpec.shape,
  position: z.int().min(0).max(1_000_000).default(100).meta({ description: 'Lower is asked first' }),
  enabled: z.boolean().default(true),
}

export const routeBody = z.strictObject(settings).superRefine(leadsSomewhere)
export const newRouteBody = z.strictObject({ ...settings, name: routeName }).superRefine(leadsSomewhere)

function leadsSomewhere(
  route: {
    candidates: readonly unknown[]
    refuse?: unknown
    ladder?: unknown
    policy?: unknown
    binding: boolean
  },
  context: z.RefinementCtx,
): void {
  const ways = [route.candidates.length > 0, route.refuse !== undefined, route.ladder !== undefined]
  if (route.policy !== undefined && route.ladder !== undefined)
    context.addIssue({ code: 'custom', path: ['policy'], message: 'is for candidates, not for a ladder' })
  if (route.binding && route.policy === undefined)
    context.addIssue({ code: 'custom', path: ['binding'], message: 'is for a route with a policy' })
  if (ways.filter(Boolean).length === 1) return
  context.addIssue({
    code: 'custom',
    path: ['candidates'],
    message: 'must hold one, or "refuse" or "ladder" must be given, and only one of these',
  })
}

export const dryRunBody = z.strictObject({
  path: z.string().startsWith('/').max(2_000).default('/v1/messages'),
  headers: z.record(z.string().min(1).max(100), z.string().max(10_000)).default({}),
  body: z
    .unknown()
    .optional()
    .meta({ description: 'The request body; its model, its size and what it is about matter' }),
  model: z.string().max(500).optional().meta({ description: 'Instead of the one in the body or the path' }),
  bytes: z.int().nonnegative().optional().meta({ description: 'Instead of the size of the body' }),
  trusted: z.boolean().default(false).meta({ description: 'As of a key with the scope `label`' }),
  tenant: z.string().max(200).default('default'),
  key_id: z.string().max(200).nullable().default(null),
  tags: z.array(z.string().max(200)).max(50).default([]),
})

const httpUrl = z
  .url({ protocol: /^https?$/ })
  .max(500)
  .transform((url) => url.replace(/\/+$/, ''))

export const providerBody = z.strictObject({
  base_url: httpUrl.nullable().default(null),
  dialect: z
    .enum(onwardDialects)
    .nullable()
    .default(null)
    .meta({ description: 'What calls are translated to' }),
  speaks: z
    .array(z.enum(onwardDialects))
    .min(1)
    .nullable()
    .default(null)
    .meta({ description: 'Taken as they are' }),
  open: z.boolean().nullable().default(null).meta({ description: 'Takes calls without a credential' }),
  local: z.boolean().nullable().default(null).meta({ description: 'Its calls cost nothing' }),
  enabled: z.boolean().default(true),
})

export const keyBody = z.strictObject({
  key: z
    .string()
    .min(8)
    .max(4_000)
    .regex(/^[\x21-\x7e]+$/, 'must be of printable characters without spaces'),
  name: z.string().max(200).default(''),
})

export const noQuery = z.strictObject({})
