import type { Sql } from 'postgres'
import type { Handler } from '#broker'
import type { WebhooksPayload } from '#queues/webhooks'
import { type Outcome, type Sending, type SendOptions, send } from './send.ts'
import { ordinaryWait, waitBefore } from './waits.ts'

type Delivery = Sending & { enabled: boolean; tries: number }

export type DeliverOptions = SendOptions & {
  sql: Sql
  /** After that many tries, in s; null: there is no further one. @default a ladder of about a day */
  waitS?: (tries: number) => number | null
}

/**
 * Tries one delivery once, and writes down what came of it; the next try is the outbox's. Rejects only where the
 * database is away.
 */
export function jobWebhookHandler(options: DeliverOptions): Handler<WebhooksPayload> {
  const { sql, waitS = ordinaryWait } = options
  return async ({ id }, { judge }) => {
    const delivery = await findQueued(sql, id)
    if (delivery === null) return { sent: false }
    const outcome = delivery.enabled ? await send(delivery, options) : disabled
    const own = outcome.delivered || outcome.final ? null : waitS(delivery.tries + 1)
    const wait = waitBefore(own, outcome.retryAfterS)
    await writeOutcome(sql, delivery, { ...outcome, wait })
    judge?.(outcome.delivered ? 'done' : wait === null ? 'failed' : 'retried')
    return { sent: outcome.delivered, status: outcome.status }
  }
}

const disabled: Outcome = {
  ...{ delivered: false, final: true, status: null, retryAfterS: null, tookMs: 0, answer: null },
  error: 'the webhook is disabled',
}
const gone = 410

/** The try of a test: there is one, whether the webhook is enabled or not. */
export async function tryOnce(options: DeliverOptions, id: string): Promise<void> {
  const delivery = await findQueued(options.sql, id)
  if (delivery === null) return
  const outcome = await send(delivery, options)
  await writeOutcome(options.sql, delivery, { ...outcome, wait: null })
}

/** @returns null where it is not to be tried now: another worker had it, or its webhook was deleted */
async function findQueued(sql: Sql, id: string): Promise<Delivery | null> {
  const [row] = await sql<Delivery[]>`
    select d.id, d.job_id, d.webhook_id, d.event, d.data, job_time(d.created_at) as created_at, d.tries, w.url, w.enabled,
      case when w.old_secret_until > now() then array[w.secret, w.old_secret] else array[w.secret] end as secrets
    from job_deliveries d join job_webhooks w on w.id = d.webhook_id where d.id = ${id} and d.state = 'queued'`
  return row ?? null
}

/** A receiver that is gone is not asked again. `wait` in s, before the next try; null: there is none. */
async function writeOutcome(
  sql: Sql,
  { id, webhook_id, job_id }: Delivery,
  { delivered, status, tookMs, answer, error, wait }: Outcome & { wait: number | null },
): Promise<void> {
  const state = delivered ? 'delivered' : wait === null ? 'failed' : 'pending'
  await sql`
    with written as (
      update job_deliveries set state = ${state}, tries = tries + 1, tried_at = now(), status = ${status},
        took_ms = ${tookMs}, answer = ${answer}, error = ${error}, delivered_at = case when ${delivered} then now() end,
        next_at = now() + ${wait ?? 0}::float8 * interval '1 second'
      where id = ${id} and state = 'queued'
    )
    update job_webhooks set enabled = false, error = 'its receiver answered 410: it is gone'
    where id = ${webhook_id} and ${status === gone && job_id !== null}`
}
