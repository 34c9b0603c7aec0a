import type { Engine } from './engine.ts'
import type { JobRunner } from './job-runner.ts'

/**
 * Notices a worker that is connected and does nothing although jobs wait. BullMQ has had several such bugs after
 * reconnections. Two looks in a row must agree, with no job begun between them.
 */
export function watchBacklog(
  engine: Engine,
  queueName: string,
  runner: Pick<JobRunner, 'running' | 'begun'>,
  { onAsleep, everyMs = 10_000 }: { onAsleep: () => void /** @default 10,000 */; everyMs?: number },
): { stop(): void } {
  let begunBefore = runner.begun()
  let suspicious = false
  const timer = setInterval(() => void look().catch(forget), everyMs)
  timer.unref()
  return { stop: () => clearInterval(timer) }

  function forget(): void {
    suspicious = false
  }

  async function look(): Promise<void> {
    const idle = runner.running() === 0 && runner.begun() === begunBefore
    begunBefore = runner.begun()
    if (!idle || !(await isWaiting())) {
      suspicious = false
    } else if (suspicious) {
      suspicious = false
      onAsleep()
    } else {
      suspicious = true
    }
  }

  async function isWaiting(): Promise<boolean> {
    const queue = await engine.queue(queueName)
    const { waiting = 0, prioritized = 0 } = await queue.getJobCounts('waiting', 'prioritized')
    return waiting + prioritized > 0 && !(await queue.isPaused())
  }
}
