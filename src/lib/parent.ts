/** The word on the command line by which a supervisor says: my end of your standard input closes when I die. */
export const supervisedFlag = '--supervised'

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
