import { z } from 'zod'
import { text } from '#lib/fields'
import { transports } from './server.ts'

/**
 * What rows hold as jsonb, and what goes in over the API, in one place: a row that a newer version wrote must fail
 * here.
 */

const setting = text.max(4_000)
const seconds = 1_000
const minutes = 60 * seconds

export const serverName = z
  .string()
  .max(32)
  .regex(
    /^[A-Za-z0-9]+([_-][A-Za-z0-9]+)*$/,
    'must be of letters, digits and single _ or - between them, 32 at most',
  )

export const patterns = z
  .array(z.string().min(1).max(500))
  .max(1_000)
  .meta({ description: 'As in `github/create_*`, `*/delete_*` or `github`, which is `github/*`' })

export const selection = z.strictObject({ allow: patterns.default(['*']), deny: patterns.default([]) })
export type Selection = z.infer<typeof selection>

export const toolSetting = z.strictObject({
  enabled: z.boolean().optional(),
  timeout_ms: z
    .int()
    .min(100)
    .max(24 * 60 * minutes)
    .optional(),
})

export const serverSettings = {
  transport: z.enum(transports),
  command: setting.min(1).nullable().default(null),
  args: z.array(setting).max(200).default([]).meta({
    description:
      'Kept encrypted, shown without what looks like a secret. Whoever may list processes of the machine sees them whole: env is the better place',
  }),
  cwd: setting.nullable().default(null),
  url: setting
    .nullable()
    .default(null)
    .meta({ description: 'Kept encrypted; shown without what may be a secret in it' }),
  tools: z.record(z.string().min(1).max(500), toolSetting).default({}),
  timeout_ms: toolSetting.shape.timeout_ms.unwrap().default(2 * minutes),
  max_result_bytes: z
    .int()
    .min(1_000)
    .max(64 * 1024 * 1024)
    .default(4 * 1024 * 1024)
    .meta({ description: 'What a result has above that is stored and linked' }),
  idle_stop_ms: z
    .int()
    .min(seconds)
    .nullable()
    .default(10 * minutes)
    .meta({ description: 'Of a command: it ends when nobody asked it for so long; null: never' }),
  namespace: z
    .union([serverName, z.literal('')])
    .nullable()
    .default(null)
    .meta({ description: 'Stands before its names, as in `namespace__tool`; unset: its name; empty: none' }),
  spy: z.boolean().default(false).meta({ description: 'For the WebSocket spy alone' }),
}

/** Of which only names are ever shown. */
export const secretSettings = z.record(
  z
    .string()
    .min(1)
    .max(200)
    .regex(/^[^\s=:]+$/, 'must not contain white space, = or :'),
  text.max(32_000),
)

export const serverSpec = z
  .object(serverSettings)
  .omit({ transport: true })
  .extend({ env_names: z.array(z.string()).default([]), header_names: z.array(z.string()).default([]) })
export type ServerSpec = z.infer<typeof serverSpec>

export const portalSpec = z.strictObject({
  enabled: z.boolean().default(true),
  servers: z
    .array(z.string().min(1).max(200))
    .max(500)
    .nullable()
    .default(null)
    .meta({ description: 'Names; null: all, and `sluice` is that of its own tools' }),
  tools: selection.default({ allow: ['*'], deny: [] }),
  namespace: z
    .boolean()
    .default(true)
    .meta({ description: 'Names as in `server__tool`; else as they are, where no two clash' }),
  read_only: z.boolean().default(false).meta({ description: 'Only tools that say that they change nothing' }),
  anonymous_listing: z
    .boolean()
    .default(false)
    .meta({ description: 'Lists need no credential; calls always do' }),
  max_name_length: z.int().min(24).max(128).default(50).meta({
    description: 'Of tools and prompts. Clients put up to 14 before them, and many take 64 at most',
  }),
})
export type PortalSpec = z.infer<typeof portalSpec>

/** Not `ws` and `s`, which are paths of their own under /mcp. */
export const portalName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,31}$/, 'must be 1 to 32 of a-z, 0-9 and _ -, not starting with one of these')
  .refine((name) => name !== 'ws' && name !== 's', 'is a path of its own')

export const visibilitySpec = z.strictObject({
  see: selection.default({ allow: ['*'], deny: [] }),
  call: selection
    .default({ allow: ['*'], deny: [] })
    .meta({ description: 'Of what it may see; the rest is listed, and refused when called' }),
})
export type VisibilitySpec = z.infer<typeof visibilitySpec>
