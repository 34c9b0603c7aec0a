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
  if (!leadsItsSession()) return
  try {
    writeFileSync('/proc/self/autogroup', String(nice))
  } catch {
    // A kernel without it goes by nice alone.
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
