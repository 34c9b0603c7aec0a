import type postgres from 'postgres'
import { conjunction } from './exchange-filters.ts'
import { newestFirst } from './newest-first.ts'
import { oldestDay } from './oldest-day.ts'
import { idRange } from './query.ts'
import { parseSearch } from './search-query.ts'
import { eachDay } from './slices.ts'
import { turnSlackMs } from './turns.ts'

const mostHits = 1_000
const budgetMs = 40

/**
 * A condition on conversations `c`: there is a turn that the search finds. Where few turns are found in all, these are
 * looked for once, and the answer is the ids of their conversations. Else it asks each conversation, which is quick
 * where many have it.
 */
export async function conversationsWith(
  sql: postgres.Sql,
  text: string,
  tenant: string | null,
): Promise<{ condition: postgres.Fragment; few: boolean }> {
  const search = parseSearch(text, tenant)
  const found = conjunction(sql, [
    sql`w.words @@ ${search.tsquery}::tsquery`,
    tenant !== null && sql`t.tenant = ${tenant}`,
    ...search.phrases.map((phrase) => sql`strpos(lower(t.text), ${phrase.toLowerCase()}) > 0`),
  ])
  const ids = await fewIds(sql, found)
  if (ids !== null) return { condition: sql`c.id = any(${ids}::uuid[])`, few: true }
  // A scalar subquery, as the planner would make a join with all turns of `exists`; its bounds leave out the partitions
  // of other days while it runs.
  return {
    few: false,
    condition: sql`(
      select true from turns t join turn_words w on w.id = t.id
      where t.conversation_id = c.id
        and t.id >= ${floorOf(sql, sql`c.started_at - ${turnSlackMs} * interval '1 millisecond'`)}
        and t.id < ${floorOf(sql, sql`c.last_at + interval '1 millisecond'`)} and ${found} limit 1)`,
  }
}

/** Null where there are more, or to find them takes too long. */
async function fewIds(sql: postgres.Sql, found: postgres.Fragment): Promise<string[] | null> {
  const limit = mostHits + 1
  const options = {
    since: undefined,
    until: undefined,
    limit,
    budgetMs,
    oldest: () => oldestDay(sql, 'turns'),
  }
  const { rows, reached } = await newestFirst(options, (slice) => {
    return sql<{ conversation_id: string }[]>`${eachDay(sql, slice, (day) => {
      const { from, before } = idRange({ since: day.from, until: day.before })
      const where = conjunction(sql, [
        found,
        from !== undefined && sql`w.id >= ${from} and t.id >= ${from}`,
        before !== undefined && sql`w.id < ${before} and t.id < ${before}`,
      ])
      return sql`select w.id, t.conversation_id from turn_words w join turns t on t.id = w.id where ${where}`
    })}`
  })
  if (rows.length === limit || reached !== null) return null
  return [...new Set(rows.map((row) => row.conversation_id))]
}

/** As `idFloor`. */
function floorOf(sql: postgres.Sql, time: postgres.Fragment): postgres.Fragment {
  return sql`(lpad(to_hex(floor(extract(epoch from ${time}) * 1000)::bigint), 12, '0') || '70008000000000000000')::uuid`
}
