import type { Sql } from 'postgres'
import { errorText } from '#lib/errors'
import type { Logger } from '#lib/log'
import type { Directory } from './directory.ts'
import { markUsed } from './queries.ts'

export type UsageWriter = { flush(): Promise<void>; stop(): Promise<void> }

/** Writes when keys were last used: now and then, in one statement, best effort, never on a request's path. */
export function openUsageWriter(options: {
  sql: Sql
  directory: Directory
  log: Logger
  everyMs: number
}): UsageWriter {
  const { sql, directory, log, everyMs } = options
  let writtenUpTo = 0
  const timer = setInterval(() => void flush(), everyMs)
  timer.unref()
  return {
    flush,
    async stop() {
      clearInterval(timer)
      await Promise.race([flush(), Bun.sleep(1_000)])
    },
  }

  async function flush(): Promise<void> {
    const uses: { id: string; at: number }[] = []
    for (const { record, usedAt } of directory.entries()) {
      if (record !== null && usedAt > writtenUpTo) uses.push({ id: record.id, at: usedAt })
    }
    if (uses.length === 0) return
    try {
      await markUsed(sql, uses)
      writtenUpTo = Math.max(...uses.map(({ at }) => at))
    } catch (error) {
      log.debug({ reason: errorText(error) }, 'access: last use of keys not written')
    }
  }
}
