import type { Sql } from 'postgres'
import { Webhook } from 'standardwebhooks'
import { FinalJobError, type Handler } from '#broker'
import { errorText, SluiceError } from '#lib/errors'
import { safeRequest } from '#lib/safe-request'
import { type WebhooksPayload, webhooks } from '#queues/webhooks'
import { parsed } from '../body.ts'
import { type JobItem, jobColumns } from '../reading/item.ts'

type Delivery = {
  id: string
  job_id: string
  event: string
  url: string
  secret: string
  webhook_id: string
  enabled: boolean
  over: boolean
}

/** A larger result is named, and not sent. In bytes. */
const mostResult = 64 * 1024
const gone = 410

/**
 * Delivers the end of a job to one receiver, signed by the Standard Webhooks scheme. Throws where it is to be tried
 * again. A receiver that says 410 is never asked again.
 */
export function jobWebhookHandler({
  sql,
  allowPrivate,
}: {
  sql: Sql
  allowPrivate: boolean
}): Handler<WebhooksPayload> {
  return async ({ id }, { attempt }) => {
    const delivery = await find(sql, id)
    if (delivery === null || delivery.over || !delivery.enabled) return { sent: false }
    try {
      const status = await send(sql, delivery, allowPrivate)
      await sql`
        update job_deliveries set delivered_at = now(), status = ${status}, error = null, tries = tries + 1 where id = ${id}`
      return { sent: true, status }
    } catch (error) {
      const final = await written(sql, delivery, { error, last: attempt >= webhooks.retry.attempts })
      if (final) throw new FinalJobError(errorText(error))
      throw error
    }
  }
}

async function send(
  sql: Sql,
  { id, job_id, event, url, secret }: Delivery,
  allowPrivate: boolean,
): Promise<number> {
  const time = new Date()
  const data = await told(sql, job_id)
  const body = JSON.stringify({ type: `job.${event}`, timestamp: time.toISOString(), data })
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'sluice',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(time.getTime() / 1_000)),
    'webhook-signature': new Webhook(secret).sign(id, time, body),
  }
  const { status } = await safeRequest({ url, method: 'POST', headers, body, allowPrivate })
  if (status >= 200 && status < 300) return status
  throw new RefusedError(status)
}

class RefusedError extends Error {
  readonly status: number

  constructor(status: number) {
    super(`deliver a webhook: the receiver answered ${status}`)
    this.status = status
  }
}

/** @returns whether a further try is pointless */
async function written(
  sql: Sql,
  { id, webhook_id }: Delivery,
  { error, last }: { error: unknown; last: boolean },
): Promise<boolean> {
  const status = error instanceof RefusedError ? error.status : null
  const refused = error instanceof SluiceError && error.status === 422
  const over = refused || status === gone
  await sql`
    update job_deliveries set error = ${errorText(error, 300)}, status = ${status}, tries = tries + 1, given_up = ${over || last}
    where id = ${id}`
  if (status === gone) {
    await sql`
      update job_webhooks set enabled = false, error = 'its receiver answered 410: it is gone' where id = ${webhook_id}`
  }
  return over
}

async function told(sql: Sql, jobId: string) {
  const [job] = await sql<JobItem[]>`select ${jobColumns(sql)} from jobs j where j.id = ${jobId}`
  if (job === undefined) throw new FinalJobError('the job is no more')
  const [result] = await sql<{ body: Uint8Array }[]>`
    select body from job_bodies where job_id = ${jobId} and part = 'result' and ${(job.result_bytes ?? 0) <= mostResult}`
  const links = { self: `/api/jobs/${jobId}`, result: `/api/jobs/${jobId}/result` }
  return { ...job, ...(result === undefined ? {} : { result: parsed(result.body) }), links }
}

async function find(sql: Sql, id: string): Promise<Delivery | null> {
  const [row] = await sql<Delivery[]>`
    select d.id, d.job_id, d.event, d.webhook_id, w.url, w.secret, w.enabled,
      d.delivered_at is not null or d.given_up as over
    from job_deliveries d join job_webhooks w on w.id = d.webhook_id where d.id = ${id}`
  return row ?? null
}
