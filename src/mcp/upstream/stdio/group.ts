import { readdirSync, readFileSync } from 'node:fs'

/** How long a process has to end by itself after each request to do so. */
const graceMs = 2_000

/**
 * Ends a process and all that it started: first its input was closed, then SIGTERM, then SIGKILL to its group, which
 * outlives the process itself. Resolves when none of the group is left.
 */
export async function endGroup(leader: number, exited: Promise<unknown>): Promise<void> {
  await soon(exited, graceMs / 4)
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (!signalGroup(leader, signal)) return
    await groupGone(leader, graceMs)
  }
}

/** False: nobody is left. */
function signalGroup(leader: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-leader, signal)
  } catch {
    return false
  }
}

/** Nothing tells of the end of grandchildren: one looks, ever less often. */
async function groupGone(leader: number, ms: number): Promise<void> {
  const deadline = performance.now() + ms
  for (let wait = 1; performance.now() < deadline; wait = Math.min(wait * 2, 100)) {
    if (!signalGroup(leader, 0) || onlyZombies(leader)) return
    await Bun.sleep(wait)
  }
}

/** Dead processes count as members until their new parent has collected them, which may be late to do so. */
function onlyZombies(leader: number): boolean {
  try {
    const members = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && groupOf(pid) === leader)
    return members.length === 0
  } catch {
    return false
  }
}

/** Of a process that lives. */
function groupOf(pid: string): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ', 3)
    return state === 'Z' ? null : Number(group)
  } catch {
    return null
  }
}

async function soon(promise: Promise<unknown>, ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  await Promise.race([promise, new Promise((resolve) => (timer = setTimeout(resolve, ms)))])
  clearTimeout(timer)
}
