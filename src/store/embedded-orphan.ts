import { existsSync } from 'node:fs'
import { readFile, readlink, realpath, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { SetupError } from '#lib/errors'

/** Time limits in ms: fast shutdown, then immediate shutdown (recovery at the next start). */
const patience = { SIGINT: 8_000, SIGQUIT: 3_000 } as const

/**
 * Ends a server that outlived the process which started it, and removes a pid file whose pid now belongs to another
 * program (common in containers). Call only while holding the folder's lock.
 * @throws SetupError if the server does not end
 */
export async function stopOrphan(folder: string, onLine: (line: string) => void): Promise<void> {
  const pidFile = join(folder, 'postmaster.pid')
  const pid = Number((await readFile(pidFile, 'utf8').catch(() => '')).split('\n')[0])
  if (!pid) return
  if (!(await runsServer(pid, folder))) return await rm(pidFile, { force: true })
  onLine(`stopping the Postgres that an earlier start left running (process ${pid})`)
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
    process.kill(pid, signal)
    const deadline = Date.now() + patience[signal]
    while (Date.now() < deadline) {
      if (!(await runsServer(pid, folder))) return
      await Bun.sleep(20)
    }
  }
  throw new SetupError(
    `The Postgres of an earlier start (process ${pid}) does not stop: end it, then start again`,
  )
}

/** A zombie runs nothing: its command line is empty. */
async function runsServer(pid: number, folder: string): Promise<boolean> {
  if (!/postgres/.test(await commandOf(pid))) return false
  const directory = await readlink(`/proc/${pid}/cwd`).catch(() => null)
  return directory === null || directory === (await realpath(folder))
}

async function commandOf(pid: number): Promise<string> {
  if (existsSync('/proc/self/cmdline')) return await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  const child = Bun.spawn(['ps', '-o', 'command=', '-p', String(pid)], { stdout: 'pipe', stderr: 'ignore' })
  return await child.stdout.text()
}
