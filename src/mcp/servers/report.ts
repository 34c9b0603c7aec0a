import { z } from 'zod'

/** How a server is doing, as this gateway sees it. Times are ISO 8601. */
export const serverReport = z.object({
  status: z.enum(['off', 'idle', 'connecting', 'ready', 'waiting', 'closed', 'spy']),
  reason: z.string().nullable().meta({ description: 'Why it is not ready' }),
  next_try_at: z.iso.datetime().nullable(),
  tries: z.int().meta({ description: 'Since it was last ready' }),
  pid: z.int().nullable(),
  connected_at: z.iso.datetime().nullable(),
  era: z.enum(['legacy', 'modern']).nullable(),
  protocol_version: z.string().nullable(),
  server_info: z.unknown(),
  listed_at: z.iso.datetime().nullable().meta({ description: 'Of what it offers; null: never yet' }),
  tools: z.int(),
  prompts: z.int(),
  resources: z.int(),
  templates: z.int(),
  left_out: z
    .array(z.string())
    .meta({ description: 'Of its lists, as it is not what the specification says, and why' }),
})
export type ServerReport = z.infer<typeof serverReport>

export const toolReport = z.object({
  name: z.string().meta({ description: 'As the server has it: for switches and patterns' }),
  title: z.string().nullable(),
  description: z.string().nullable(),
  read_only: z.boolean().meta({ description: 'It says that it changes nothing' }),
  enabled: z.boolean(),
  timeout_ms: z.int(),
})
export type ToolReport = z.infer<typeof toolReport>

/** What the API asks of the portal. */
export type Reports = {
  /** Null where there is no such server here. */
  report(id: string): ServerReport | null
  /** What it was last known to offer. */
  tools(id: string): ToolReport[]
  /** Connects where it must, and asks for its lists again; never rejects: what went wrong is in the report. */
  refresh(id: string, signal: AbortSignal): Promise<ServerReport | null>
}
