import type postgres from 'postgres'
import { isoTime } from '#lib/clock'

/** A row as these columns give it; times in ms since the epoch. */
export type ConversationRow = {
  id: string
  tenant: string
  parent_id: string | null
  client: string | null
  session: string | null
  agent: string | null
  title: string | null
  models: string[]
  started_at: number
  last_at: number
  last_at_micros: number
  exchanges: number
  turns: number
  input_tokens: number
  output_tokens: number
  cache_read_tokens: number
  cache_write_tokens: number
  reasoning_tokens: number
  cost_micros: number
  metadata: Record<string, unknown> | null
}

export function conversationColumns(sql: postgres.Sql): postgres.Fragment {
  return sql`c.id, c.tenant, c.parent_id, c.client, c.session, c.agent, c.title, c.models,
    extract(epoch from c.started_at)::float8 * 1000 as started_at,
    extract(epoch from c.last_at)::float8 * 1000 as last_at,
    (extract(epoch from c.last_at) * 1000000)::bigint as last_at_micros,
    c.exchanges, c.turns, c.input_tokens, c.output_tokens, c.cache_read_tokens, c.cache_write_tokens,
    c.reasoning_tokens, c.cost_micros, c.metadata`
}

export type ConversationItem = ReturnType<typeof conversationItem>

/** A conversation as the API shows it. */
export function conversationItem(row: ConversationRow) {
  return {
    id: row.id,
    tenant: row.tenant,
    parent_id: row.parent_id,
    client: row.client,
    session: row.session,
    agent: row.agent,
    title: row.title,
    models: row.models,
    started_at: isoTime(row.started_at),
    last_at: isoTime(row.last_at),
    exchanges: row.exchanges,
    turns: row.turns,
    usage: {
      input: row.input_tokens,
      output: row.output_tokens,
      cache_read: row.cache_read_tokens,
      cache_write: row.cache_write_tokens,
      reasoning: row.reasoning_tokens,
    },
    cost_micros: row.cost_micros,
    /** What the agent said that began it by a tool. */
    metadata: row.metadata,
  }
}
