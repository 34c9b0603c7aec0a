import type { FlowReport } from '#broker'
import { isoTime } from '#lib/clock'
import { forecast } from './forecast.ts'
import type { Known } from './poll.ts'
import type { BoardView, Counts, FlowView, KindView, QueueView, WorkerView } from './view.ts'
import { warningsOf } from './warnings.ts'

export type BoardOptions = {
  engine: 'redis' | 'postgres'
  names: readonly string[]
  rowsQueue: string
  /** Whose rows; null: everybody's. */
  tenant: string | null
}

/** What is known, as people are shown it. */
export function boardOf(known: Known, options: BoardOptions): BoardView {
  const queues = options.names.map((name) => {
    const queue = name === options.rowsQueue ? rowsQueueOf(known, options) : systemQueueOf(known, name)
    return {
      ...queue,
      warnings: warningsOf({ ...queue, counts: { ...queue.counts, waiting: runnable(queue) } }),
    }
  })
  return { at: isoTime(known.at), engine: options.engine, up: queues.every(({ up }) => up), queues }
}

/** What waits and may run: a kind that somebody paused is nothing to warn of. */
function runnable({ rows, counts, kinds }: QueueView): number {
  if (!rows) return counts.waiting
  return kinds.reduce((sum, kind) => sum + (kind.paused ? 0 : kind.counts.waiting), 0)
}

function systemQueueOf(known: Known, name: string): QueueView {
  const reading = known.engines.get(name)
  const overview = reading?.overview ?? null
  const counts: Counts = overview === null ? nothing : pick(overview)
  return {
    ...base(known, name, counts.waiting > 0 && overview?.paused !== true),
    ...{ rows: false, up: reading?.up ?? false, counts, paused: overview?.paused ?? false },
    ...{ concurrency: overview?.concurrency ?? null, rate: overview?.rate ?? null },
    oldest_waiting_at: timeOf(reading?.oldestAt),
    ...forecast(known.histories.get(name) ?? []),
  }
}

function rowsQueueOf(known: Known, { rowsQueue, tenant }: BoardOptions): QueueView {
  const { rows = [], settings = [], oldestRow = null, doneToday = 0 } = known.flow ?? {}
  const seen = rows.filter((row) => tenant === null || row.tenant === tenant)
  const counts = { ...sum(seen), completed: doneToday }
  const engine = known.engines.get(rowsQueue)
  const all = settings.find(({ kind }) => kind === '*')
  const most = all?.per_minute ?? null
  return {
    // Rows may wait for a limit or for others of their key; what the engine has, a worker should take.
    ...base(known, rowsQueue, (engine?.overview?.waiting ?? 0) > 0),
    ...{
      rows: true,
      up: engine?.up ?? false,
      counts,
      paused: all?.paused ?? false,
    },
    concurrency: all?.concurrency ?? null,
    rate: most === null ? null : { max: most, per_ms: 60_000 },
    oldest_waiting_at: counts.waiting > 0 ? timeOf(oldestRow) : null,
    kinds: kindsOf(known, seen),
    ...forecast(known.histories.get(`${rowsQueue} rows`) ?? []),
  }
}

function kindsOf({ flow }: Known, rows: readonly (Counts & { kind: string })[]): KindView[] {
  const { kinds = [], settings = [] } = flow ?? {}
  const names = new Set(
    [...rows, ...settings].map(({ kind }) => kind).concat(kinds.flatMap(({ name }) => name ?? [])),
  )
  names.delete('*')
  return [...names].sort().map((kind) => {
    const setting = settings.find((one) => one.kind === kind)
    return {
      kind,
      counts: sum(rows.filter((row) => row.kind === kind)),
      paused: setting?.paused ?? false,
      concurrency: setting?.concurrency ?? null,
      per_minute_most: setting?.per_minute ?? null,
      flow: flowOf(kinds.find(({ name }) => name === kind)),
    }
  })
}

function base(known: Known, name: string, backlog: boolean) {
  const workers: WorkerView[] = known.workers
    .filter(({ queue }) => queue === name)
    .map((worker) => known.idle(worker, backlog))
  const series = (known.flow?.series ?? []).filter(({ queue }) => queue === name)
  return {
    ...{ name, workers, kinds: [], warnings: [] },
    flow: flowOf(known.flow?.reports.find(({ queue }) => queue === name)),
    series: series.map(({ minute, done, failed }) => ({ minute, done, failed })),
  }
}

function flowOf(report: FlowReport | undefined): FlowView | null {
  if (report === undefined) return null
  const { queue: _, name: __, ...flow } = report
  return flow
}

const nothing: Counts = { waiting: 0, active: 0, delayed: 0, completed: 0, failed: 0 }

function pick({ waiting, active, delayed, completed, failed }: Counts): Counts {
  return { waiting, active, delayed, completed, failed }
}

function sum(rows: readonly Counts[]): Counts {
  return rows.reduce(
    (total, row) => ({
      waiting: total.waiting + row.waiting,
      active: total.active + row.active,
      delayed: total.delayed + row.delayed,
      completed: total.completed + row.completed,
      failed: total.failed + row.failed,
    }),
    nothing,
  )
}

function timeOf(ms: number | null | undefined): string | null {
  return ms == null ? null : isoTime(ms)
}
