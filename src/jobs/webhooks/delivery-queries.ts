import type { Sql, TransactionSql } from 'postgres'
import type { DeliveryView } from './shapes.ts'

export type DeliveryFilter = { webhookId?: string; jobId?: string; state?: DeliveryView['state'] | undefined }

/** Newest first. */
export async function listDeliveries(
  sql: Sql,
  { webhookId, jobId, state }: DeliveryFilter,
  limit: number,
): Promise<DeliveryView[]> {
  return await sql<DeliveryView[]>`
    select ${columns(sql)} from job_deliveries
    where ${webhookId === undefined ? sql`job_id = ${jobId ?? null}` : sql`webhook_id = ${webhookId}`}
      ${state === undefined ? sql`` : sql`and state = ${state}`}
    order by created_at desc, id limit ${limit}`
}

/** What there is to tell is added by whoever reads it. `tenant`: null where any may be seen. */
export async function findDelivery(
  sql: Sql,
  id: string,
  tenant: string | null,
): Promise<(DeliveryView & { data: unknown }) | null> {
  const [row] = await sql<(DeliveryView & { data: unknown })[]>`
    select ${columns(sql)}, data from job_deliveries d where id = ${id} and exists (
      select from job_webhooks w where w.id = d.webhook_id ${tenant === null ? sql`` : sql`and w.tenant = ${tenant}`})`
  return row ?? null
}

/** It is tried anew, with all its tries. @returns whether it was over */
export async function redeliver(sql: TransactionSql, id: string): Promise<boolean> {
  const rows = await sql`
    update job_deliveries set state = 'pending', next_at = now(), tries = 0, error = null, delivered_at = null
    where id = ${id} and state in ('delivered', 'failed') returning id`
  return rows.length > 0
}

/** As if the queue had it: its one try follows at once; should that never come, a worker makes up for it. */
export async function insertTest(sql: TransactionSql, webhookId: string): Promise<string> {
  const [row] = await sql<[{ id: string }]>`
    insert into job_deliveries (webhook_id, lane, event, data, state, next_at)
    values (${webhookId}, ${webhookId}, 'test', '{"test": true}', 'queued', now() + interval '1 minute')
    returning id`
  return row.id
}

function columns(sql: Sql) {
  return sql`id, webhook_id, job_id, event, state, job_time(created_at) as created_at,
    case when state = 'pending' then job_time(next_at) end as next_at, tries, job_time(tried_at) as tried_at, status,
    took_ms, answer, error, job_time(delivered_at) as delivered_at`
}
