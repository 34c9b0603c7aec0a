import type { Sql, TransactionSql } from 'postgres'
import { isKeyGood } from '#access'
import { errorText } from '#lib/errors'
import type { Logger } from '#lib/log'
import { tellCancelled } from '../control/cancel.ts'
import { cancelMany, removeMany, retryMany } from '../control/many.ts'
import type { Announcer } from '../events/announce.ts'
import type { JobFilters } from '../reading/filters.ts'
import { type Action, nextTargets } from './targets.ts'

const stepMs = 200
const idleMs = 1_000
const mostAtOnce = 500

type Bulk = {
  id: string
  key_id: string | null
  action: Action
  filter: JobFilters
  position: string
  /** What its rate allows by now. */
  room: number
}

type Changed = { retried: string[]; cancelled: { id: string; state: string }[]; removed: string[] }

/** Carries bulk operations out, each at its rate. Every worker does; a row's lock decides between them. */
export function openBulkWork(options: { sql: Sql; announcer: Announcer; log: Logger }): {
  stop(): Promise<void>
} {
  const { sql, announcer, log } = options
  const stopping = new AbortController()
  const running = loop()
  return {
    async stop() {
      stopping.abort()
      await running
    },
  }

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      const ms = await step().catch((error) => {
        log.debug({ reason: errorText(error) }, 'jobs: bulk operations wait')
        return idleMs
      })
      await pause(ms, stopping.signal)
    }
  }

  /** @returns until the next step, in ms */
  async function step(): Promise<number> {
    const bulks = await sql<{ id: string }[]>`
      select id from job_bulks where state = 'running' order by id limit 10`
    for (const { id } of bulks) await sliceOf(id)
    return bulks.length > 0 ? stepMs : idleMs
  }

  /** One that fails has the reason in its row, tries on, and holds up no other. */
  async function sliceOf(id: string): Promise<void> {
    try {
      const changed = await sql.begin(async (tx) => {
        const bulk = await take(tx, id)
        if (bulk === null) return null
        return (await isOrdered(tx, bulk)) ? await carryOn(tx, bulk) : await end(tx, bulk.id)
      })
      if (changed !== null) await tell(changed)
    } catch (error) {
      const reason = errorText(error, 300)
      log.warn({ bulk: id, reason }, 'jobs: a bulk operation cannot go on, trying')
      await sql`update job_bulks set error = ${reason} where id = ${id}`
    }
  }

  async function tell({ retried, cancelled }: Changed): Promise<void> {
    for (const id of retried) announcer.changed(id)
    if (retried.length > 0) announcer.due()
    if (cancelled.length > 0) await tellCancelled(sql, announcer, cancelled)
  }
}

/** @returns null where another worker is at it, or it was paused or ended meanwhile */
async function take(tx: TransactionSql, id: string): Promise<Bulk | null> {
  const [row] = await tx<Bulk[]>`
    select id, key_id, action, filter, position,
      floor(least(allowance + per_second * extract(epoch from now() - allowance_at), greatest(1, per_second)))::int as room
    from job_bulks where id = ${id} and state = 'running' for update skip locked`
  return row ?? null
}

/** Whoever ordered it may have lost the right to since. */
async function isOrdered(tx: TransactionSql, { key_id }: Bulk): Promise<boolean> {
  return key_id === null || (await isKeyGood(tx, key_id))
}

async function end(tx: TransactionSql, id: string): Promise<null> {
  await tx`
    update job_bulks set state = 'cancelled', ended_at = now(), error = 'the key that ordered it is no longer good'
    where id = ${id}`
  return null
}

/** What an action changes and where it has got to are one commit: none is done twice, or passed over. */
async function carryOn(tx: TransactionSql, { id, action, filter, position, room }: Bulk): Promise<Changed> {
  const changed: Changed = { retried: [], cancelled: [], removed: [] }
  const limit = Math.min(room, mostAtOnce)
  if (limit < 1) return changed
  // One more than may be taken: whether it is the last slice is known at once.
  const found = await nextTargets(tx, filter, { below: position, limit: limit + 1 })
  const ids = found.slice(0, limit)
  if (action === 'retry') changed.retried = await retryMany(tx, ids)
  if (action === 'cancel') changed.cancelled = await cancelMany(tx, ids, 'a bulk operation')
  if (action === 'remove') changed.removed = await removeMany(tx, ids)
  const count = changed.retried.length + changed.cancelled.length + changed.removed.length
  const over = found.length <= limit
  await tx`
    update job_bulks set changed = changed + ${count}, error = null,
      position = ${ids.at(-1) ?? position}, allowance_at = now(),
      allowance = least(allowance + per_second * extract(epoch from now() - allowance_at), greatest(1, per_second))
        - ${ids.length},
      state = case when ${over} then 'done' else state end, ended_at = case when ${over} then now() end
    where id = ${id}`
  return changed
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const end = () => resolve()
  const timer = setTimeout(end, ms)
  signal.addEventListener('abort', end)
  await promise
  signal.removeEventListener('abort', end)
  clearTimeout(timer)
}
