import type { Sql } from 'postgres'
import { z } from 'zod'
import { defineTool, may, type Principal, type Tool } from '#access'
import { SluiceError } from '#lib/errors'
import { brief } from './portal/missing.ts'
import { enableServers } from './servers/queries.ts'
import type { Reports } from './servers/report.ts'
import type { Server } from './servers/server.ts'
import type { Servers } from './servers/servers.ts'

export type McpToolsOptions = { sql: Sql; servers: Servers; reports(): Reports }

const name = z.string().min(1).max(200)

const toggleMany = z.strictObject({
  enabled: z.boolean(),
  servers: z.array(name).min(1).optional().describe('Names; left out: all'),
})

const toggleOne = z
  .strictObject({
    name: name.optional().describe('Of the server'),
    server: name.optional().describe('The same as name'),
    enabled: z.boolean(),
  })
  .refine((given) => (given.name === undefined) !== (given.server === undefined), {
    message: 'name must be given, or server, which is the same',
  })

/** The portal's own three. What they switch is in force on every gateway within a second. */
export function mcpTools({ sql, servers, reports }: McpToolsOptions): Tool[] {
  return [
    defineTool({
      name: 'portal_list_servers',
      title: 'List MCP servers',
      description:
        'The MCP servers behind this address: whether each is switched on, how it is doing, when it is tried next, and how many tools it has.',
      input: z.strictObject({}),
      scope: 'call',
      readOnly: true,
      run: async (_, { principal }) => ({ servers: seenBy(principal).map((one) => view(one, principal)) }),
    }),
    defineTool({
      name: 'portal_toggle_servers',
      title: 'Switch MCP servers on or off',
      description: 'Switches several MCP servers on or off, or all of them. Every client is told at once.',
      input: toggleMany,
      scope: 'admin',
      readOnly: false,
      run: async ({ enabled, servers: names }, { principal }) => toggle(principal, names ?? null, enabled),
    }),
    defineTool({
      name: 'portal_toggle_single_server',
      title: 'Switch one MCP server on or off',
      description: 'Switches one MCP server on or off. Every client is told at once.',
      input: toggleOne,
      scope: 'admin',
      readOnly: false,
      run: async ({ enabled, ...given }, { principal }) =>
        toggle(principal, [given.name ?? given.server ?? ''], enabled),
    }),
  ]

  function seenBy(principal: Principal): Server[] {
    return servers
      .all()
      .filter(({ tenant }) => tenant === null || tenant === principal.tenant)
      .filter((one) => may(principal, 'admin') || servers.sight(principal).concerns(one.name))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  function view({ id, name: server, enabled, transport, tools }: Server, principal: Principal) {
    const report = reports().report(id)
    const reason = report?.reason ?? null
    return {
      ...{ name: server, enabled, transport, status: report?.status ?? 'off' },
      // What a process said last may be for nobody else's eyes.
      reason: reason === null || may(principal, 'admin') ? reason : brief(reason),
      next_try_at: report?.next_try_at ?? null,
      listed_at: report?.listed_at ?? null,
      tools: report?.tools ?? 0,
      prompts: report?.prompts ?? 0,
      resources: report?.resources ?? 0,
      disabled_tools: Object.keys(tools).filter((tool) => tools[tool]?.enabled === false),
    }
  }

  async function toggle({ tenant }: Principal, names: readonly string[] | null, enabled: boolean) {
    const known = new Set(seenByTenant(tenant))
    const unknown = names?.filter((one) => !known.has(one)) ?? []
    if (unknown.length > 0)
      throw new SluiceError(
        404,
        'not-found',
        `There is no MCP server ${unknown.join(', ')}: ${[...known].join(', ')}`,
      )
    const changed = await enableServers(sql, { tenant, names, enabled })
    await servers.refresh().catch(() => {})
    return { enabled, servers: changed }
  }

  function seenByTenant(tenant: string): string[] {
    return servers.all().flatMap((one) => (one.tenant === null || one.tenant === tenant ? [one.name] : []))
  }
}
