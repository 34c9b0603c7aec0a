import type { Sql } from 'postgres'
import { FinalJobError, type Handler } from '#broker'
import { errorText, SluiceError } from '#lib/errors'
import type { Vault } from '#lib/vault'
import type { WebhooksPayload } from '#queues/webhooks'
import { openedSecret } from './secrets.ts'
import { sendSigned, type Target } from './send.ts'
import type { EventView } from './view.ts'

type Event = Pick<
  EventView,
  'id' | 'rule_id' | 'name' | 'queue' | 'measure' | 'type' | 'at' | 'value' | 'threshold'
> & {
  webhook_url: string | null
  webhook_secret: string | null
  webhook_error: string | null
  delivered: boolean
}

/** Tells one change of a rule's state, signed by the Standard Webhooks scheme. Throws where it is to be tried again. */
export function queueAlertHandler(options: {
  sql: Sql
  vault: Vault
  /** May receivers be on this machine or its network? */
  allowPrivate: boolean
}): Handler<WebhooksPayload> {
  const { sql, vault, allowPrivate } = options
  return async ({ id }) => {
    const event = await find(sql, id)
    if (event === null || event.webhook_url === null || event.webhook_secret === null || event.delivered) {
      return { sent: false }
    }
    try {
      if (event.webhook_error !== null) throw new FinalJobError(event.webhook_error)
      const secret = openedSecret(vault, event.rule_id, event.webhook_secret)
      const status = await deliver(event, { url: event.webhook_url, secret, allowPrivate })
      if (status === gone) throw await disable(sql, event)
      if (status < 200 || status > 299) throw new Error(`deliver a webhook: the receiver answered ${status}`)
      await sql`update queue_alert_events set delivered_at = now(), error = null where id = ${id}`
      return { sent: true, status }
    } catch (error) {
      await sql`update queue_alert_events set error = ${errorText(error, 300)} where id = ${id}`
      if (error instanceof SluiceError && error.status === 422) throw new FinalJobError(error.message)
      throw error
    }
  }
}

const gone = 410

/** As Standard Webhooks has it: who is gone is not asked again. A receiver that was set meanwhile is another one. */
async function disable(sql: Sql, { rule_id, webhook_url }: Event): Promise<FinalJobError> {
  const reason = 'its receiver answered 410: it is gone'
  await sql`
    update queue_alert_rules set webhook_error = ${reason} where id = ${rule_id} and webhook_url = ${webhook_url}`
  return new FinalJobError(reason)
}

async function deliver(event: Event, target: Target): Promise<number> {
  const { id, rule_id, name, queue, measure, type, at, value, threshold } = event
  const data = { rule_id, name, queue, measure, at, value, threshold }
  return await sendSigned({ id, type: `queue.alert.${type}`, data }, target)
}

async function find(sql: Sql, id: string): Promise<Event | null> {
  const [row] = await sql<Event[]>`
    select e.id, e.rule_id, r.name, r.queue, r.measure, e.type, e.value, e.threshold, r.webhook_url, r.webhook_secret, r.webhook_error,
      to_char(e.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at, e.delivered_at is not null as delivered
    from queue_alert_events e join queue_alert_rules r on r.id = e.rule_id where e.id = ${id}`
  return row ?? null
}
