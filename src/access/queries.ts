import type { Sql, TransactionSql } from 'postgres'
import type { EndedSession, KeySet } from './directory.ts'
import type { KeyView, TenantView } from './shapes.ts'

/** Which keys a principal may see: its tenant's (null: all) that hold no scope which it lacks. */
export type Reach = { tenant: string | null; scopes: readonly string[] }

/**
 * All keys changed and sessions ended after a revision, and how many keys there are in all, from one statement and so
 * one snapshot.
 * `total` tells a reader that lost rows (a restored backup) to load everything again.
 */
export async function keysSince(sql: Sql, revision: number): Promise<KeySet & { total: number }> {
  const [row] = await sql<[(KeySet & { total: number })?]>`
    select
      (select revision from access_revision)::float8 as revision,
      (select encode(hash, 'base64') from access_admin) as admin_hash,
      (select count(*) from access_keys)::float8 as total,
      coalesce((
        select json_agg(json_build_object(
          'id', id, 'tenant', tenant, 'hash', encode(hash, 'base64'), 'scopes', scopes, 'capture', capture,
          'tags', tags, 'acts_for_others', acts_for_others, 'expires_at', floor(extract(epoch from expires_at) * 1000),
          'revoked_at', floor(extract(epoch from revoked_at) * 1000)
        )) from access_keys where revision > ${revision}
      ), '[]') as keys,
      coalesce((
        select json_agg(json_build_object('id', id, 'until', floor(extract(epoch from until) * 1000)))
        from access_ended_sessions where revision > ${revision} and until > now()
      ), '[]') as ended`
  if (row === undefined) throw new Error('load access keys: no answer')
  return row
}

/** Nothing where it was ended before. */
export async function insertEnded(tx: Sql | TransactionSql, { id, until }: EndedSession): Promise<void> {
  await tx`
    insert into access_ended_sessions (id, until) values (${id}, to_timestamp(${until} / 1000.0))
    on conflict (id) do nothing`
}

export type KeyInsert = {
  id: string
  tenant: string
  hash: string
  prefix: string
  last4: string
  name: string
  scopes: string[]
  capture: 'full' | 'metadata' | null
  tags: string[]
  created_by: string | null
  expires_at: string | null
  /** Only of keys in nobody's hands. @default false */
  acts_for_others?: boolean
}

/** Null where the tenant does not exist. */
export async function insertKey(sql: Sql | TransactionSql, key: KeyInsert): Promise<KeyView | null> {
  const [row] = await sql<KeyView[]>`
    insert into access_keys
      (id, tenant, hash, prefix, last4, name, scopes, capture, tags, created_by, expires_at, acts_for_others)
    select ${key.id}, id, decode(${key.hash}, 'base64'), ${key.prefix}, ${key.last4}, ${key.name},
      ${key.scopes}::text[], ${key.capture}, ${key.tags}::text[], ${key.created_by}::uuid,
      ${key.expires_at}::timestamptz, ${key.acts_for_others ?? false}
    from tenants where id = ${key.tenant}
    returning ${shown(sql)}`
  return row ?? null
}

/** Newest first, one more than asked for where there are more. */
export function listKeys(
  sql: Sql,
  reach: Reach,
  page: { limit: number; before: string | null },
): Promise<KeyView[]> {
  return sql<KeyView[]>`
    select ${shown(sql)} from access_keys
    where ${within(sql, reach)} and (${page.before}::uuid is null or id < ${page.before}::uuid)
    order by id desc limit ${page.limit + 1}`
}

export async function getKey(sql: Sql, reach: Reach, id: string): Promise<KeyView | null> {
  const [row] = await sql<KeyView[]>`
    select ${shown(sql)} from access_keys where id = ${id} and ${within(sql, reach)}`
  return row ?? null
}

/** A key that is revoked already keeps its time. */
export async function revokeKey(
  sql: Sql | TransactionSql,
  reach: Reach,
  id: string,
): Promise<KeyView | null> {
  const [row] = await sql<KeyView[]>`
    update access_keys set revoked_at = coalesce(revoked_at, now())
    where id = ${id} and ${within(sql, reach)} returning ${shown(sql)}`
  return row ?? null
}

/** Times never go back, whichever of several gateways writes last. */
export async function markUsed(sql: Sql, uses: readonly { id: string; at: number }[]): Promise<void> {
  await sql`
    update access_keys set last_used_at = greatest(last_used_at, to_timestamp(used.at / 1000))
    from unnest(${uses.map(({ id }) => id)}::uuid[], ${uses.map(({ at }) => at)}::float8[]) as used (id, at)
    where access_keys.id = used.id`
}

/** False where there is an admin key already. */
export async function insertAdminKey(sql: Sql, hash: string): Promise<boolean> {
  const rows = await sql`
    insert into access_admin (hash) values (decode(${hash}, 'base64'))
    on conflict (singleton) do nothing returning singleton`
  return rows.length > 0
}

/** Null where the id is taken. */
export async function insertTenant(
  sql: Sql | TransactionSql,
  tenant: { id: string; name: string },
): Promise<TenantView | null> {
  const [row] = await sql<TenantView[]>`
    insert into tenants (id, name) values (${tenant.id}, ${tenant.name})
    on conflict (id) do nothing returning id, name, ${iso(sql, 'created_at')}`
  return row ?? null
}

export function listTenants(sql: Sql, page: { limit: number; after: string | null }): Promise<TenantView[]> {
  return sql<TenantView[]>`
    select id, name, ${iso(sql, 'created_at')} from tenants
    where ${page.after}::text is null or id > ${page.after} order by id limit ${page.limit + 1}`
}

export async function getTenant(sql: Sql, id: string): Promise<TenantView | null> {
  const [row] = await sql<TenantView[]>`
    select id, name, ${iso(sql, 'created_at')} from tenants where id = ${id}`
  return row ?? null
}

function within(sql: Sql | TransactionSql, reach: Reach) {
  return sql`(${reach.tenant}::text is null or tenant = ${reach.tenant}) and scopes <@ ${[...reach.scopes]}::text[]`
}

function shown(sql: Sql | TransactionSql) {
  return sql`access_keys.id, tenant, access_keys.name, prefix, last4, scopes, capture, tags,
    case when revoked_at is not null then 'revoked' when expires_at <= now() then 'expired' else 'active' end
      as status,
    ${iso(sql, 'created_at', 'access_keys')}, created_by, ${iso(sql, 'expires_at')}, ${iso(sql, 'revoked_at')},
    ${iso(sql, 'last_used_at')}`
}

/** Times as text, so that no driver setting and no time zone can change them. */
function iso(sql: Sql | TransactionSql, column: string, table?: string) {
  const name = table === undefined ? sql(column) : sql(`${table}.${column}`)
  return sql`to_char(${name} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as ${sql(column)}`
}

/** May a key still be used, for what was asked for with it earlier? */
export async function isKeyGood(sql: Sql | TransactionSql, id: string): Promise<boolean> {
  const rows = await sql`
    select 1 from access_keys where id = ${id} and revoked_at is null and (expires_at is null or expires_at > now())`
  return rows.length > 0
}
