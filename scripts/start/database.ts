import { errorText } from '#lib/errors'
import type { Releaser } from '#lib/release'
import { type EmbeddedPostgres, startEmbedded } from '#store'
import { backoff } from './backoff.ts'
import type { Output } from './output.ts'
import type { Stop } from './stop.ts'

type DatabaseOptions = { dir: string; held: Releaser; output: Output; stop: Stop; stopBy: number }

/** Runs the embedded Postgres, and again on the same port if it crashes. @returns its URL */
export async function startDatabase({ dir, held, output, stop, stopBy }: DatabaseOptions): Promise<string> {
  const stopAsked = Promise.withResolvers<void>()
  let stopping = false
  const first = await startEmbedded({ dir, onLine: output.note })
  let current: EmbeddedPostgres | null = first
  const stopped = keepRunning()
  held.add('Postgres', async () => {
    stopping = true
    stopAsked.resolve()
    await current?.stop(stop.left(stopBy))
    await stopped
  })
  stop.atOnce(() => current && process.kill(current.pid, 'SIGQUIT'))
  return first.url

  async function keepRunning(): Promise<void> {
    const nextWait = backoff()
    let startedAt = Date.now()
    for (;;) {
      await current?.exited
      if (stopping) return
      // Frees the lock for the next start.
      await current?.stop()
      current = null
      const waitMs = nextWait(Date.now() - startedAt)
      output.note(`Postgres ended: starting it again in ${waitMs} ms`)
      await Promise.race([Bun.sleep(waitMs), stopAsked.promise])
      if (stopping) return
      startedAt = Date.now()
      current = await restart()
    }
  }

  async function restart(): Promise<EmbeddedPostgres | null> {
    try {
      const started = await startEmbedded({ dir, port: first.port, onLine: output.note })
      if (!stopping) return started
      await started.stop()
    } catch (error) {
      output.note(errorText(error))
    }
    return null
  }
}
