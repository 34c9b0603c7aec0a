import type { JSONValue, Sql } from 'postgres'
import { z } from 'zod'
import type { Route, RouteSpec } from './route.ts'

/** All that gateways hold in memory of routing. Specs are read with care: another version may have written them. */
export const stored = z.object({
  routes: z.array(
    z.object({
      id: z.uuid(),
      name: z.string(),
      position: z.int(),
      enabled: z.boolean(),
      spec: z.unknown(),
    }),
  ),
  providers: z.array(
    z.object({
      name: z.string(),
      base_url: z.string().nullable(),
      dialect: z.string().nullable(),
      speaks: z.array(z.string()).nullable(),
      open: z.boolean().nullable(),
      local: z.boolean().nullable(),
      enabled: z.boolean(),
    }),
  ),
  keys: z.array(z.object({ id: z.uuid(), provider: z.string(), name: z.string(), sealed: z.string() })),
  resets: z.array(z.object({ provider: z.string(), resets: z.number() })),
})
export type Stored = z.infer<typeof stored>

export async function routingRevision(sql: Sql): Promise<number> {
  const [row] = await sql<{ revision: number }[]>`select revision from routing_revision`
  return row?.revision ?? 0
}

export async function readStored(sql: Sql): Promise<Stored> {
  return await sql.begin('isolation level repeatable read read only', async (tx) => ({
    routes: await tx<Stored['routes']>`
      select id, name, position, enabled, spec from routes order by position, name`,
    providers: await tx<Stored['providers']>`
      select name, base_url, dialect, speaks, open, local, enabled from providers order by name`,
    keys: await tx<
      Stored['keys']
    >`select id, provider, name, sealed from provider_keys order by provider, id`,
    resets: await tx<Stored['resets']>`select provider, resets from provider_resets`,
  }))
}

export type RouteRow = Omit<Route, 'spec'> & { spec: unknown; created_at: string; updated_at: string }

export function listRoutes(sql: Sql): Promise<RouteRow[]> {
  return sql<RouteRow[]>`select ${shown(sql)} from routes order by position, name`
}

export async function findRoute(sql: Sql, name: string): Promise<RouteRow | null> {
  const [row] = await sql<RouteRow[]>`select ${shown(sql)} from routes where name = ${name}`
  return row ?? null
}

export type RouteInput = { id: string; name: string; position: number; enabled: boolean; spec: RouteSpec }

/** @returns the row, and whether it is new */
export async function putRoute(sql: Sql, route: RouteInput): Promise<RouteRow & { made: boolean }> {
  const spec = sql.json(route.spec as unknown as JSONValue)
  const [row] = await sql<(RouteRow & { made: boolean })[]>`
    insert into routes (id, name, position, enabled, spec)
    values (${route.id}, ${route.name}, ${route.position}, ${route.enabled}, ${spec})
    on conflict (name) do update set position = excluded.position, enabled = excluded.enabled, spec = excluded.spec,
      updated_at = now()
    returning ${shown(sql)}, (xmax = 0) as made`
  if (row === undefined) throw new Error(`store route ${route.name}: no answer`)
  return row
}

export async function deleteRoute(sql: Sql, name: string): Promise<boolean> {
  return (await sql`delete from routes where name = ${name}`).count > 0
}

export type ProviderInput = Stored['providers'][number]

export async function putProvider(sql: Sql, one: ProviderInput): Promise<void> {
  await sql`
    insert into providers (name, base_url, dialect, speaks, open, local, enabled)
    values (${one.name}, ${one.base_url}, ${one.dialect}, ${one.speaks}, ${one.open}, ${one.local}, ${one.enabled})
    on conflict (name) do update set base_url = excluded.base_url, dialect = excluded.dialect,
      speaks = excluded.speaks, open = excluded.open, local = excluded.local, enabled = excluded.enabled,
      updated_at = now()`
}

/** Its stored keys go with it. */
export async function deleteProvider(sql: Sql, name: string): Promise<boolean> {
  return await sql.begin(async (tx) => {
    const keys = await tx`delete from provider_keys where provider = ${name}`
    const row = await tx`delete from providers where name = ${name}`
    return keys.count + row.count > 0
  })
}

export async function insertKey(
  sql: Sql,
  key: { id: string; provider: string; name: string; last4: string; sealed: string },
): Promise<void> {
  await sql`
    insert into provider_keys (id, provider, name, last4, sealed)
    values (${key.id}, ${key.provider}, ${key.name}, ${key.last4}, ${key.sealed})`
}

export async function deleteKey(sql: Sql, provider: string, id: string): Promise<boolean> {
  return (await sql`delete from provider_keys where provider = ${provider} and id = ${id}`).count > 0
}

/** Tells every gateway to forget what it holds against a provider. */
export async function resetProvider(sql: Sql, provider: string): Promise<void> {
  await sql`
    insert into provider_resets (provider, resets) values (${provider}, 1)
    on conflict (provider) do update set resets = provider_resets.resets + 1`
}

function shown(sql: Sql) {
  return sql`id, name, position, enabled, spec,
    to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as created_at,
    to_char(updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as updated_at`
}
