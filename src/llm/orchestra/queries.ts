import type { Sql } from 'postgres'

export type Settings = { models: string[] | null; folder: string | null }

export async function readSettings(sql: Sql, tenant: string): Promise<Settings> {
  const [row] = await sql<Settings[]>`select models, folder from orchestra_settings where tenant = ${tenant}`
  return row ?? { models: null, folder: null }
}

export async function writeModels(sql: Sql, tenant: string, models: string[] | null): Promise<void> {
  await sql`
    insert into orchestra_settings (tenant, models) values (${tenant}, ${models})
    on conflict (tenant) do update set models = excluded.models, updated_at = now()`
}

export async function writeFolder(sql: Sql, tenant: string, folder: string | null): Promise<void> {
  await sql`
    insert into orchestra_settings (tenant, folder) values (${tenant}, ${folder})
    on conflict (tenant) do update set folder = excluded.folder, updated_at = now()`
}

/** Puts a key in the place of the one that was set under the same name before. */
export async function replaceKey(
  sql: Sql,
  key: { id: string; provider: string; name: string; last4: string; sealed: string },
): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`delete from provider_keys where provider = ${key.provider} and name = ${key.name}`
    await tx`insert into provider_keys ${tx(key)}`
  })
}

export async function deleteNamedKey(sql: Sql, provider: string, name: string): Promise<boolean> {
  return (await sql`delete from provider_keys where provider = ${provider} and name = ${name}`).count > 0
}
