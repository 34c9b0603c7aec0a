import type postgres from 'postgres'
import { type ConversationRow, conversationColumns } from './conversation-item.ts'
import { conversationConditions } from './conversations.ts'
import { conjunction } from './exchange-filters.ts'
import type { ExportQuery, ExportRun, Line } from './export-query.ts'
import { conversationMessages } from './messages.ts'

const rowsAtOnce = 100

/** One line a conversation, by id. */
export async function* conversationLines(query: ExportQuery, run: ExportRun): AsyncGenerator<Line> {
  const { since, until, model, client, session } = query
  const filters = { since, until, model, client, session, tenant: run.tenant }
  let after = query.after ?? null
  while (!run.signal.aborted) {
    const rows = await run.read((sql) => readRows(sql, conversationConditions(sql, filters), after))
    for (const row of rows) {
      yield { id: row.id, pieces: conversationMessages(run.read, row, query.format) }
    }
    after = rows.at(-1)?.id ?? after
    if (rows.length < rowsAtOnce) return
  }
}

async function readRows(sql: postgres.Sql, conditions: postgres.Fragment, after: string | null) {
  const where = conjunction(sql, [conditions, after !== null && sql`c.id > ${after}`])
  return await sql<ConversationRow[]>`
    select ${conversationColumns(sql)} from conversations c where ${where} order by c.id limit ${rowsAtOnce}`
}
