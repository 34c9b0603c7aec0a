import { z } from 'zod'
import { defineTool, type Tool } from '#access'
import { isoTime } from '#lib/clock'
import { reach } from '../reading/reach.ts'
import { mayKeep } from '../tool-input.ts'
import type { CaptureToolsOptions } from '../tools.ts'
import { logBatch, logClearance, logQuery } from './log-entry.ts'
import { clearLogs, logStats, queryLogs } from './read-logs.ts'
import { storeLogs } from './store-logs.ts'

/** Logs of agents and services, kept for a tenant. */
export function logTools({ sql, reading }: Pick<CaptureToolsOptions, 'sql' | 'reading'>): Tool[] {
  return [
    defineTool({
      name: 'dewey_store_logs_batch',
      title: 'Store logs',
      description: 'Stores up to 1,000 log entries, all or none.',
      input: logBatch,
      ...{ scope: 'call', readOnly: false },
      async run({ logs }, { principal }) {
        mayKeep(principal)
        return { status: 'ok', inserted_count: await storeLogs(sql, principal, logs) }
      },
    }),
    defineTool({
      name: 'dewey_query_logs',
      title: 'Query logs',
      description: 'Logs that fit all that is given, the latest first.',
      input: logQuery,
      ...{ scope: 'read', readOnly: true },
      async run(query, { principal }) {
        const rows = await reading.read((db) => queryLogs(db, reach(principal, undefined), query))
        const now = Date.now()
        const logs = rows.map((row) => ({
          ...row,
          age_seconds: Math.round((now - Date.parse(row.created_at)) / 1000),
        }))
        return { logs, count: logs.length }
      },
    }),
    defineTool({
      name: 'dewey_clear_logs',
      title: 'Clear logs',
      description:
        'Deletes logs for good: those before before_time (by default 7 days ago), of one component or one level where named.',
      input: logClearance,
      ...{ scope: 'call', readOnly: false },
      async run(which, { principal }) {
        return { status: 'ok', deleted_count: await clearLogs(sql, principal.tenant, which) }
      },
    }),
    defineTool({
      name: 'dewey_get_log_stats',
      title: 'Count logs',
      description: 'How many logs there are, by component and by level, and from when to when.',
      input: z.strictObject({}),
      ...{ scope: 'read', readOnly: true },
      async run(_, { principal }) {
        const stats = await reading.read((db) => logStats(db, reach(principal, undefined)))
        return { ...stats, counted_at: isoTime(Date.now()) }
      },
    }),
  ]
}
