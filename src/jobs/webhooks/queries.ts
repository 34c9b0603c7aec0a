import type { Sql, TransactionSql } from 'postgres'
import type { WebhookChange, WebhookView } from './shapes.ts'

export type NewWebhook = Omit<WebhookView, 'enabled' | 'error' | 'old_secret_until' | 'created_at'> & {
  /** Sealed. */
  secret: string
}

export async function insertWebhook(sql: TransactionSql, row: NewWebhook): Promise<WebhookView> {
  const [made] = await sql<[WebhookView]>`
    insert into job_webhooks (id, tenant, key_id, name, url, secret, events, kinds, tags, on_request)
    values (${row.id}, ${row.tenant}, ${row.key_id}, ${row.name}, ${row.url}, ${row.secret}, ${row.events}::text[],
      ${row.kinds}::text[], ${row.tags}::text[], ${row.on_request})
    returning ${columns(sql)}`
  return made
}

/** Those given with a job or a schedule are found too. `tenant`: null where any may be seen. */
export async function findWebhook(sql: Sql, id: string, tenant: string | null): Promise<WebhookView | null> {
  const [row] = await sql<WebhookView[]>`
    select ${columns(sql)} from job_webhooks where id = ${id} ${within(sql, tenant)}`
  return row ?? null
}

/** Newest first, without those given with a job or a schedule. */
export async function listWebhooks(sql: Sql, tenant: string | null, limit: number): Promise<WebhookView[]> {
  return await sql<WebhookView[]>`
    select ${columns(sql)} from job_webhooks where job_id is null and schedule_id is null ${within(sql, tenant)}
    order by id desc limit ${limit}`
}

export async function updateWebhook(sql: TransactionSql, id: string, change: WebhookChange): Promise<void> {
  const fields = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined))
  const error = change.enabled === true ? { error: null } : {}
  const all = { ...fields, ...error }
  if (Object.keys(all).length > 0) await sql`update job_webhooks set ${sql(all)} where id = ${id}`
}

/** `keepS`: so long the one before signs too. */
export async function rotateSecret(
  sql: TransactionSql,
  id: string,
  { secret, keepS }: { secret: string; keepS: number },
): Promise<void> {
  await sql`
    update job_webhooks set old_secret = secret, old_secret_until = now() + make_interval(secs => ${keepS}),
      secret = ${secret} where id = ${id}`
}

/** With what it was to be told. */
export async function deleteWebhook(sql: TransactionSql, id: string): Promise<void> {
  await sql`
    with gone as (delete from job_webhooks where id = ${id})
    delete from job_deliveries where webhook_id = ${id}`
}

/** Of the tenant's own, those that a job may name. */
export async function knownWebhooks(sql: Sql, tenant: string, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set()
  const rows = await sql<{ id: string }[]>`
    select id from job_webhooks where id = any(${[...ids]}::uuid[]) and tenant = ${tenant}
      and job_id is null and schedule_id is null`
  return new Set(rows.map(({ id }) => id))
}

function within(sql: Sql, tenant: string | null) {
  return tenant === null ? sql`` : sql`and tenant = ${tenant}`
}

function columns(sql: Sql | TransactionSql) {
  return sql`id, tenant, key_id, name, url, events, kinds, tags, on_request, enabled, error,
    case when old_secret_until > now() then job_time(old_secret_until) end as old_secret_until,
    job_time(created_at) as created_at`
}
