import type postgres from 'postgres'
import { z } from 'zod'
import { isoTime } from '#lib/clock'
import { clean, time, uuid, word } from '#lib/fields'
import { idCeiling, idFloor, idTime } from '#lib/ids'
import { type Page, pageOf, readCursor } from './cursor.ts'
import { conjunction } from './exchange-filters.ts'
import { newestFirst } from './newest-first.ts'
import { oldestDay } from './oldest-day.ts'
import { idRange, page, tenant } from './query.ts'
import { parseSearch, type Search } from './search-query.ts'
import { eachDay } from './slices.ts'
import { snippetOf } from './snippet.ts'

export const searchInput = z.strictObject({
  q: z
    .string({ error: 'must be given: what to look for' })
    .max(1_000, 'must be 1000 characters at most')
    .refine(...clean)
    .meta({ description: 'Words; "a phrase"; -without; either or other; begin*' }),
  since: time.optional(),
  until: time.optional(),
  tenant,
  role: z.enum(['user', 'assistant', 'system', 'tool'], 'must be user, assistant, system or tool').optional(),
  conversation: uuid.optional(),
  session: word.optional(),
  client: word.optional(),
  model: word.optional(),
  ...page,
})

export type SearchFilters = Omit<z.infer<typeof searchInput>, 'tenant' | 'limit' | 'cursor'> & {
  /** Null: of every tenant. */
  tenant: string | null
}

/** Enough for a snippet around nearly every hit; where a word comes later the snippet is the beginning. */
const readLength = 32 * 1024

type HitRow = {
  id: string
  conversation_id: string
  number: number
  role: string
  tenant: string
  exchange_id: string
  text: string
}

/** Turns with all that is looked for, newest first. */
export async function searchTurns(
  sql: postgres.Sql,
  filters: SearchFilters,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<Page<ReturnType<typeof hitItem>>> {
  const search = parseSearch(filters.q, filters.tenant)
  const [position] = readCursor(z.tuple([z.uuid()]), cursor) ?? []
  const until =
    position === undefined ? filters.until : Math.min(idCeiling(position), filters.until ?? Infinity)
  const oldest = () => oldestDay(sql, 'turns')
  const sliced = { since: filters.since, until, limit: limit + 1, oldest }
  const { rows, reached } = await newestFirst(sliced, (slice) => {
    return sql<HitRow[]>`${eachDay(sql, slice, (day) => {
      const range = idRange({ since: day.from, until: day.before })
      return selectHits(sql, { ...filters, ...range, search, position })
    })}`
  })
  return pageOf(rows, limit, {
    item: (row) => hitItem(row, search),
    position: (row) => [row.id],
    reached: reached === null ? null : [idFloor(reached)],
  })
}

type Hits = SearchFilters & {
  search: Search
  from: string | undefined
  before: string | undefined
  position: string | undefined
}

/** Both tables get the bounds of the slice: it is the same id, but the planner does not carry a range over a join. */
function selectHits(sql: postgres.Sql, hits: Hits): postgres.Fragment {
  const { search, from, before, position } = hits
  const where = conjunction(sql, [
    sql`w.words @@ ${search.tsquery}::tsquery`,
    from !== undefined && sql`w.id >= ${from} and t.id >= ${from}`,
    before !== undefined && sql`w.id < ${before} and t.id < ${before}`,
    position !== undefined && sql`w.id < ${position}`,
    hits.tenant !== null && sql`t.tenant = ${hits.tenant}`,
    hits.role !== undefined && sql`t.role = ${hits.role}`,
    hits.conversation !== undefined && sql`t.conversation_id = ${hits.conversation}`,
    ...search.phrases.map((phrase) => sql`strpos(lower(t.text), ${phrase.toLowerCase()}) > 0`),
    hits.session !== undefined && sql`c.session = ${hits.session}`,
    hits.client !== undefined && sql`c.client = ${hits.client}`,
    hits.model !== undefined && sql`${hits.model} = any(c.models)`,
  ])
  const ofConversation = hits.session ?? hits.client ?? hits.model
  return sql`
    select w.id, t.conversation_id, t.number, t.role, t.tenant, t.exchange_id, left(t.text, ${readLength}) as text
    from turn_words w join turns t on t.id = w.id
      ${ofConversation === undefined ? sql`` : sql`join conversations c on c.id = t.conversation_id`}
    where ${where}`
}

function hitItem(row: HitRow, search: Search) {
  const { text, highlights } = snippetOf(row.text, search.words)
  return {
    turn_id: row.id,
    conversation_id: row.conversation_id,
    number: row.number,
    role: row.role,
    tenant: row.tenant,
    exchange_id: row.exchange_id,
    at: isoTime(idTime(row.id)),
    snippet: text,
    /** `[start, end)` of each word in the snippet, in UTF-16 units. */
    highlights,
  }
}
