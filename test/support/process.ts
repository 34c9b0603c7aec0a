import { existsSync, readFileSync } from 'node:fs'
import { eachLine } from '#lib/lines'

/** Processes of ours under test: spawn, await a line, kill. One that outlives its test fails the run. */
export type TestProcess = {
  pid: number
  /** What came on standard output and standard error so far, by line, in order of arrival. */
  lines: string[]
  /** The first line, past or to come, that matches. @throws Error with the output if none comes in time, or it ends */
  line(pattern: RegExp, timeoutMs?: number): Promise<string>
  /** Sends the signal and resolves with the exit code (128 + number of the signal that ended it). */
  kill(signal?: NodeJS.Signals): Promise<number>
  /** Resolves with the exit code; rejects never. */
  exited: Promise<number>
}

export type SpawnOptions = {
  /** Added to this process's own; undefined removes one. */
  env?: Record<string, string | undefined>
  /** @default the repository */
  cwd?: string
  uid?: number
  gid?: number
}

export const repository = new URL('../..', import.meta.url).pathname.replace(/\/$/, '')

const running = new Map<number, { command: string; stop: () => Promise<number> }>()

export function spawnProcess(command: string[], options: SpawnOptions = {}): TestProcess {
  const { env, cwd = repository, uid, gid } = options
  const child = Bun.spawn(command, {
    cwd,
    env: { ...process.env, ...env },
    // A group of its own, so that whatever it leaves behind can be found and ended.
    detached: true,
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  })
  const lines: string[] = []
  const waiting = new Set<() => void>()
  const add = (line: string) => {
    lines.push(line)
    for (const look of waiting) look()
  }
  const output = Promise.all([eachLine(child.stdout, add), eachLine(child.stderr, add)])
  const exited = child.exited
  const kill = async (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal)
    return await exited
  }
  running.set(child.pid, { command: command.join(' '), stop: () => kill('SIGKILL') })
  void exited.then(() => running.delete(child.pid))

  const line = (pattern: RegExp, timeoutMs = 30_000) =>
    new Promise<string>((resolve, reject) => {
      const settle = (found: string | undefined, why: string) => {
        clearTimeout(timer)
        waiting.delete(look)
        if (found !== undefined) resolve(found)
        else reject(new Error(`${command.join(' ')}: no line like ${pattern} ${why}:\n${lines.join('\n')}`))
      }
      const search = () => lines.find((one) => pattern.test(one))
      const look = () => {
        const found = search()
        if (found !== undefined) settle(found, '')
      }
      // Its patience, not a pause.
      const timer = setTimeout(() => settle(undefined, `within ${timeoutMs} ms`), timeoutMs)
      waiting.add(look)
      void exited.then(() => output).then(() => settle(search(), 'before its end'))
      look()
    })
  return { pid: child.pid, lines, line, kill, exited }
}

/** A zombie that its new parent has not collected yet counts as gone. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !existsSync('/proc/self/stat') || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/** For the preload. @throws Error naming the processes that tests left running, after ending them */
export async function endLeakedProcesses(): Promise<void> {
  const leaked = [...running.values()]
  for (const one of leaked) await one.stop()
  if (leaked.length > 0)
    throw new Error(`Left running by tests: ${leaked.map((one) => one.command).join('; ')}`)
}
