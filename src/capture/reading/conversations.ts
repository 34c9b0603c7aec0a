import type postgres from 'postgres'
import { z } from 'zod'
import { time, uuid, word } from '#lib/fields'
import {
  type ConversationItem,
  type ConversationRow,
  conversationColumns,
  conversationItem,
} from './conversation-item.ts'
import { type Page, pageOf, readCursor } from './cursor.ts'
import { conjunction } from './exchange-filters.ts'
import { newestFirst } from './newest-first.ts'
import { idRange, page, tenant } from './query.ts'
import { parseSearch } from './search-query.ts'

export const conversationsQuery = z.strictObject({
  since: time.optional().meta({ description: 'By the last activity' }),
  until: time.optional().meta({ description: 'By the last activity' }),
  tenant,
  session: word.optional(),
  agent: word.optional(),
  client: word.optional().meta({ description: 'As in claude-code or codex' }),
  model: word.optional(),
  parent: uuid.optional().meta({ description: 'The conversation whose sub-agents are wanted' }),
  text: word.optional().meta({ description: 'Has a turn that this search finds' }),
  ...page,
})

export type ConversationFilters = Omit<z.infer<typeof conversationsQuery>, 'tenant' | 'limit' | 'cursor'> & {
  /** Null: of every tenant. */
  tenant: string | null
}

/** The last active first. */
export async function listConversations(
  sql: postgres.Sql,
  filters: ConversationFilters,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<Page<ConversationItem>> {
  const position = readCursor(z.tuple([z.int(), z.uuid()]), cursor)
  const [micros, id] = position ?? [null, null]
  const conditions = conversationConditions(sql, filters)
  const until = micros === null ? filters.until : Math.floor(micros / 1000) + 1
  const sliced = { since: filters.since, until, limit: limit + 1, ...(await widened(sql, filters)) }
  const { rows, reached } = await newestFirst(sliced, (slice) => {
    const where = conjunction(sql, [
      conditions,
      micros !== null && sql`(c.last_at, c.id) < (${atMicros(sql, micros)}, ${id})`,
      slice.from !== undefined && sql`c.last_at >= ${atMicros(sql, slice.from * 1000)}`,
      slice.before !== undefined && sql`c.last_at < ${atMicros(sql, slice.before * 1000)}`,
    ])
    return sql<ConversationRow[]>`
      select ${conversationColumns(sql)} from conversations c
      where ${where} order by c.last_at desc, c.id desc limit ${slice.limit}`
  })
  return pageOf(rows, limit, {
    item: conversationItem,
    position: (row) => [row.last_at_micros, row.id],
    reached: reached === null ? null : [reached * 1000, '00000000-0000-0000-0000-000000000000'],
  })
}

/** With a search in it a slice costs the planning of a search through all partitions: so few, and none too many. */
async function widened(sql: postgres.Sql, { text, since }: ConversationFilters) {
  if (text === undefined) return {}
  const [row] = await sql<{ oldest: number | null }[]>`
    select extract(epoch from min(last_at))::float8 * 1000 as oldest from conversations`
  return { since: Math.max(since ?? 0, Math.floor(row?.oldest ?? 0)), firstMs: searchedAtOnceMs }
}

const searchedAtOnceMs = 32 * 86_400_000

export function conversationConditions(sql: postgres.Sql, filters: ConversationFilters): postgres.Fragment {
  return conjunction(sql, [
    filters.since !== undefined && sql`c.last_at >= ${atMicros(sql, filters.since * 1000)}`,
    filters.until !== undefined && sql`c.last_at < ${atMicros(sql, filters.until * 1000)}`,
    filters.tenant !== null && sql`c.tenant = ${filters.tenant}`,
    filters.session !== undefined && sql`c.session = ${filters.session}`,
    filters.agent !== undefined && sql`c.agent = ${filters.agent}`,
    filters.client !== undefined && sql`c.client = ${filters.client}`,
    filters.model !== undefined && sql`${filters.model} = any(c.models)`,
    filters.parent !== undefined && sql`c.parent_id = ${filters.parent}`,
    filters.text !== undefined && sql`c.id in (${conversationsWith(sql, filters.text, filters)})`,
  ])
}

/** A rare word is found by its index first, a common one conversation by conversation: the planner's choice. */
function conversationsWith(
  sql: postgres.Sql,
  text: string,
  { tenant, since }: { tenant: string | null; since?: number | undefined },
): postgres.Fragment {
  const { tsquery } = parseSearch(text, tenant)
  const { from } = idRange({ since })
  return sql`select t.conversation_id from turn_words w join turns t on t.id = w.id
    where w.words @@ ${tsquery}::tsquery ${tenant === null ? sql`` : sql`and t.tenant = ${tenant}`}
      ${from === undefined ? sql`` : sql`and w.id >= ${from}`}`
}

/** Exact, where a float of seconds is not. */
function atMicros(sql: postgres.Sql, micros: number): postgres.Fragment {
  return sql`(timestamptz 'epoch' + ${micros}::bigint * interval '1 microsecond')`
}
