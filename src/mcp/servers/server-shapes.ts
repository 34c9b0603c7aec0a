import { z } from 'zod'
import { isOwn } from './read-stored.ts'
import { serverReport } from './report.ts'
import { secretSettings, serverName, serverSettings } from './settings.ts'

/** What goes in and out of `/api/mcp/servers`. */

export const tenantName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be 1 to 63 of a-z, 0-9 and -, not starting with -')

const settings = z.strictObject({
  enabled: z.boolean().default(true),
  ...serverSettings,
  env: secretSettings.default({}).meta({ description: 'Kept encrypted, never shown' }),
  headers: secretSettings.default({}).meta({ description: 'Kept encrypted, never shown' }),
})

export const serverBody = settings.superRefine(fits)

export const newServerBody = z
  .strictObject({
    name: serverName.refine((name) => !isOwn(name), 'is the name of its own tools'),
    tenant: tenantName.nullable().optional().meta({ description: 'Unset: the own; null: of all tenants' }),
    ...settings.shape,
  })
  .superRefine(fits)
export type NewServer = z.output<typeof newServerBody>

const unset = z.record(z.string(), z.string().nullable())

/** What it changes; checked as a whole afterwards. */
export const serverPatch = z.looseObject({
  env: unset.optional().meta({ description: 'Added or changed; null removes one' }),
  headers: unset.optional(),
  tools: z.record(z.string(), z.unknown()).optional(),
})

export const serverQuery = z.strictObject({ tenant: tenantName.optional() })

export const serverView = z.object({
  id: z.uuid(),
  tenant: z.string().nullable(),
  name: z.string(),
  enabled: z.boolean(),
  ...serverSettings,
  env_names: z.array(z.string()),
  header_names: z.array(z.string()),
  problem: z.string().nullable(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
  state: serverReport.nullable(),
})
export type ServerView = z.output<typeof serverView>

function fits(one: z.output<typeof settings>, context: z.RefinementCtx): void {
  const wrong = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message })
  if (one.transport === 'stdio') {
    if (one.command === null) wrong('command', 'must be given for stdio')
    if (one.url !== null) wrong('url', 'is not for stdio')
    if (Object.keys(one.headers).length > 0) wrong('headers', 'is not for stdio')
  } else {
    const scheme = one.transport === 'ws' ? /^wss?:$/ : /^https?:$/
    const url = one.url === null ? null : URL.parse(one.url)
    if (url === null || !scheme.test(url.protocol))
      wrong('url', `must be a ${one.transport === 'ws' ? 'ws or wss' : 'http or https'} URL`)
    if (one.command !== null) wrong('command', 'is for stdio only')
    if (one.args.length > 0) wrong('args', 'is for stdio only')
    if (Object.keys(one.env).length > 0) wrong('env', 'is for stdio only')
  }
  if (one.spy && one.transport !== 'ws') wrong('spy', 'is for ws only')
}
