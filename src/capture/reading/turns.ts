import type postgres from 'postgres'
import { z } from 'zod'
import { isoTime } from '#lib/clock'
import { idFloor, idTime } from '#lib/ids'
import type { ConversationRow } from './conversation-item.ts'
import { type Page, pageOf, readCursor } from './cursor.ts'
import { notFound, page } from './query.ts'

/** Of a turn in a list; the rest is read by its number. In characters. */
export const shownLength = 64 * 1024

export const turnsQuery = z.strictObject({
  ...page,
  order: z.enum(['asc', 'desc'], 'must be asc or desc').default('asc'),
})

export type TurnRow = {
  id: string
  number: number
  role: 'user' | 'assistant' | 'system' | 'tool'
  exchange_id: string
  /** Did it come as a model's answer? */
  reply: boolean
  text: string
  length: number
  truncated: boolean
  metadata: Record<string, unknown> | null
}

export type TurnItem = ReturnType<typeof turnItem>

export function turnItem(row: TurnRow) {
  return {
    id: row.id,
    number: row.number,
    role: row.role,
    /** The start of the exchange that first carried it. */
    at: isoTime(idTime(row.id)),
    exchange_id: row.exchange_id,
    text: row.text,
    /** Of the whole text, in characters. */
    text_length: row.length,
    truncated: row.truncated,
    /** Of one that an agent stored by a tool. */
    metadata: row.metadata,
  }
}

export async function listTurns(
  sql: postgres.Sql,
  conversation: ConversationRow,
  { limit, cursor, order }: { limit: number; cursor?: string | undefined; order: 'asc' | 'desc' },
): Promise<Page<TurnItem>> {
  const [position] = readCursor(z.tuple([z.int()]), cursor) ?? []
  const rows = await readTurns(sql, conversation, { limit: limit + 1, position, order, length: shownLength })
  return pageOf(rows, limit, { item: turnItem, position: (row) => [row.number] })
}

/** @throws SluiceError 404 */
export async function findTurn(sql: postgres.Sql, conversation: ConversationRow, number: number) {
  const [row] = await readTurns(sql, conversation, { limit: 1, position: number - 1, order: 'asc' })
  if (row?.number !== number) throw notFound('turn')
  return turnItem(row)
}

export type TurnsRead = {
  limit: number
  /** The number of the turn after which it begins. */
  position?: number | undefined
  order: 'asc' | 'desc'
  /** Longer texts are cut. */
  length?: number
}

/**
 * Turns of a WebSocket's first exchange carry the time of its upgrade, which may be before the conversation's first
 * message; in ms. A day is one partition more.
 */
export const turnSlackMs = 86_400_000

/** No turn is younger than its conversation, nor older by more than the slack, which leaves out partitions. */
export async function readTurns(
  sql: postgres.Sql,
  conversation: ConversationRow,
  { limit, position, order, length }: TurnsRead,
): Promise<TurnRow[]> {
  const text = length === undefined ? sql`t.text` : sql`left(t.text, ${length})`
  const beyond = order === 'asc' ? sql`t.number > ${position ?? 0}` : sql`t.number < ${position ?? 0}`
  return await sql<TurnRow[]>`
    select t.id, t.number, t.role, t.exchange_id, t.reply, t.metadata, ${text} as text, length(t.text) as length,
      ${length === undefined ? sql`false` : sql`length(t.text) > ${length}`} as truncated
    from turns t
    where t.conversation_id = ${conversation.id} and t.id >= ${idFloor(conversation.started_at - turnSlackMs)}
      and t.id < ${idFloor(conversation.last_at + 1)}
      ${position === undefined ? sql`` : sql`and ${beyond}`}
    order by t.number ${order === 'asc' ? sql`asc` : sql`desc`} limit ${limit}`
}
