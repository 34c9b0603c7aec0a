import { type BackendFactory, type IQueueBackend, type Processor, Worker, type WorkerOptions } from 'bullmq'
import { runRetryDelay, stalling, type WorkerSettings } from './engine.ts'

/**
 * BullMQ's worker, slowed down where the engine answers with an error. BullMQ pauses only after a refused
 * connection: a Redis out of memory, a Postgres still starting or a dropped schema would have it ask again at once,
 * for ever.
 */
class PacedWorker<Backend extends IQueueBackend, Connection> extends Worker<
  unknown,
  unknown,
  string,
  Backend,
  number,
  Connection
> {
  protected override async moveToActive(token: string, name?: string) {
    try {
      return await super.moveToActive(token, name)
    } catch (error) {
      await Bun.sleep(runRetryDelay)
      throw error
    }
  }
}

/**
 * A worker that is connected, and takes no job before `run()`.
 *
 * BullMQ remembers a first connection that failed for ever, so such a worker is thrown away.
 */
export async function openWorker<Backend extends IQueueBackend, Connection>(
  name: string,
  process: Processor<unknown, unknown>,
  { concurrency, backoff }: WorkerSettings,
  options: WorkerOptions<Connection>,
  backend: BackendFactory<Backend, Connection>,
): Promise<PacedWorker<Backend, Connection>> {
  const settings = {
    ...options,
    ...stalling,
    concurrency,
    runRetryDelay,
    autorun: false,
    settings: { backoffStrategy: backoff },
  }
  const worker = new PacedWorker(name, process, settings as never, backend)
  worker.on('error', () => {})
  try {
    await worker.waitUntilReady()
    return worker
  } catch (error) {
    await worker.close(true).catch(() => {})
    throw error
  }
}
