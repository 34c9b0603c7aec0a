import { fstatSync, writeSync } from 'node:fs'

/**
 * The word on the command line by which a supervisor says: my end of your standard input closes when I die, and your
 * descriptor 3 is an empty file that has no name, for your report.
 */
export const supervisedFlag = '--supervised'

/** How a start went. */
export type Report = { ready: Record<string, unknown> } | { failed: string }

const reportFd = 3

/**
 * Calls back once when the supervisor that started this process has died, by whatever means. Does nothing in a
 * process that was started by hand or by a container engine. Does not keep the process alive.
 */
export function onParentDeath(callback: () => void): void {
  if (!process.argv.includes(supervisedFlag)) return
  process.stdin.once('end', callback)
  process.stdin.once('error', callback)
  process.stdin.resume()
  process.stdin.unref()
}

/**
 * Tells the supervisor how the start went. Through a file, since a file takes it whether or not it is read.
 * @returns false where nobody asked for it
 */
export function reportStart(report: Report): boolean {
  if (!process.argv.includes(supervisedFlag) || !isReport()) return false
  writeSync(reportFd, JSON.stringify(report))
  return true
}

/** Whoever says the word by hand has something else there. */
function isReport(): boolean {
  try {
    const stat = fstatSync(reportFd)
    return stat.isFile() && stat.nlink === 0 && stat.size === 0
  } catch {
    return false
  }
}
