import type { QueueContract } from '#queues/queue'
import type { Schedule } from './broker.ts'
import { pause } from './deadline.ts'
import { type Engine, patienceMs } from './engine.ts'
import { asked } from './producer.ts'
import { jobOptions } from './retry.ts'

const assertEveryMs = 10 * 60_000

/**
 * Keeps a schedule in the engine: tells it now or as soon as it is there, and again from time to time, since an
 * engine that lost its data has lost its schedules too. Telling it again moves nothing.
 */
export async function keepSchedule<Payload>(
  engine: Engine,
  contract: QueueContract<Payload>,
  { id, everyMs, payload }: Schedule & { payload: Payload },
  stopping: AbortSignal,
): Promise<void> {
  const assert = () =>
    asked(`Schedule ${id} on ${contract.name}`, async () => {
      const queue = await engine.queue(contract.name)
      const template = { name: contract.name, data: payload, opts: jobOptions(contract) }
      await queue.upsertJobScheduler(id, { every: everyMs }, template)
    })
  for (;;) {
    if (stopping.aborted) return
    try {
      await assert()
      break
    } catch {
      await pause(patienceMs, stopping)
    }
  }
  const timer = setInterval(() => void assert().catch(() => {}), assertEveryMs)
  timer.unref()
  stopping.addEventListener('abort', () => clearInterval(timer), { once: true })
}
