import type { Sql } from 'postgres'
import type { Producer } from '#broker'
import { errorText } from '#lib/errors'
import type { Logger } from '#lib/log'
import type { WebhooksPayload } from '#queues/webhooks'

const everyMs = 500
const atOnce = 200
/** So long after it was taken a delivery without an outcome may have been lost by the queue. */
const lostMinutes = 10

/** Puts deliveries on the queue `webhooks`, which tries them until they are taken. Every worker does. */
export function openOutbox(options: {
  sql: Sql
  producer: Pick<Producer<WebhooksPayload>, 'enqueueMany'>
  log: Logger
}): { stop(): Promise<void> } {
  const { sql, producer, log } = options
  let sending: Promise<void> | null = null
  let looks = 0
  const timer = setInterval(() => {
    sending ??= send()
      .catch((error) => log.debug({ reason: errorText(error) }, 'jobs: webhooks wait for the queue'))
      .finally(() => {
        sending = null
      })
  }, everyMs)

  return {
    async stop() {
      clearInterval(timer)
      await sending
    },
  }

  async function send(): Promise<void> {
    looks += 1
    if (looks % 120 === 1) await recall()
    for (;;) {
      const count = await sql.begin(async (tx) => {
        const rows = await tx<{ id: string }[]>`
          select id from job_deliveries where enqueued_at is null order by created_at limit ${atOnce}
          for update skip locked`
        if (rows.length === 0) return 0
        await producer.enqueueMany(
          rows.map(({ id }) => ({ id: `job-${id}`, payload: { v: 1 as const, kind: 'job' as const, id } })),
        )
        await tx`update job_deliveries set enqueued_at = now() where id = any(${rows.map(({ id }) => id)}::uuid[])`
        return rows.length
      })
      if (count < atOnce) return
    }
  }

  /** A queue that lost its data has lost them too; one that has them still passes over those that come again. */
  async function recall(): Promise<void> {
    await sql`
      update job_deliveries set enqueued_at = null
      where delivered_at is null and not given_up and tries = 0
        and enqueued_at < now() - make_interval(mins => ${lostMinutes}) and created_at > now() - interval '1 day'`
  }
}
