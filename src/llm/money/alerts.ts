import type { Sql } from 'postgres'
import { Webhook } from 'standardwebhooks'
import { FinalJobError, type Handler, type Producer } from '#broker'
import { isoTime } from '#lib/clock'
import { errorText, SluiceError } from '#lib/errors'
import type { Logger } from '#lib/log'
import { safeRequest } from '#lib/safe-request'
import type { Vault } from '#lib/vault'
import type { WebhooksPayload } from '#queues/webhooks'
import type { Period } from './period.ts'
import { usd } from './refusals.ts'
import { openedSecret } from './secrets.ts'

type Alert = {
  id: string
  budget_id: string
  name: string
  scope: string
  subject: string | null
  period: Period
  starts_at: string
  threshold: number
  spent_micros: number
  limit_micros: number
  webhook_url: string | null
  webhook_secret: string | null
  webhook_error: string | null
  delivered: boolean
}

/** Puts alerts on the queue; best effort, as those left over are found again. */
export function alertSender(
  producer: Producer<WebhooksPayload>,
  log: Logger,
): (ids: readonly string[]) => void {
  return (ids) => {
    for (const id of ids) {
      producer.enqueue({ v: 1, kind: 'budget-alert', id }, { id: `budget-alert-${id}` }).catch((error) => {
        log.warn({ alert: id, reason: errorText(error) }, 'budgets: an alert waits for the queue')
      })
    }
  }
}

/** Alerts that nobody was told of within a minute: the gateway died, or the queue was down. */
export async function overdueAlerts(sql: Sql): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select a.id from budget_alerts a join budgets b on b.id = a.budget_id
    where a.delivered_at is null and a.error is null and b.webhook_url is not null and b.webhook_error is null
      and a.created_at between now() - interval '1 day' and now() - interval '1 minute'
    order by a.created_at limit 100`
  return rows.map(({ id }) => id)
}

/** Delivers one webhook, signed by the Standard Webhooks scheme. Throws where it is to be tried again. */
export function webhookHandler(options: {
  sql: Sql
  vault: Vault
  log: Logger
  /** May receivers be on this machine or its network? */
  allowPrivate: boolean
}): Handler<WebhooksPayload> {
  const { sql, vault, allowPrivate } = options
  return async ({ id }) => {
    const alert = await find(sql, id)
    if (alert === null || alert.webhook_url === null || alert.webhook_secret === null || alert.delivered) {
      return { sent: false }
    }
    try {
      if (alert.webhook_error !== null) throw new FinalJobError(alert.webhook_error)
      const secret = openedSecret(vault, alert.budget_id, alert.webhook_secret)
      const status = await deliver(alert, alert.webhook_url, { secret, allowPrivate })
      if (status === gone) throw await disable(sql, alert)
      if (status < 200 || status > 299) throw new Error(`deliver a webhook: the receiver answered ${status}`)
      await sql`update budget_alerts set delivered_at = now(), error = null where id = ${id}`
      return { sent: true, status }
    } catch (error) {
      await sql`update budget_alerts set error = ${errorText(error, 300)} where id = ${id}`
      if (error instanceof SluiceError && error.status === 422) throw new FinalJobError(error.message)
      throw error
    }
  }
}

const gone = 410

/** As Standard Webhooks has it: who is gone is not asked again. A receiver that was set meanwhile is another one. */
async function disable(sql: Sql, { budget_id, webhook_url }: Alert): Promise<FinalJobError> {
  const reason = 'its receiver answered 410: it is gone'
  await sql`update budgets set webhook_error = ${reason} where id = ${budget_id} and webhook_url = ${webhook_url}`
  return new FinalJobError(reason)
}

async function deliver(
  alert: Alert,
  url: string,
  { secret, allowPrivate }: { secret: string; allowPrivate: boolean },
): Promise<number> {
  const time = new Date()
  const body = JSON.stringify({
    type: 'budget.threshold',
    timestamp: isoTime(time.getTime()),
    data: told(alert),
  })
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'sluice',
    'webhook-id': alert.id,
    'webhook-timestamp': String(Math.floor(time.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign(alert.id, time, body),
  }
  const { status } = await safeRequest({ url, method: 'POST', headers, body, allowPrivate, cut: true })
  return status
}

function told(alert: Alert) {
  return {
    budget_id: alert.budget_id,
    ...{ name: alert.name, scope: alert.scope, subject: alert.subject, period: alert.period },
    starts_at: alert.period === 'total' ? null : alert.starts_at,
    threshold_percent: alert.threshold,
    ...{ spent_micros: alert.spent_micros, limit_micros: alert.limit_micros },
    ...{ spent: usd(alert.spent_micros), limit: usd(alert.limit_micros), currency: 'USD' },
  }
}

async function find(sql: Sql, id: string): Promise<Alert | null> {
  const [row] = await sql<Alert[]>`
    select a.id, a.budget_id, b.name, b.scope, b.subject, b.period, a.threshold, a.spent_micros, a.limit_micros,
      to_char(a.starts_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as starts_at,
      b.webhook_url, b.webhook_secret, b.webhook_error, a.delivered_at is not null as delivered
    from budget_alerts a join budgets b on b.id = a.budget_id where a.id = ${id}`
  return row ?? null
}
