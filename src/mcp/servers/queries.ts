import type { JSONValue, Sql } from 'postgres'
import type { ServerSpec } from './settings.ts'

export type ServerRow = {
  id: string
  tenant: string | null
  name: string
  enabled: boolean
  transport: string
  spec: unknown
  sealed: string
  created_at: string
  updated_at: string
}

export type ServerInput = Omit<ServerRow, 'spec' | 'created_at' | 'updated_at'> & { spec: ServerSpec }

/** Null where the tenant does not exist, or the name is taken among what that tenant sees. */
export async function insertServer(sql: Sql, one: ServerInput): Promise<ServerRow | null> {
  const [row] = await sql<ServerRow[]>`
    insert into mcp_servers (id, tenant, name, enabled, transport, spec, sealed)
    select ${one.id}, ${one.tenant}::text, ${one.name}::text, ${one.enabled}, ${one.transport},
      ${json(sql, one.spec)}, ${one.sealed}
    where not exists (
      select from mcp_servers where lower(name) = lower(${one.name}::text)
        and (tenant is null or ${one.tenant}::text is null or tenant = ${one.tenant}::text))
      and (${one.tenant}::text is null or exists (select from tenants where id = ${one.tenant}::text))
    on conflict do nothing
    returning ${shown(sql)}`
  return row ?? null
}

export async function updateServer(sql: Sql, one: ServerInput): Promise<ServerRow | null> {
  const [row] = await sql<ServerRow[]>`
    update mcp_servers set enabled = ${one.enabled}, transport = ${one.transport}, spec = ${json(sql, one.spec)},
      sealed = ${one.sealed}, updated_at = now()
    where id = ${one.id} returning ${shown(sql)}`
  return row ?? null
}

/** @returns the names of those that were there. `names` null: all that the tenant sees */
export async function enableServers(
  sql: Sql,
  { tenant, names, enabled }: { tenant: string; names: readonly string[] | null; enabled: boolean },
): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    update mcp_servers set enabled = ${enabled}, updated_at = now()
    where (tenant = ${tenant} or tenant is null) and (${names === null} or name = any(${names ?? []}::text[]))
    returning name`
  return rows.map(({ name }) => name).sort()
}

export async function deleteServer(sql: Sql, id: string): Promise<boolean> {
  return (await sql`delete from mcp_servers where id = ${id}`).count > 0
}

/** Those that a tenant sees (null: of all tenants), by name. */
export function listServers(sql: Sql, tenant: string | null): Promise<ServerRow[]> {
  return sql<ServerRow[]>`
    select ${shown(sql)} from mcp_servers
    where ${tenant}::text is null or tenant = ${tenant}::text or tenant is null order by lower(name), id`
}

/** By id, or by its name as that tenant sees it. */
export async function findServer(sql: Sql, tenant: string, name: string): Promise<ServerRow | null> {
  const [row] = await sql<ServerRow[]>`
    select ${shown(sql)} from mcp_servers
    where id::text = ${name} or (name = ${name} and (tenant = ${tenant} or tenant is null)) limit 1`
  return row ?? null
}

function shown(sql: Sql) {
  return sql`id, tenant, name, enabled, transport, spec, sealed,
    to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as created_at,
    to_char(updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as updated_at`
}

function json(sql: Sql, value: unknown) {
  return sql.json(value as JSONValue)
}
