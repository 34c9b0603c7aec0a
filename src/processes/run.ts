import { errorText, SetupError } from '#lib/errors'
import type { Logger } from '#lib/log'
import { onParentDeath } from '#lib/parent'
import { type Releaser, releaser } from '#lib/release'

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
  process.on('unhandledRejection', (error) => log.error({ reason: errorText(error) }, 'unhandled rejection'))
  let stopping = false
  const stop = async () => {
    if (stopping) return process.exit(1)
    stopping = true
    setTimeout(() => process.exit(1), graceMs).unref()
    await held.releaseAll()
    process.exit(0)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  onParentDeath(stop)
  try {
    const { ready } = await start(held)
    log.info({ ...ready, pid: process.pid }, 'ready')
  } catch (error) {
    await held.releaseAll()
    const setup = error instanceof SetupError
    console.error(setup ? `sluice: ${error.message}` : error)
    process.exit(1)
  }
}
