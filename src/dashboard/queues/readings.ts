import type { Sql } from 'postgres'
import {
  type Broker,
  type EngineState,
  type FlowReport,
  flowReports,
  flowSeries,
  type QueueOverview,
  type WorkerSeen,
  workersSeen,
} from '#broker'
import type { QueueContract } from '#queues/queue'
import { type KindSetting, kindSettings, oldestQueued, type RowCount, rowCounts } from './row-counts.ts'

export type Contract = Pick<QueueContract<never>, 'name' | 'opaque'>

/** What is known of the engine; asked often. */
export type EngineReading = { up: boolean; overview: QueueOverview | null; oldestAt: number | null }

/** What is known from the database; asked less often, as it may cost more. */
export type FlowReading = {
  reports: FlowReport[]
  series: { queue: string; minute: string; done: number; failed: number }[]
  kinds: FlowReport[]
  rows: RowCount[]
  settings: KindSetting[]
  oldestRow: number | null
  doneToday: number
}

const reportMinutes = 15
const seriesMinutes = 60

export async function readEngine(broker: Broker, contract: Contract): Promise<EngineReading> {
  const inspector = broker.inspect(contract)
  try {
    const overview = await inspector.overview()
    const waits: EngineState = 'waiting'
    const [oldest] = overview.waiting > 0 ? await inspector.jobs(waits, { start: 0, count: 1 }) : []
    return { up: true, overview, oldestAt: oldest?.added_at ?? null }
  } catch {
    return { up: false, overview: null, oldestAt: null }
  }
}

export async function readWorkers(sql: Sql): Promise<WorkerSeen[]> {
  return await workersSeen(sql)
}

export async function readFlow(sql: Sql, rowsQueue: string): Promise<FlowReading> {
  const reports = await flowReports(sql, { minutes: reportMinutes })
  const series = await flowSeries(sql, { minutes: seriesMinutes })
  const kinds = await flowReports(sql, { minutes: reportMinutes, kindsOf: rowsQueue })
  const rows = await rowCounts(sql)
  const settings = await kindSettings(sql)
  const oldestRow = await oldestQueued(sql)
  const [today] = await sql<{ done: number }[]>`
    select coalesce(sum(done), 0)::int as done from queue_minutes
    where queue = ${rowsQueue} and minute > now() - interval '24 hours'`
  return { reports, series, kinds, rows, settings, oldestRow, doneToday: today?.done ?? 0 }
}
