import type { Connection } from './connection.ts'

const levels = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency']

/**
 * A server of the legacy era has one log level for all of a connection: the lowest that any client asked for. What
 * is too low for a client is kept from it elsewhere.
 */
export function logLevels(connection: Connection): { want(level: string | null | undefined): Promise<void> } {
  let lowest = levels.length
  return {
    async want(level) {
      const index = levels.indexOf(level ?? '')
      if (index === -1 || index >= lowest) return
      lowest = index
      const params = JSON.stringify({ level })
      await connection.ask({ method: 'logging/setLevel', params, timeoutMs: 5_000 })
    },
  }
}
