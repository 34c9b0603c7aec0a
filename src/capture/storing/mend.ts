import type { Sql, TransactionSql } from 'postgres'
import { isoTime } from '#lib/clock'
import { idTime } from '#lib/ids'
import type { Run } from './rebuild-run.ts'

const mostConversations = 200

/**
 * Puts conversations right after their exchanges were derived again: sums and times, turns numbered in the order in
 * which they were said, and those that nobody belongs to any more are gone. One step.
 */
export async function mendConversations(sql: Sql, run: Run): Promise<Run> {
  return await sql.begin(async (tx) => {
    const rows = await tx<{ id: string }[]>`
      select id from conversations where id > ${run.position} and not by_tool
      order by id limit ${mostConversations} for update`
    const last = rows.at(-1)
    if (last === undefined) return { ...run, phase: 'done' as const }
    const ids = rows.map((row) => row.id)
    await renumber(tx, ids)
    await sumUp(tx, ids)
    await reachKept(tx, ids)
    await dropEmpty(tx, ids, idTime(run.until))
    return { ...run, position: last.id }
  })
}

async function renumber(tx: TransactionSql, ids: readonly string[]): Promise<void> {
  await tx`
    update turns t set number = right_.number
    from (
      select id, row_number() over (partition by conversation_id order by exchange_id, number)::int as number
      from turns where conversation_id = any(${[...ids]}::uuid[])
    ) as right_
    where t.id = right_.id and t.number <> right_.number`
}

async function sumUp(tx: TransactionSql, ids: readonly string[]): Promise<void> {
  await tx`
    update conversations c set
      started_at = e.started_at, last_at = e.last_at, exchanges = e.exchanges, models = e.models,
      input_tokens = e.input_tokens, output_tokens = e.output_tokens, cache_read_tokens = e.cache_read_tokens,
      cache_write_tokens = e.cache_write_tokens, reasoning_tokens = e.reasoning_tokens,
      cost_micros = e.cost_micros
    from (
      select conversation_id, min(started_at) as started_at, max(ended_at) as last_at, count(*) as exchanges,
        coalesce(array_agg(distinct coalesce(model_served, model_asked) order by coalesce(model_served, model_asked))
          filter (where coalesce(model_served, model_asked) is not null), '{}') as models,
        coalesce(sum(input_tokens), 0) as input_tokens, coalesce(sum(output_tokens), 0) as output_tokens,
        coalesce(sum(cache_read_tokens), 0) as cache_read_tokens,
        coalesce(sum(cache_write_tokens), 0) as cache_write_tokens,
        coalesce(sum(reasoning_tokens), 0) as reasoning_tokens, coalesce(sum(cost_micros), 0) as cost_micros
      from exchanges where conversation_id = any(${[...ids]}::uuid[]) group by conversation_id
    ) as e
    where c.id = e.conversation_id`
  await tx`
    update conversations c set turns = t.turns, last_number = t.turns,
      tip = (select key from turns where conversation_id = c.id and role <> 'system' order by number desc limit 1)
    from (
      select wanted.id, count(turns.id)::int as turns
      from unnest(${[...ids]}::uuid[]) as wanted (id) left join turns on turns.conversation_id = wanted.id
      group by wanted.id
    ) as t
    where c.id = t.id`
}

/** What was stored by a tool into a conversation of traffic may be younger than all of its exchanges. */
async function reachKept(tx: TransactionSql, ids: readonly string[]): Promise<void> {
  const kept = await tx<{ conversation: string; id: string }[]>`
    select distinct on (conversation_id) conversation_id as conversation, id from turns
    where conversation_id = any(${[...ids]}::uuid[]) and by_tool order by conversation_id, id desc`
  for (const { conversation, id } of kept) {
    await tx`
      update conversations set last_at = greatest(last_at, ${isoTime(idTime(id))}) where id = ${conversation}`
  }
}

/** Only long after the start: a worker may be about to add the first exchange to one that looks empty. */
async function dropEmpty(tx: TransactionSql, ids: readonly string[], startedMs: number): Promise<void> {
  const before = new Date(Math.min(startedMs, Date.now()) - 60_000).toISOString()
  await tx`
    delete from conversations c where id = any(${[...ids]}::uuid[]) and last_at < ${before}
      and not exists (select from exchanges where conversation_id = c.id)`
}
