import type { Sql } from 'postgres'
import { z } from 'zod'

/** All that gateways hold in memory. Specs are read with care: another version may have written them. */
export const stored = z.object({
  servers: z.array(
    z.object({
      id: z.uuid(),
      tenant: z.string().nullable(),
      name: z.string(),
      enabled: z.boolean(),
      transport: z.string(),
      spec: z.unknown(),
      sealed: z.string(),
    }),
  ),
  portals: z.array(z.object({ tenant: z.string(), name: z.string(), spec: z.unknown() })),
  urls: z.array(
    z.object({
      id: z.uuid(),
      tenant: z.string(),
      name: z.string(),
      hash: z.string(),
      portal: z.string().nullable(),
      scopes: z.array(z.string()),
      capture: z.enum(['full', 'metadata']).nullable(),
      tags: z.array(z.string()),
      expires_at: z.number().nullable(),
    }),
  ),
  visibility: z.array(z.object({ tenant: z.string(), key_id: z.uuid().nullable(), spec: z.unknown() })),
  names: z.array(
    z.object({
      server_id: z.uuid(),
      kind: z.enum(['tool', 'prompt']),
      exposed: z.string(),
      name: z.string(),
    }),
  ),
})
export type Stored = z.infer<typeof stored>

export async function mcpRevision(sql: Sql): Promise<number> {
  const [row] = await sql<{ revision: number }[]>`select revision from mcp_revision`
  return row?.revision ?? 0
}

/** Servers by age: who came first keeps a name that two want. */
export async function readStored(sql: Sql): Promise<Stored> {
  return await sql.begin('isolation level repeatable read read only', async (tx) => ({
    servers: await tx<Stored['servers']>`
      select id, tenant, name, enabled, transport, spec, sealed from mcp_servers order by id`,
    portals: await tx<Stored['portals']>`select tenant, name, spec from mcp_portals order by id`,
    urls: await tx<Stored['urls']>`
      select id, tenant, name, hash, portal, scopes, capture, tags,
        (extract(epoch from expires_at) * 1000)::float8 as expires_at
      from mcp_urls where revoked_at is null order by id`,
    visibility: await tx<Stored['visibility']>`select tenant, key_id, spec from mcp_visibility order by id`,
    names: await tx<Stored['names']>`
      select server_id, kind, exposed, name from mcp_names order by server_id, kind, exposed`,
  }))
}
