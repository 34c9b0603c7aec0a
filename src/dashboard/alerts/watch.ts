import type { Sql } from 'postgres'
import type { Broker, Producer } from '#broker'
import { errorText } from '#lib/errors'
import type { Logger } from '#lib/log'
import type { Vault } from '#lib/vault'
import type { WebhooksPayload } from '#queues/webhooks'
import { evaluate } from './evaluate.ts'
import { measuring } from './measure.ts'
import { overdueEvents } from './queries.ts'
import { sealClearSecrets } from './secrets.ts'

export type AlertWatchOptions = {
  sql: Sql
  broker: Broker
  rowsQueue: string
  producer: Producer<WebhooksPayload>
  vault: Vault
  log: Logger
  /** @default 10_000 */
  everyMs?: number
}

/** Looks at the rules now and then, and puts what there is to tell on the queue of webhooks. */
export function watchAlerts(options: AlertWatchOptions): { look(): Promise<void>; close(): void } {
  const { sql, broker, rowsQueue, producer, vault, log, everyMs = 10_000 } = options
  let looking: Promise<void> | null = null
  const timer = setInterval(() => void look(), everyMs)
  timer.unref()
  return { look, close: () => clearInterval(timer) }

  function look(): Promise<void> {
    looking ??= lookOnce()
      .catch((error) => log.debug({ reason: errorText(error) }, 'alerts: not looked at'))
      .finally(() => {
        looking = null
      })
    return looking
  }

  async function lookOnce(): Promise<void> {
    await sealClearSecrets(sql, vault)
    const [any] = await sql`select 1 from queue_alert_rules where enabled limit 1`
    if (any === undefined) return
    const events = await evaluate(sql, measuring({ sql, broker, rowsQueue }))
    for (const id of [...events, ...(await overdueEvents(sql))]) {
      producer.enqueue({ v: 1, kind: 'queue-alert', id }, { id: `queue-alert-${id}` }).catch((error) => {
        log.warn({ alert: id, reason: errorText(error) }, 'alerts: one waits for the queue')
      })
    }
  }
}
