import { z } from 'zod'

/** What goes out of `/api/queues`. Times are ISO 8601, durations in the unit that their name ends with. */

const count = z.int().nonnegative()
const ms = z.number().nullable()

const percentiles = z.object({ p50: ms, p95: ms, p99: ms })

export const countsView = z.object({
  waiting: count,
  active: count,
  delayed: count,
  completed: count,
  failed: count,
})
export type Counts = z.infer<typeof countsView>

const rate = z.object({ max: z.int(), per_ms: z.int() })

const warning = z.object({
  code: z.enum(['engine-down', 'no-workers', 'idle-workers', 'failing', 'backlog-grows']),
  text: z.string(),
})
export type Warning = z.infer<typeof warning>

export const workerView = z.object({
  id: z.string(),
  queue: z.string(),
  process: z.string(),
  host: z.string(),
  pid: z.int(),
  concurrency: z.int(),
  running: z.int(),
  begun: count,
  started_at: z.string(),
  seen_at: z.string(),
  idle_beside_backlog: z.boolean(),
})
export type WorkerView = z.infer<typeof workerView>

/** What was measured over the last 15 minutes. */
const flowView = z.object({
  per_minute: z.number(),
  done: count,
  failed: count,
  retried: count,
  wait: percentiles,
  run: percentiles,
})
export type FlowView = z.infer<typeof flowView>

export const kindView = z.object({
  kind: z.string(),
  counts: countsView,
  paused: z.boolean(),
  concurrency: z.int().nullable(),
  per_minute_most: z.int().nullable(),
  flow: flowView.nullable(),
})
export type KindView = z.infer<typeof kindView>

export const queueView = z.object({
  name: z.string(),
  rows: z
    .boolean()
    .meta({ description: 'Are its jobs rows (/api/jobs), by kind? Otherwise the engine alone has them' }),
  up: z.boolean(),
  counts: countsView.meta({
    description:
      'Of rows: waiting is queued or admitted, delayed is scheduled or waits for others, completed is of 24 h',
  }),
  paused: z.boolean(),
  concurrency: z.int().nullable(),
  rate: rate.nullable(),
  flow: flowView.nullable(),
  oldest_waiting_at: z.string().nullable(),
  trend: z.enum(['idle', 'draining', 'steady', 'growing']),
  drains_in_s: z
    .number()
    .nullable()
    .meta({ description: 'At the pace of the last minutes; null where it does not' }),
  series: z.array(z.object({ minute: z.string(), done: count, failed: count })),
  workers: z.array(workerView),
  kinds: z.array(kindView),
  warnings: z.array(warning),
})
export type QueueView = z.infer<typeof queueView>

export const boardView = z.object({
  at: z.string(),
  engine: z.enum(['redis', 'postgres']),
  up: z.boolean(),
  queues: z.array(queueView),
})
export type BoardView = z.infer<typeof boardView>
