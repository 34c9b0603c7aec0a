import type { Job } from 'bullmq'
import { SluiceError } from '#lib/errors'
import type { QueueContract } from '#queues/queue'
import type { Engine, InspectedQueue } from './engine.ts'
import { type EngineJobDetail, type EngineState, engineStates, type Inspector } from './inspect.ts'
import { asked } from './producer.ts'

/** Of a job's data or result, in characters, where it is shown. */
const shownAtMost = 64 * 1024
const logsAtMost = 500

export type Inspected = Pick<QueueContract<never>, 'name' | 'opaque'>

export function inspectQueue(engine: Engine, { name, opaque = false }: Inspected): Inspector {
  return {
    overview: () => ask('Look at', overviewOf),
    jobs: (state, page) => ask('List the jobs of', () => engine.list(name, state, page)),
    job: (id) => ask('Look at a job of', (queue) => detailOf(queue, id)),
    retry: (id) => act(id, ['failed'], (job) => job.retry('failed')),
    promote: (id) => act(id, ['delayed'], (job) => job.promote()),
    remove: (id) => act(id, ['waiting', 'delayed', 'completed', 'failed'], (job) => job.remove()),
    pause: () => ask('Pause', (queue) => queue.pause()),
    resume: () => ask('Resume', (queue) => queue.resume()),
    drain: ({ delayed }) =>
      ask('Drain', async (queue) => {
        const before = await overviewOf(queue)
        await queue.drain(delayed)
        const after = await overviewOf(queue)
        const gone = before.waiting - after.waiting + (delayed ? before.delayed - after.delayed : 0)
        return Math.max(0, gone)
      }),
    limitConcurrency: (most) =>
      ask('Limit', async (queue) => {
        await (most === null ? queue.removeGlobalConcurrency() : queue.setGlobalConcurrency(most))
      }),
    limitRate: (rate) =>
      ask('Limit', async (queue) => {
        await (rate === null
          ? queue.removeGlobalRateLimit()
          : queue.setGlobalRateLimit(rate.max, rate.per_ms))
      }),
  }

  async function ask<Result>(
    verb: string,
    work: (queue: InspectedQueue) => Promise<Result>,
  ): Promise<Result> {
    let refused: SluiceError | undefined
    const result = await asked(`${verb} ${name}`, async () => {
      try {
        return await work(await engine.queue(name))
      } catch (error) {
        if (!(error instanceof SluiceError)) throw error
        refused = error
        return undefined
      }
    })
    if (refused !== undefined) throw refused
    return result as Result
  }

  async function act(id: string, from: EngineState[], work: (job: Job) => Promise<unknown>): Promise<void> {
    await ask('Act on a job of', async (queue) => {
      const state = plain(await queue.getJobState(id))
      if (state === 'unknown') throw new SluiceError(404, 'not-found', `There is no job ${id} in ${name}`)
      if (!from.some((one) => one === state)) {
        throw new SluiceError(409, 'wrong-state', `The job is ${state}: this needs ${from.join(' or ')}`)
      }
      const job = await queue.getJob(id)
      if (job !== undefined) await work(job)
    })
  }

  async function detailOf(queue: InspectedQueue, id: string): Promise<EngineJobDetail | null> {
    const [head, state] = await Promise.all([engine.head(name, id), queue.getJobState(id)])
    if (head === null) return null
    const job = opaque ? undefined : await queue.getJob(id)
    const { logs } = await queue.getJobLogs(id, 0, logsAtMost - 1)
    return {
      ...head,
      state: plain(state),
      data: job === undefined ? null : shown(job.data),
      result: job?.returnvalue == null ? null : shown(job.returnvalue),
      stack: job?.stacktrace ?? [],
      logs,
    }
  }
}

/** How the engines keep a paused queue's jobs differs: some call them waiting still, some paused. */
async function overviewOf(queue: InspectedQueue) {
  const [counts, meta] = await Promise.all([
    queue.getJobCounts('waiting', 'prioritized', 'paused', 'active', 'delayed', 'completed', 'failed'),
    queue.getMeta(),
  ])
  const {
    waiting = 0,
    prioritized = 0,
    paused = 0,
    active = 0,
    delayed = 0,
    completed = 0,
    failed = 0,
  } = counts
  const { concurrency = null, max, duration } = meta
  return {
    waiting: Math.max(waiting, paused) + prioritized,
    ...{ active, delayed, completed, failed },
    paused: meta.paused === true,
    concurrency,
    rate: max === undefined || duration === undefined ? null : { max, per_ms: duration },
  }
}

function plain(state: string): EngineState | 'unknown' {
  if (state === 'prioritized' || state === 'paused') return 'waiting'
  return engineStates.find((one) => one === state) ?? 'unknown'
}

function shown(value: unknown): string {
  const text = JSON.stringify(value, null, 2) ?? 'null'
  return text.length <= shownAtMost ? text : `${text.slice(0, shownAtMost)}…`
}
