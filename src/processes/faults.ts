import { errorText } from '#lib/errors'
import type { Logger } from '#lib/log'
import { written } from '#lib/sink'

/**
 * What nobody caught goes into the log. A rejection ends nothing; after an exception nothing is sure any more, so that
 * ends the process with 1, once the lines that explain it are written.
 */
export function onFaults(log: Logger): void {
  process.on('unhandledRejection', (error) => log.error({ reason: errorText(error) }, 'unhandled rejection'))
  process.on('uncaughtException', async (error) => {
    log.fatal(
      { reason: errorText(error), stack: error instanceof Error ? error.stack : undefined },
      'uncaught exception',
    )
    await written(log)
    process.exit(1)
  })
}
