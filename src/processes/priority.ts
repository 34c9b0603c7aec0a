import { readFileSync, writeFileSync } from 'node:fs'
import { setPriority } from 'node:os'

/**
 * Lets others have the CPU first: `nice` from 0 to 19, as in nice(1).
 *
 * Most Linux desktops and servers share the CPU out by session (autogroup), and nice then only counts within one. A
 * process that leads a session of its own, as the supervisor's do, so says it for its session too.
 */
export function giveWay(nice: number): void {
  setPriority(nice)
  if (leadsItsSession()) slowSession(nice, 30)
}

/** The kernel takes one such word in 100 ms from all who are not root, and several of ours start at once. */
function slowSession(nice: number, tries: number): void {
  try {
    writeFileSync('/proc/self/autogroup', String(nice))
  } catch (error) {
    const isBusy = error instanceof Error && 'code' in error && error.code === 'EAGAIN'
    // A kernel without it, or a container that may not, goes by nice alone.
    if (isBusy && tries > 0) setTimeout(slowSession, 50 + Math.random() * 100, nice, tries - 1).unref()
  }
}

/** False where there is no /proc. Somebody else's session must not be slowed down. */
function leadsItsSession(): boolean {
  try {
    const stat = readFileSync('/proc/self/stat', 'utf8')
    const [, , , session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return Number(session) === process.pid
  } catch {
    return false
  }
}
