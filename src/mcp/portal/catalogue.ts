import { hash } from 'node:crypto'
import { z } from 'zod'

/** What a server offers, as it wrote it. */
export const catalogue = z.object({
  facts: z.object({
    era: z.enum(['legacy', 'modern']),
    protocolVersion: z.string(),
    capabilities: z.string(),
    serverInfo: z.string(),
    instructions: z.string().nullable(),
  }),
  lists: z.object({
    tools: z.array(z.object({ name: z.string(), json: z.string() })),
    prompts: z.array(z.object({ name: z.string(), json: z.string() })),
    resources: z.array(z.object({ name: z.string(), json: z.string() })),
    templates: z.array(z.object({ name: z.string(), json: z.string() })),
  }),
  /** What was left out, as it would have cost clients the whole list. */
  leftOut: z.array(z.string()).default([]),
  /** ms since the epoch. */
  at: z.number(),
})
export type Catalogue = z.infer<typeof catalogue>
export type Lists = Catalogue['lists']
/** `name` is the name of a tool or prompt, the URI of a resource, or the URI template. */
export type Listed = Lists['tools'][number]

export const listKinds = ['tools', 'prompts', 'resources', 'templates'] as const
export type ListKind = (typeof listKinds)[number]

/** Two catalogues with the same digest offer the same. */
export function digestOf({ facts, lists, leftOut }: Omit<Catalogue, 'at'>): string {
  return hash('sha256', JSON.stringify([facts, lists, leftOut]), 'base64url')
}
