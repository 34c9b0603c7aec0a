import { join } from 'node:path'
import { SetupError } from '#lib/errors'
import { eachLine } from '#lib/lines'
import { supervisedFlag } from '#lib/parent'
import type { Releaser } from '#lib/release'
import { backoff } from './backoff.ts'
import { type Output, parseLog } from './output.ts'
import type { Stop } from './stop.ts'

export type Ready = Record<string, unknown>

export type Service = {
  /** The process's first `ready` line. Rejects with a SetupError if it ends before. */
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
  let child = spawnChild()
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
    for (;;) {
      const startedAt = Date.now()
      const words = await watch()
      if (stopping) return
      if (!wasReady) return reject(new SetupError(words))
      const waitMs = nextWait(Date.now() - startedAt)
      output.note(`${words}: starting it again in ${waitMs} ms`)
      await Promise.race([Bun.sleep(waitMs), stopAsked.promise])
      if (stopping) return
      child = spawnChild()
    }
  }

  /** Resolves with what to say of its end. */
  async function watch(): Promise<string> {
    const complaints: string[] = []
    await Promise.all([
      eachLine(child.stdout, (line) => {
        const entry = wasReady ? null : parseLog(line)
        if (entry?.msg === 'ready') {
          wasReady = true
          resolve(entry)
        }
        output.log(line)
      }),
      eachLine(child.stderr, (line) => {
        complaints.push(line)
        if (wasReady) console.error(line)
      }),
    ])
    const code = await child.exited
    if (wasReady) return `${name} ended with exit code ${code}`
    const [line] = complaints
    if (complaints.length === 1 && line?.startsWith('sluice: ')) return line.slice('sluice: '.length)
    for (const complaint of complaints) console.error(complaint)
    return `${name} ended with exit code ${code} before it was ready`
  }

  function spawnChild() {
    return Bun.spawn([process.execPath, join(processes, `${name}.ts`), ...args, supervisedFlag], {
      env: { ...process.env, ...options.variables, LOG_LEVEL: output.childLevel },
      // Closes when we die: the process's sign to stop by itself.
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'pipe',
      // Ctrl-C must reach the supervisor only, which stops things in order.
      detached: true,
    })
  }
}
