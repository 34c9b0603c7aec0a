import type postgres from 'postgres'
import { type ConversationRow, conversationColumns, conversationItem } from './conversation-item.ts'
import { notFound } from './query.ts'
import { listTurns } from './turns.ts'

const childrenAtMost = 100

export type Reached = {
  id: string
  /** Null: of every tenant. */
  tenant: string | null
}

/** @throws SluiceError 404, also where it is another tenant's */
export async function findConversation(sql: postgres.Sql, { id, tenant }: Reached): Promise<ConversationRow> {
  const [row] = await sql<ConversationRow[]>`
    select ${conversationColumns(sql)} from conversations c
    where c.id = ${id} ${tenant === null ? sql`` : sql`and c.tenant = ${tenant}`}`
  if (row === undefined) throw notFound('conversation')
  return row
}

/** A conversation with its place among the agents, and its first turns. @throws SluiceError 404 */
export async function showConversation(
  sql: postgres.Sql,
  reached: Reached,
  page: { limit: number; cursor?: string | undefined; order: 'asc' | 'desc' },
) {
  const row = await findConversation(sql, reached)
  const [parents, children, turns] = await Promise.all([
    row.parent_id === null ? [] : relatives(sql, sql`c.id = ${row.parent_id}`, row.tenant),
    relatives(sql, sql`c.parent_id = ${row.id}`, row.tenant),
    listTurns(sql, row, page),
  ])
  return {
    ...conversationItem(row),
    /** Null where there is none, or it has not been seen. */
    parent: parents[0] ?? null,
    children: children.slice(0, childrenAtMost),
    /** Are there more children than these? Then they are listed by `/api/conversations?parent=`. */
    more_children: children.length > childrenAtMost,
    turns_page: turns,
  }
}

async function relatives(sql: postgres.Sql, which: postgres.Fragment, tenant: string) {
  const rows = await sql<ConversationRow[]>`
    select ${conversationColumns(sql)} from conversations c
    where ${which} and c.tenant = ${tenant} order by c.started_at, c.id limit ${childrenAtMost + 1}`
  return rows.map(conversationItem)
}
