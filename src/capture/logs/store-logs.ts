import type { Sql } from 'postgres'
import { isoTime } from '#lib/clock'
import { cleanText } from '#lib/errors'
import { newId } from '#lib/ids'
import { withToday } from '../storing/partitions.ts'
import { searchVector } from '../storing/words.ts'
import type { LogEntry } from './log-entry.ts'

export type LogOwner = { tenant: string; keyId: string | null }

/** Stores all of them or none. @returns how many */
export async function storeLogs(
  sql: Sql,
  { tenant, keyId }: LogOwner,
  entries: readonly LogEntry[],
): Promise<number> {
  const now = Date.now()
  const rows = entries.map(({ created_at: at = now, ...entry }) => {
    const message = cleanText(entry.message)
    return {
      ...{ id: newId(now), component: entry.component, level: entry.level, message },
      ...{ trace_id: entry.trace_id ?? null, data: entry.data ?? null, created_at: isoTime(at) },
      words: searchVector(tenant, `${entry.component} ${message}`),
    }
  })
  await withToday(
    sql,
    () => sql`
      insert into logs (id, tenant, key_id, trace_id, component, level, message, data, created_at, words)
      select id, ${tenant}, ${keyId}, trace_id, component, level, message, data, created_at, words::tsvector
      from jsonb_to_recordset(${sql.json(rows as never)}) as row (id uuid, trace_id text, component text,
        level log_level, message text, data jsonb, created_at timestamptz, words text)`,
  )
  return rows.length
}
