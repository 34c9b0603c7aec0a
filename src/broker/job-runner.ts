import { type Job, type Processor, UnrecoverableError, WaitingError } from 'bullmq'
import { errorText } from '#lib/errors'
import type { QueueContract } from '#queues/queue'
import type { ConsumeOptions, Handler } from './broker.ts'
import type { Sample } from './flow.ts'
import { isFinal, storableError, storableResult } from './sanitise.ts'

export type JobRunner = {
  /** What BullMQ calls for each job. */
  process: Processor<unknown, unknown>
  /** Jobs under way in this process. */
  running(): number
  /** Jobs begun since the process started. */
  begun(): number
  /** Stops a job that another worker has now. */
  lose(id: string): void
  /** From here on a job that arrives is handed back at once. */
  stop(): void
  /** Resolves when no job is under way. */
  idle(): Promise<void>
  /** Aborts every job under way, and puts it back into the queue for another worker, without costing it a try. */
  handBack(): Promise<void>
}

type Running = { abort: AbortController; leave: (error: Error) => void; putBack: () => Promise<unknown> }

export type RunnerOptions = {
  onError: ConsumeOptions['onError']
  sweepEveryMs: number
  /** Told how long each job waited and ran. */
  observe?: ((sample: Sample) => void) | undefined
}

/** One job from the queue's JSON to the handler and back: checked when it comes, made storable when it goes. */
export function runJobs<Payload>(
  contract: QueueContract<Payload>,
  handler: Handler<Payload>,
  { onError, sweepEveryMs, observe = () => {} }: RunnerOptions,
): JobRunner {
  const jobs = new Map<string, Running>()
  const waiters = new Set<() => void>()
  // Otherwise each job goes with its end, and there are no older ones.
  const keepsEnded = contract.retention.completed.count > 0
  let stopped = false
  let begun = 0
  let sweptAt = 0

  return {
    running: () => jobs.size,
    begun: () => begun,
    stop() {
      stopped = true
    },
    lose: (id) => jobs.get(id)?.leave(new Error('the job was lost to another worker')),
    async idle() {
      if (jobs.size === 0) return
      const { promise, resolve } = Promise.withResolvers<void>()
      waiters.add(resolve)
      await promise
    },
    async handBack() {
      const under = [...jobs.values()]
      for (const job of under) job.abort.abort(new Error('the process stops'))
      await Promise.allSettled(under.map((job) => job.putBack()))
      for (const job of under) job.leave(new Error('the process stops'))
    },
    async process(job, token) {
      if (stopped) {
        await job.moveToWait(token)
        throw new WaitingError()
      }
      const id = job.id ?? ''
      const attempt = job.attemptsMade + 1
      const left = Promise.withResolvers<never>()
      left.promise.catch(() => {})
      const abort = new AbortController()
      const leave = (reason: Error) => {
        abort.abort(reason)
        left.reject(new WaitingError())
      }
      jobs.set(id, { abort, leave, putBack: () => job.moveToWait(token) })
      begun += 1
      const startedAt = performance.now()
      let outcome: Sample['outcome'] | null = 'done'
      const judge = (verdict: Sample['outcome']) => {
        outcome = verdict
      }
      try {
        const payload = checked(contract, job.data)
        const work = handler(payload, { id, attempt, signal: abort.signal, judge })
        return storableResult(await Promise.race([work, left.promise]))
      } catch (error) {
        // To BullMQ this one means: the job is somebody else's already, leave it alone.
        outcome = null
        if (error instanceof WaitingError) throw error
        const final = isFinal(error) || attempt >= (job.opts.attempts ?? 1)
        outcome = final ? 'failed' : 'retried'
        onError(error, { id, attempt, final })
        throw storableError(error)
      } finally {
        if (outcome !== null) {
          const waitMs = attempt === 1 ? waited(job) : null
          observe({
            queue: contract.name,
            name: job.name,
            outcome,
            waitMs,
            runMs: performance.now() - startedAt,
          })
        }
        if (keepsEnded && !isSweepDue())
          job.opts = { ...job.opts, removeOnComplete: false, removeOnFail: false }
        jobs.delete(id)
        if (jobs.size === 0) for (const resolve of waiters) resolve()
        if (jobs.size === 0) waiters.clear()
      }
    },
  }

  /** With its end a job removes old ones, by the contract's retention: not every job needs to. */
  function isSweepDue(): boolean {
    if (Date.now() - sweptAt < sweepEveryMs) return false
    sweptAt = Date.now()
    return true
  }
}

/** From when it could have run to when it was taken, in ms, by the clocks of two machines. */
function waited({ processedOn = Date.now(), timestamp, opts }: Job): number {
  return Math.max(0, processedOn - timestamp - (opts.delay ?? 0))
}

/** @throws UnrecoverableError naming the field, never its value: it may be somebody's prompt */
function checked<Payload>(contract: QueueContract<Payload>, data: unknown): Payload {
  const parsed = contract.payload.safeParse(data)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const field = issue?.path.join('.') || 'payload'
  throw new UnrecoverableError(
    errorText(`${contract.name} does not take this payload: ${field}: ${issue?.message}`, 500),
  )
}
