import type { Sql } from 'postgres'
import type { Broker, WorkerSeen } from '#broker'
import { type Backlog, remember } from './forecast.ts'
import { type IdleWatch, watchIdle } from './idle.ts'
import {
  type Contract,
  type EngineReading,
  type FlowReading,
  readEngine,
  readFlow,
  readWorkers,
} from './readings.ts'

export type Known = {
  at: number
  engines: Map<string, EngineReading>
  workers: WorkerSeen[]
  flow: FlowReading | null
  histories: Map<string, Backlog[]>
  idle: IdleWatch
}

export type PollOptions = {
  sql: Sql
  broker: Broker
  contracts: readonly Contract[]
  /** The queue whose jobs are rows. */
  rowsQueue: string
  /** Between looks at what workers measured and at the rows. @default 2_000 */
  slowMs?: number
}

/** One look at everything, and what is kept from look to look. */
export function openPoll({ sql, broker, contracts, rowsQueue, slowMs = 2_000 }: PollOptions) {
  const known: Known = {
    ...{ at: 0, engines: new Map(), workers: [], flow: null },
    ...{ histories: new Map(), idle: watchIdle() },
  }
  let slowAt = 0
  let flowing: Promise<void> | null = null

  /** `whole`: with everything from now on, as after a change; otherwise what is slow is waited for once only. */
  async function look(whole = false): Promise<Known> {
    if (whole) {
      await flowing
      slowAt = 0
    }
    const engines = Promise.all(
      contracts.map(async (one) => [one.name, await readEngine(broker, one)] as const),
    )
    const workers = readWorkers(sql).catch(() => known.workers)
    if (Date.now() >= slowAt && flowing === null) {
      flowing = lookSlowly().finally(() => {
        flowing = null
      })
    }
    if (whole || known.flow === null) await flowing
    for (const [name, reading] of await engines) {
      // While the engine is down its last counts stay, marked as such.
      const before = known.engines.get(name)
      known.engines.set(name, !reading.up && before ? { ...before, up: false } : reading)
      if (reading.overview !== null) note(name, reading.overview.waiting + reading.overview.active)
    }
    known.workers = await workers
    known.at = Date.now()
    return known
  }

  /** At most a twentieth of the time is spent on this, however many rows there are. */
  async function lookSlowly(): Promise<void> {
    const from = performance.now()
    try {
      const flow = await readFlow(sql, rowsQueue)
      known.flow = flow
      note(
        `${rowsQueue} rows`,
        flow.rows.reduce((sum, row) => sum + row.waiting + row.active, 0),
      )
    } catch {
      // The last reading stays: the database is down, which others say.
    } finally {
      slowAt = Date.now() + Math.max(slowMs, 20 * (performance.now() - from))
    }
  }

  function note(name: string, size: number): void {
    const history = known.histories.get(name) ?? []
    known.histories.set(name, history)
    remember(history, size)
  }

  return { look, contracts, rowsQueue }
}

export type Poll = ReturnType<typeof openPoll>
