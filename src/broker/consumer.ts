import type { Logger } from '#lib/log'
import type { QueueContract } from '#queues/queue'
import type { ConsumeOptions, Consumer, Handler } from './broker.ts'
import { pause, settles } from './deadline.ts'
import type { Engine, JobWorker } from './engine.ts'
import type { Flow } from './flow.ts'
import { type JobRunner, runJobs } from './job-runner.ts'
import { backoffMs } from './retry.ts'
import { watchBacklog } from './watchdog.ts'

/** Between tries to connect, while the engine is down. */
const connectEveryMs = 500
/** What BullMQ gets to write down the last results, once no job is under way. */
const windDownMs = 2_000

export type ConsumerParts<Payload> = {
  handler: Handler<Payload>
  options: ConsumeOptions
  log: Logger
  flow?: Flow | undefined
}

/**
 * Drains a queue: connects now or whenever the engine is there, and again if the worker is found asleep beside a
 * backlog.
 */
export function startConsumer<Payload>(
  engine: Engine,
  contract: QueueContract<Payload>,
  { handler, options, log, flow }: ConsumerParts<Payload>,
): Consumer {
  const { concurrency = 1, onError } = options
  const runner = runJobs(contract, handler, {
    ...{ onError, sweepEveryMs: engine.sweepEveryMs, observe: flow?.observe },
  })
  const place = flow?.attend({
    queue: contract.name,
    concurrency,
    running: runner.running,
    begun: runner.begun,
  })
  const report = unrepeated((error) => onError(error, null))
  const stopping = new AbortController()
  let worker: JobWorker | undefined
  let starting = start()
  let closing: Promise<void> | undefined

  const watchdog = watchBacklog(engine, contract.name, runner, { onAsleep: replace })

  return {
    close: (graceMs = 8_000) => {
      closing ??= close(graceMs)
      return closing
    },
  }

  async function start(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        const backoff = (attemptsMade: number) => backoffMs(contract.retry, attemptsMade)
        worker = await engine.worker(contract.name, runner.process, { concurrency, backoff })
        listen(worker, runner, options, report)
        worker.run().catch(report)
        return
      } catch (error) {
        report(error)
        await pause(connectEveryMs, stopping.signal)
      }
    }
  }

  function replace(): void {
    // Not yet connected is another matter, and already seen to.
    if (!worker || stopping.signal.aborted) return
    log.error({ queue: contract.name }, 'worker asleep beside a backlog: replaced')
    void worker.close(true).catch(() => {})
    worker = undefined
    starting = start()
  }

  async function close(graceMs: number): Promise<void> {
    stopping.abort()
    watchdog.stop()
    runner.stop()
    const left = settles(windDownMs, place?.leave() ?? Promise.resolve())
    await settles(windDownMs, starting)
    if (!worker) return await left.then(() => {})
    const closed = worker.close()
    if (!(await settles(graceMs, runner.idle()))) await settles(windDownMs, runner.handBack())
    // Without an engine BullMQ's own close waits for ever.
    if (!(await settles(windDownMs, closed))) void worker.disconnect().catch(() => {})
    await left
  }
}

function listen(
  worker: JobWorker,
  runner: JobRunner,
  { onError }: ConsumeOptions,
  report: (error: unknown) => void,
): void {
  worker.on('error', report)
  worker.on('lockRenewalFailed', (ids) => ids.forEach(runner.lose))
  worker.on('failed', (job, error) => {
    // The runner reports its own failures; this is the job that outlived too many workers.
    if (!job?.deferredFailure) return
    onError(error, { id: job.id ?? '', attempt: job.attemptsMade, final: true })
  })
}

/** While an engine is away its errors come by the second: the same one is passed on once a minute. */
function unrepeated(pass: (error: unknown) => void): (error: unknown) => void {
  let last = ''
  let at = 0
  return (error) => {
    const text = String(error)
    if (text === last && Date.now() - at < 60_000) return
    last = text
    at = Date.now()
    pass(error)
  }
}
