import { existsSync } from 'node:fs'
import { readdir, readFile, readlink, realpath, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { SetupError } from '#lib/errors'

/** Time limits in ms: fast shutdown, then immediate shutdown (recovery at the next start). */
const patience = { SIGINT: 8_000, SIGQUIT: 3_000 } as const

/**
 * Ends a server that outlived the process which started it, or what is left of one that was killed, and removes a pid
 * file whose pid now belongs to another program (common in containers). Call only while holding the folder's lock.
 * @throws SetupError if the server does not end
 */
export async function stopOrphan(folder: string, onLine: (line: string) => void): Promise<void> {
  const pidFile = join(folder, 'postmaster.pid')
  const pid = Number((await readFile(pidFile, 'utf8').catch(() => '')).split('\n')[0])
  if (!pid) return
  if (await runsServer(pid, folder)) {
    onLine(`stopping the Postgres that an earlier start left running (process ${pid})`)
    if (!(await end([pid], folder, 'SIGINT'))) await end([pid], folder, 'SIGQUIT')
  } else {
    await rm(pidFile, { force: true })
  }
  // Sessions notice the death of their server between two queries only, and hold on to its memory until then.
  const sessions = await serversIn(folder)
  if (await end(sessions, folder, 'SIGQUIT')) return
  throw new SetupError(
    `The Postgres of an earlier start (process ${pid}) does not stop: end it, then start again`,
  )
}

/** @returns whether they are all gone in time */
async function end(pids: number[], folder: string, signal: keyof typeof patience): Promise<boolean> {
  for (const pid of pids) signalIfThere(pid, signal)
  const deadline = Date.now() + patience[signal]
  let left = pids
  while (left.length > 0 && Date.now() < deadline) {
    await Bun.sleep(20)
    const running = await Promise.all(left.map((pid) => runsServer(pid, folder)))
    left = left.filter((_, index) => running[index])
  }
  return left.length === 0
}

function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended meanwhile.
  }
}

/** Postmaster and sessions of that data directory. Empty where there is no `/proc` to tell. */
async function serversIn(folder: string): Promise<number[]> {
  const names = await readdir('/proc').catch(() => [])
  const pids = names.map(Number).filter((pid) => pid > 0)
  const running = await Promise.all(pids.map((pid) => runsServer(pid, folder)))
  return existsSync('/proc/self/cmdline') ? pids.filter((_, index) => running[index]) : []
}

/** A zombie runs nothing: its command line is empty. */
async function runsServer(pid: number, folder: string): Promise<boolean> {
  if (!/postgres/.test(await commandOf(pid))) return false
  const directory = await readlink(`/proc/${pid}/cwd`).catch(() => null)
  return directory === null ? await isOfOwner(pid, folder) : directory === (await realpath(folder))
}

/**
 * Where a process may not be asked for its folder: a server runs as the owner of its data. Root in a container may not
 * ask; nor may anybody else ask the Postgres of another user, which is none of ours.
 */
async function isOfOwner(pid: number, folder: string): Promise<boolean> {
  const found = await stat(`/proc/${pid}`).catch(() => null)
  return found === null || found.uid === (await stat(folder)).uid
}

async function commandOf(pid: number): Promise<string> {
  if (existsSync('/proc/self/cmdline')) return await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  const child = Bun.spawn(['ps', '-o', 'command=', '-p', String(pid)], { stdout: 'pipe', stderr: 'ignore' })
  return await child.stdout.text()
}
