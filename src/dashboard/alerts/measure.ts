import type { Sql } from 'postgres'
import { type Broker, flowReports, workersSeen } from '#broker'
import { kindSettings, oldestQueued, rowCounts } from '../queues/row-counts.ts'
import type { Measure } from './view.ts'

/** What rules are about, measured once for all of them. Null: it cannot be known now, so nothing follows from it. */
export type Measured = (queue: string, measure: Measure) => Promise<number | null>

const reportMinutes = 15

export function measuring(options: { sql: Sql; broker: Broker; rowsQueue: string }): Measured {
  const { sql, broker, rowsQueue } = options
  const once = new Map<string, Promise<unknown>>()
  const shared = <Value>(key: string, read: () => Promise<Value>): Promise<Value> => {
    const known = once.get(key) ?? read()
    once.set(key, known)
    return known as Promise<Value>
  }

  const measures: Record<Measure, (queue: string) => Promise<number>> = {
    ...{ backlog, 'oldest-age': oldestAge, 'failure-rate': failureRate, 'no-workers': noWorkers },
  }
  return async (queue, measure) => {
    try {
      return await measures[measure](queue)
    } catch {
      return null
    }
  }

  async function backlog(queue: string): Promise<number> {
    if (queue !== rowsQueue)
      return (await shared(queue, () => broker.inspect({ name: queue }).overview())).waiting
    const rows = await shared('rows', () => rowCounts(sql))
    return rows.reduce((total, { waiting }) => total + waiting, 0)
  }

  async function oldestAge(queue: string): Promise<number> {
    if ((await backlog(queue)) === 0) return 0
    const at = queue === rowsQueue ? await oldestQueued(sql) : await oldestOf(queue)
    return at === null ? 0 : Math.max(0, (Date.now() - at) / 1_000)
  }

  async function oldestOf(queue: string): Promise<number | null> {
    const [oldest] = await broker.inspect({ name: queue }).jobs('waiting', { start: 0, count: 1 })
    return oldest?.added_at ?? null
  }

  async function failureRate(queue: string): Promise<number> {
    const reports = await shared('flow', () => flowReports(sql, { minutes: reportMinutes }))
    const { done = 0, failed = 0 } = reports.find((one) => one.queue === queue) ?? {}
    return done + failed === 0 ? 0 : (100 * failed) / (done + failed)
  }

  async function noWorkers(queue: string): Promise<number> {
    const workers = await shared('workers', () => workersSeen(sql))
    if (workers.some((worker) => worker.queue === queue)) return 0
    return (await mayRun(queue)) ? 1 : 0
  }

  /** Does anything wait that nobody has paused? */
  async function mayRun(queue: string): Promise<boolean> {
    if (queue !== rowsQueue) {
      const { waiting, paused } = await shared(queue, () => broker.inspect({ name: queue }).overview())
      return waiting > 0 && !paused
    }
    const rows = await shared('rows', () => rowCounts(sql))
    const settings = await shared('settings', () => kindSettings(sql))
    const held = new Set(settings.flatMap(({ kind, paused }) => (paused ? [kind] : [])))
    return !held.has('*') && rows.some(({ kind, waiting }) => waiting > 0 && !held.has(kind))
  }
}
