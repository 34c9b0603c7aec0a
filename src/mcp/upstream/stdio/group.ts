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

/** Sends at once, without waiting. False: nobody is left. */
export function signalGroup(leader: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-leader, signal)
    return true
  } catch {
    return false
  }
}

/** Nothing tells of the end of grandchildren: one looks, ever less often. */
async function groupGone(leader: number, ms: number): Promise<void> {
  const deadline = performance.now() + ms
  for (let wait = 2; performance.now() < deadline; wait = Math.min(wait * 2, 100)) {
    try {
      process.kill(-leader, 0)
    } catch {
      return
    }
    await Bun.sleep(wait)
  }
}

async function soon(promise: Promise<unknown>, ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  await Promise.race([promise, new Promise((resolve) => (timer = setTimeout(resolve, ms)))])
  clearTimeout(timer)
}
