import { join } from 'node:path'
import { errorText, SetupError } from '#lib/errors'
import { supervisedFlag } from '#lib/parent'
import type { Releaser } from '#lib/release'
import { backoff } from './backoff.ts'
import type { Output } from './output.ts'
import { openReport } from './report.ts'
import type { Stop } from './stop.ts'

export type Ready = Record<string, unknown>

export type Service = {
  /** What the process said of itself when it was first ready. Rejects with a SetupError if it ends before. */
  ready: Promise<Ready>
}

type ServiceOptions = {
  /** Environment of the process, on top of ours. */
  variables: Record<string, string>
  output: Output
  held: Releaser
  stop: Stop
  /** When it is killed, in ms after the signal to stop. */
  stopBy: number
}

const lookEveryMs = 20
const processes = join(import.meta.dir, '..', '..', 'src', 'processes')

/**
 * Keeps one process of ours running, until released. Its end before it was ever ready is a setup error; any later
 * end is a crash, after which it is started again.
 */
export function startService(name: 'gateway' | 'worker', args: string[], options: ServiceOptions): Service {
  const { output, held, stop, stopBy } = options
  const { promise: ready, resolve, reject } = Promise.withResolvers<Ready>()
  const nextWait = backoff()
  const stopAsked = Promise.withResolvers<void>()
  let stopping = false
  let wasReady = false
  const report = openReport()
  let child = spawnFirst()
  const stopped = keepRunning()
  ready.catch(() => {})
  held.add(name, async () => {
    stopping = true
    stopAsked.resolve()
    child.kill('SIGTERM')
    const hurry = setTimeout(() => {
      output.note(`${name} does not stop in time: killing it`)
      child.kill('SIGKILL')
    }, stop.left(stopBy))
    await stopped
    clearTimeout(hurry)
  })
  stop.atOnce(() => child.kill('SIGKILL'))
  return { ready }

  async function keepRunning(): Promise<void> {
    let startedAt = Date.now()
    let words = await firstLife()
    while (!stopping) {
      if (!wasReady) return reject(new SetupError(words))
      const waitMs = nextWait(Date.now() - startedAt)
      output.note(`${words}: starting it again in ${waitMs} ms`)
      await Promise.race([Bun.sleep(waitMs), stopAsked.promise])
      if (stopping) return
      startedAt = Date.now()
      words = await anotherLife()
    }
  }

  /** Resolves with what to say of its end. */
  async function firstLife(): Promise<string> {
    let hasEnded = false
    const ended = child.exited.finally(() => {
      hasEnded = true
    })
    let found = report.read()
    while (found === null && !hasEnded) {
      await Promise.race([ended, Bun.sleep(lookEveryMs)])
      found = report.read()
    }
    report.close()
    if (found !== null && 'ready' in found) {
      wasReady = true
      resolve(found.ready)
    }
    const code = await ended
    if (found !== null && 'failed' in found) return found.failed
    return `${name} ended with exit code ${code}${wasReady ? '' : ' before it was ready'}`
  }

  /** Resolves with what to say of its end, or of why it did not even begin. Nothing here may end the supervisor. */
  async function anotherLife(): Promise<string> {
    try {
      // It says itself why it fails: a report needs room on a disk, which may be what is missing.
      child = spawnChild('ignore')
    } catch (error) {
      return `${name} cannot be started (${errorText(error)})`
    }
    return `${name} ended with exit code ${await child.exited}`
  }

  function spawnFirst() {
    try {
      return spawnChild(report.fd)
    } catch (error) {
      report.close()
      throw error
    }
  }

  function spawnChild(reportTo: number | 'ignore') {
    const command = [process.execPath, join(processes, `${name}.ts`), ...args, supervisedFlag]
    return Bun.spawn(command, {
      env: { ...process.env, ...options.variables },
      // The first closes when we die: the process's sign to stop by itself. The next two are ours, so that nothing
      // stands between a process and whoever reads what it says.
      stdio: ['pipe', 'inherit', 'inherit', reportTo],
      // Ctrl-C must reach the supervisor only, which stops things in order.
      detached: true,
    })
  }
}
