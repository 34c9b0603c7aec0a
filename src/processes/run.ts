import { errorText } from '#lib/errors'
import { type Logger, takeConsole } from '#lib/log'
import { onParentDeath, reportStart } from '#lib/parent'
import { type Releaser, releaser } from '#lib/release'
import { written } from '#lib/sink'
import { complain } from './complain.ts'
import { onFaults } from './faults.ts'

export type Started = {
  /** Goes into the `ready` line. */
  ready: Record<string, unknown>
}

/**
 * The life of a process: start, say `ready`, run until told to stop, release everything in reverse order. A second
 * signal, or a release that takes longer than `graceMs`, ends it at once.
 */
export async function run(
  log: Logger,
  start: (held: Releaser) => Promise<Started>,
  { graceMs }: { graceMs: number },
): Promise<void> {
  const held = releaser((name, error) => log.error({ reason: errorText(error) }, `releasing ${name}`))
  onFaults(log)
  takeConsole(log)
  let stopping = false
  const stop = async () => {
    if (stopping) return process.exit(1)
    stopping = true
    setTimeout(() => process.exit(1), graceMs).unref()
    await held.releaseAll()
    await written(log)
    process.exit(0)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  onParentDeath(stop)
  try {
    const { ready } = await start(held)
    reportStart({ ready })
    log.info({ ...ready, pid: process.pid }, 'ready')
  } catch (error) {
    await held.releaseAll()
    await written(log)
    await complain(error)
    process.exit(1)
  }
}
