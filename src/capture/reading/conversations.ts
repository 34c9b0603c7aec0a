import type postgres from 'postgres'
import { z } from 'zod'
import { time, uuid, word } from '#lib/fields'
import {
  type ConversationItem,
  type ConversationRow,
  conversationColumns,
  conversationItem,
} from './conversation-item.ts'
import { conversationsWith } from './conversations-with.ts'
import { type Page, pageOf, readCursor } from './cursor.ts'
import { conjunction } from './exchange-filters.ts'
import { newestFirst, type Slice } from './newest-first.ts'
import { page, tenant } from './query.ts'

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
  { text, ...filters }: ConversationFilters,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<Page<ConversationItem>> {
  const position = readCursor(z.tuple([z.int(), z.uuid()]), cursor)
  const [micros, id] = position ?? [null, null]
  const said = text === undefined ? null : await conversationsWith(sql, text, filters.tenant)
  const all = conjunction(sql, [
    conversationConditions(sql, filters),
    micros !== null && sql`(c.last_at, c.id) < (${atMicros(sql, micros)}, ${id})`,
    said === null ? false : said.condition,
  ])
  const fetch = (slice: Pick<Slice, 'from' | 'before' | 'limit'>) => {
    const where = conjunction(sql, [
      all,
      slice.from !== undefined && sql`c.last_at >= ${atMicros(sql, slice.from * 1000)}`,
      slice.before !== undefined && sql`c.last_at < ${atMicros(sql, slice.before * 1000)}`,
    ])
    return sql<ConversationRow[]>`
      select ${conversationColumns(sql)} from conversations c
      where ${where} order by c.last_at desc, c.id desc limit ${slice.limit}`
  }
  const until = micros === null ? filters.until : Math.floor(micros / 1000) + 1
  const budgetMs = said === null ? 80 : 50
  const oldest = () => oldestActivity(sql)
  const sliced = { since: filters.since, until, limit: limit + 1, oldest, budgetMs }
  const { rows, reached } =
    said?.few === true
      ? { rows: await fetch({ from: undefined, before: undefined, limit: limit + 1 }), reached: null }
      : await newestFirst(sliced, fetch)
  return pageOf(rows, limit, {
    item: conversationItem,
    position: (row) => [row.last_at_micros, row.id],
    reached: reached === null ? null : [reached * 1000, '00000000-0000-0000-0000-000000000000'],
  })
}

async function oldestActivity(sql: postgres.Sql): Promise<number | null> {
  const [row] = await sql<{ oldest: number | null }[]>`
    select extract(epoch from min(last_at))::float8 * 1000 as oldest from conversations`
  return row?.oldest == null ? null : Math.floor(row.oldest)
}

export function conversationConditions(
  sql: postgres.Sql,
  filters: Omit<ConversationFilters, 'text'>,
): postgres.Fragment {
  return conjunction(sql, [
    filters.since !== undefined && sql`c.last_at >= ${atMicros(sql, filters.since * 1000)}`,
    filters.until !== undefined && sql`c.last_at < ${atMicros(sql, filters.until * 1000)}`,
    filters.tenant !== null && sql`c.tenant = ${filters.tenant}`,
    filters.session !== undefined && sql`c.session = ${filters.session}`,
    filters.agent !== undefined && sql`c.agent = ${filters.agent}`,
    filters.client !== undefined && sql`c.client = ${filters.client}`,
    filters.model !== undefined && sql`${filters.model} = any(c.models)`,
    filters.parent !== undefined && sql`c.parent_id = ${filters.parent}`,
  ])
}

/** Exact, where a float of seconds is not. */
function atMicros(sql: postgres.Sql, micros: number): postgres.Fragment {
  return sql`(timestamptz 'epoch' + ${micros}::bigint * interval '1 microsecond')`
}
