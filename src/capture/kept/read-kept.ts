import type postgres from 'postgres'
import type { z } from 'zod'
import { isoTime } from '#lib/clock'
import { findConversation } from '../reading/conversation.ts'
import { type ConversationRow, conversationColumns } from '../reading/conversation-item.ts'
import { conversationConditions } from '../reading/conversations.ts'
import { searchTurns } from '../reading/search.ts'
import { readTurns, type TurnRow, turnItem } from '../reading/turns.ts'
import type { listInput, searchInput } from './message.ts'

type Sql = postgres.Sql

/** In one answer; the rest is asked for by its turn. In turns and in characters. */
const most = { turns: 1_000, characters: 1024 * 1024 }
const atOnce = 50

/** A conversation with its messages, recorded or stored by tools, as far as they fit. @throws SluiceError 404 */
export async function getConversation(
  sql: Sql,
  { id, tenant, from }: { id: string; tenant: string | null; from: number },
) {
  const row = await findConversation(sql, { id, tenant })
  const messages: ReturnType<typeof messageOf>[] = []
  let characters = 0
  for (let position = from - 1; ; ) {
    const turns = await readTurns(sql, row, {
      limit: atOnce,
      position,
      order: 'asc',
      length: most.characters,
    })
    for (const turn of turns) {
      characters += turn.text.length
      const full = messages.length >= most.turns || (messages.length > 0 && characters > most.characters)
      if (full) return { ...headOf(row), messages, truncated: true, next_turn: turn.number }
      messages.push(messageOf(turn))
      position = turn.number
    }
    if (turns.length < atOnce) return { ...headOf(row), messages, truncated: false, next_turn: null }
  }
}

function headOf(row: ConversationRow) {
  return {
    conversation_id: row.id,
    session_id: row.session,
    created_at: isoTime(row.started_at),
    updated_at: isoTime(row.last_at),
    metadata: row.metadata,
    client: row.client,
    models: row.models,
    message_count: row.turns,
  }
}

function messageOf(turn: TurnRow) {
  const { id, number, role, text, at, exchange_id, truncated, metadata } = turnItem(turn)
  return { id, turn: number, role, content: text, truncated, metadata, created_at: at, exchange_id }
}

/** Counting all would read all. */
const mostCounted = 10_000

export async function listKept(sql: Sql, tenant: string | null, asked: z.output<typeof listInput>) {
  const { session_id: session, limit, offset, sort_by: sortBy } = asked
  const where = conversationConditions(sql, { tenant, session })
  const order = sortBy === 'created_at' ? sql`c.started_at desc, c.id desc` : sql`c.last_at desc, c.id desc`
  const [rows, [count]] = await Promise.all([
    sql<ConversationRow[]>`
      select ${conversationColumns(sql)} from conversations c where ${where}
      order by ${order} limit ${limit} offset ${offset}`,
    sql<{ total: number }[]>`
      select count(*) as total from (select from conversations c where ${where} limit ${mostCounted}) found`,
  ])
  const total = count?.total ?? 0
  const conversations = rows.map((row) => {
    const { conversation_id: id, ...head } = headOf(row)
    return { id, ...head, title: row.title }
  })
  return { conversations, total, total_is_least: total === mostCounted, limit, offset }
}

/** A search stops early, with a short page, where it takes long: for this time, in ms, it is told to go on. */
const goOnMs = 1_000

/** The latest first. */
export async function searchKept(sql: Sql, tenant: string | null, asked: z.output<typeof searchInput>) {
  const { query, session_id: session, start_date: since, end_date: until, limit, offset } = asked
  const filters = { q: query, session, since, until, tenant }
  const wanted = limit + offset
  const first = await searchTurns(sql, filters, { limit: wanted })
  const hits = [...first.items]
  let cursor = first.next_cursor
  const began = performance.now()
  while (cursor !== null && hits.length < wanted && performance.now() - began < goOnMs) {
    const page = await searchTurns(sql, filters, { limit: wanted - hits.length, cursor })
    hits.push(...page.items)
    cursor = page.next_cursor
  }
  const results = hits.slice(offset).map((hit) => ({
    ...{ message_id: hit.turn_id, conversation_id: hit.conversation_id, turn: hit.number, role: hit.role },
    ...{ content: hit.snippet, created_at: hit.at, exchange_id: hit.exchange_id },
  }))
  return { results, limit, offset, has_more: cursor !== null }
}
