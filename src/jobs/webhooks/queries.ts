import type { Sql } from 'postgres'
import type { DeliveryView, WebhookChange, WebhookView } from './shapes.ts'

export async function insertWebhook(
  sql: Sql,
  row: Omit<WebhookView, 'enabled' | 'error' | 'created_at'> & { secret: string },
): Promise<WebhookView> {
  const [made] = await sql<[WebhookView]>`
    insert into job_webhooks (id, tenant, key_id, name, url, secret, events, kinds, tags, on_request)
    values (${row.id}, ${row.tenant}, ${row.key_id}, ${row.name}, ${row.url}, ${row.secret}, ${row.events}::text[],
      ${row.kinds}::text[], ${row.tags}::text[], ${row.on_request})
    returning ${columns(sql)}`
  return made
}

/** `tenant`: null where any may be seen. */
export async function findWebhook(sql: Sql, id: string, tenant: string | null): Promise<WebhookView | null> {
  const [row] = await sql<WebhookView[]>`
    select ${columns(sql)} from job_webhooks where id = ${id} ${within(sql, tenant)}`
  return row ?? null
}

/** Newest first. */
export async function listWebhooks(sql: Sql, tenant: string | null, limit: number): Promise<WebhookView[]> {
  return await sql<WebhookView[]>`
    select ${columns(sql)} from job_webhooks where true ${within(sql, tenant)} order by id desc limit ${limit}`
}

export async function updateWebhook(
  sql: Sql,
  view: WebhookView,
  change: WebhookChange,
): Promise<WebhookView> {
  const { name = view.name, events = view.events, enabled = view.enabled } = change
  const [row] = await sql<WebhookView[]>`
    update job_webhooks set name = ${name}, events = ${events}::text[], enabled = ${enabled},
      error = case when ${enabled} then null else error end
    where id = ${view.id} returning ${columns(sql)}`
  return row ?? view
}

export async function deleteWebhook(sql: Sql, id: string): Promise<void> {
  await sql`delete from job_webhooks where id = ${id}`
}

/** Newest first. */
export async function listDeliveries(sql: Sql, webhookId: string, limit: number): Promise<DeliveryView[]> {
  return await sql<DeliveryView[]>`
    select id, job_id, event, ${time(sql, 'created_at')}, ${time(sql, 'delivered_at')}, tries, status, error, given_up
    from job_deliveries where webhook_id = ${webhookId} order by created_at desc limit ${limit}`
}

export async function knownWebhooks(sql: Sql, tenant: string, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set()
  const rows = await sql<{ id: string }[]>`
    select id from job_webhooks where id = any(${[...ids]}::uuid[]) and tenant = ${tenant}`
  return new Set(rows.map(({ id }) => id))
}

function within(sql: Sql, tenant: string | null) {
  return tenant === null ? sql`` : sql`and tenant = ${tenant}`
}

function columns(sql: Sql) {
  return sql`id, tenant, key_id, name, url, events, kinds, tags, on_request, enabled, error, ${time(sql, 'created_at')}`
}

function time(sql: Sql, name: string) {
  return sql`to_char(${sql(name)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as ${sql(name)}`
}
