import type { Sql } from 'postgres'
import type { Producer } from '#broker'
import { errorText } from '#lib/errors'
import type { Logger } from '#lib/log'
import type { WebhooksPayload } from '#queues/webhooks'

const idleMs = 500
/** While there is more than may be under way at once. */
const busyMs = 50
const perLane = 8
const atOnce = 200
/** What the queue has had for so long without an outcome it may have lost. */
const lostMinutes = 10
const sweepEveryMs = 10_000

export type OutboxOptions = {
  sql: Sql
  producer: Pick<Producer<WebhooksPayload>, 'enqueueMany'>
  log: Logger
}

/**
 * Puts deliveries that are due on the queue `webhooks`, a few of each lane at a time. Every worker does; the row says
 * which are left, whatever becomes of the queue.
 */
export function openOutbox({ sql, producer, log }: OutboxOptions): { stop(): Promise<void> } {
  let stopped = false
  let wake = () => {}
  let sweptAt = Number.NEGATIVE_INFINITY
  const running = loop()
  return {
    async stop() {
      stopped = true
      wake()
      await running
    },
  }

  async function loop(): Promise<void> {
    while (!stopped) {
      const taken = await step().catch((error) => {
        log.debug({ reason: errorText(error) }, 'jobs: webhooks wait for the queue')
        return 0
      })
      if (stopped) return
      const { promise, resolve } = Promise.withResolvers<void>()
      wake = resolve
      const timer = setTimeout(resolve, taken > 0 ? busyMs : idleMs)
      await promise
      clearTimeout(timer)
    }
  }

  async function step(): Promise<number> {
    if (performance.now() - sweptAt > sweepEveryMs) {
      sweptAt = performance.now()
      await takeBack(sql)
    }
    const due = await takeDue(sql)
    if (due.length === 0) return 0
    try {
      await producer.enqueueMany(
        due.map(({ id, handed }) => ({
          // With a number, as the queue remembers what it has done under an id.
          id: `job-${id}-${handed}`,
          payload: { v: 1 as const, kind: 'job' as const, id },
        })),
      )
    } catch (error) {
      await putBack(sql, due)
      throw error
    }
    return due.length
  }
}

type Due = { id: string; handed: number }

/** Lane by lane, so that what piles up before one receiver is not even read. */
async function takeDue(sql: Sql): Promise<Due[]> {
  return await sql<Due[]>`
    with recursive lanes as (
      (select lane from job_deliveries where state = 'pending' order by lane limit 1)
      union all
      select (select d.lane from job_deliveries d where d.state = 'pending' and d.lane > lanes.lane order by d.lane limit 1)
      from lanes where lanes.lane is not null
    ), due as (
      select next.id from lanes, lateral (
        select d.id from job_deliveries d where d.state = 'pending' and d.lane = lanes.lane and d.next_at <= now()
        order by d.next_at limit greatest(0, ${perLane} -
          (select count(*) from job_deliveries q where q.state = 'queued' and q.lane = lanes.lane))
      ) next limit ${atOnce}
    )
    update job_deliveries d set state = 'queued', handed = handed + 1,
      next_at = now() + make_interval(mins => ${lostMinutes})
    from due where d.id = due.id and d.state = 'pending' returning d.id, d.handed`
}

/** The queue may have taken some of them: those find their delivery taken. */
async function putBack(sql: Sql, due: readonly Due[]): Promise<void> {
  await sql`
    update job_deliveries set state = 'pending', next_at = now() + interval '1 second'
    where id = any(${due.map(({ id }) => id)}::uuid[]) and state = 'queued'`
}

/** A queue that lost its data has lost these too. Those of a webhook that was deleted meanwhile go. */
async function takeBack(sql: Sql): Promise<void> {
  await sql`
    delete from job_deliveries d where state = 'queued' and next_at <= now()
      and not exists (select from job_webhooks w where w.id = d.webhook_id)`
  await sql`
    update job_deliveries set state = 'pending', next_at = now() where state = 'queued' and next_at <= now()`
}
