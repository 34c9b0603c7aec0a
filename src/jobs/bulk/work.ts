import type { Sql, TransactionSql } from 'postgres'
import { errorText } from '#lib/errors'
import type { Logger } from '#lib/log'
import { tellCancelled } from '../control/cancel.ts'
import { cancelMany, retryMany } from '../control/many.ts'
import type { Announcer } from '../events/announce.ts'
import type { JobFilters } from '../reading/filters.ts'
import { type Action, nextTargets } from './targets.ts'

const stepMs = 200
const idleMs = 1_000
const mostAtOnce = 500

type Bulk = {
  id: string
  action: Action
  filter: JobFilters
  position: string
  /** What its rate allows by now. */
  room: number
}

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
    while (!stopping.signal.aborted) await pause(await step().catch(failed), stopping.signal)
  }

  /** @returns until the next step, in ms */
  async function step(): Promise<number> {
    const done = await sql.begin(async (tx) => {
      const bulks = await take(tx)
      const results = []
      for (const bulk of bulks) results.push(await carryOn(tx, bulk))
      return results
    })
    for (const { retried, cancelled } of done) {
      for (const id of retried) announcer.changed(id)
      if (retried.length > 0) announcer.due()
      if (cancelled.length > 0) await tellCancelled(sql, announcer, cancelled)
    }
    return done.length > 0 ? stepMs : idleMs
  }

  function failed(error: unknown): number {
    log.debug({ reason: errorText(error) }, 'jobs: a bulk operation waits')
    return idleMs
  }
}

async function take(tx: TransactionSql): Promise<Bulk[]> {
  return await tx<Bulk[]>`
    select id, action, filter, position,
      floor(least(allowance + per_second * extract(epoch from now() - allowance_at), greatest(1, per_second)))::int as room
    from job_bulks where state = 'running' order by id limit 10 for update skip locked`
}

/** What an action changes and where it has got to are one commit: none is done twice, or passed over. */
async function carryOn(tx: TransactionSql, { id, action, filter, position, room }: Bulk) {
  const limit = Math.min(room, mostAtOnce)
  const none = { retried: [] as string[], cancelled: [] as { id: string; state: string }[] }
  if (limit < 1) return none
  const ids = await nextTargets(tx, filter, { below: position, limit })
  const retried = action === 'retry' ? await retryMany(tx, ids) : []
  const cancelled = action === 'cancel' ? await cancelMany(tx, ids, 'a bulk operation') : []
  const over = ids.length < limit
  await tx`
    update job_bulks set changed = changed + ${retried.length + cancelled.length},
      position = ${ids.at(-1) ?? position}, allowance_at = now(),
      allowance = least(allowance + per_second * extract(epoch from now() - allowance_at), greatest(1, per_second))
        - ${ids.length},
      state = case when ${over} then 'done' else state end, ended_at = case when ${over} then now() end
    where id = ${id}`
  return { retried, cancelled }
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
