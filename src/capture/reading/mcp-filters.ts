import type postgres from 'postgres'
import { z } from 'zod'
import { uuid, word } from '#lib/fields'
import type { McpFacts } from '../exchange.ts'

/** What an exchange of MCP is about: filters on `mcp_exchanges`. */
export const mcpFilters = {
  hop: z.enum(['client', 'upstream'], 'must be client or upstream').optional().meta({
    description: 'Of MCP: between a client and the portal, or between the portal and a server',
  }),
  server: word
    .optional()
    .meta({ description: 'The MCP server that was asked; of a client, the portal that it came to' }),
  rpc: word.optional().meta({ description: 'The method of JSON-RPC, as in tools/call' }),
  tool: word
    .optional()
    .meta({ description: 'The tool, prompt or resource, as that side of the portal names it' }),
  session: word.optional().meta({ description: 'Of MCP, or the own one of the agent that called' }),
  tool_use: word.optional().meta({ description: 'The id of the tool use in the answer of a model' }),
  parent: uuid.optional().meta({ description: 'The exchange that caused those wanted' }),
}

export type McpFilters = { [Name in keyof typeof mcpFilters]?: z.infer<(typeof mcpFilters)[Name]> }

/** As an item shows it. */
export type McpItem = Required<McpFacts> & { parent: string | null }

export function asksForMcp(filters: McpFilters): boolean {
  return (Object.keys(mcpFilters) as (keyof McpFilters)[]).some((name) => filters[name] !== undefined)
}

/** The conditions on `m`, false where none is asked for; the bounds of ids again, as with classes. */
export function mcpConditions(
  sql: postgres.Sql,
  filters: McpFilters,
  { from, before }: { from: string | undefined; before: string | undefined },
): postgres.Fragment | false {
  if (!asksForMcp(filters)) return false
  const { hop, server, rpc, tool, session, tool_use, parent } = filters
  const asked = [
    hop !== undefined && sql`m.hop = ${hop}`,
    server !== undefined && sql`m.peer = ${server}`,
    rpc !== undefined && sql`m.rpc = ${rpc}`,
    tool !== undefined && sql`m.name = ${tool}`,
    session !== undefined && sql`(m.session = ${session} or m.client_session = ${session})`,
    tool_use !== undefined && sql`m.tool_use = ${tool_use}`,
    parent !== undefined && sql`m.parent = ${parent}`,
    from !== undefined && sql`m.id >= ${from}`,
    before !== undefined && sql`m.id < ${before}`,
  ]
  return asked.filter((condition) => condition !== false).reduce((one, other) => sql`${one} and ${other}`)
}

/** The same, for what arrives live. */
export function isMcp(found: McpItem | null, filters: McpFilters): boolean {
  if (!asksForMcp(filters)) return true
  if (found === null) return false
  const { hop, server, rpc, tool, session, tool_use, parent } = filters
  return (
    (hop === undefined || found.hop === hop) &&
    (server === undefined || found.peer === server) &&
    (rpc === undefined || found.rpc === rpc) &&
    (tool === undefined || found.name === tool) &&
    (session === undefined || found.session === session || found.client_session === session) &&
    (tool_use === undefined || found.tool_use === tool_use) &&
    (parent === undefined || found.parent === parent)
  )
}
