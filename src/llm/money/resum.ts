import type { Sql } from 'postgres'
import { isoTime } from '#lib/clock'
import { idFloor, idTime } from '#lib/ids'
import { daysByHour, spendLock } from './spend.ts'

const dayMs = 24 * 3_600_000

/**
 * Makes the sums of reports anew from the exchanges, for the days that the range touches: for after what is known of
 * exchanges was derived again. What counts against budgets stays what it was when it was called, and so do sums whose
 * exchanges are past retention. Safe beside workers and upkeep: a day is one statement.
 * @returns how many days were summed
 */
export async function resumSpend(
  sql: Sql,
  { since = 0, until = Date.now() }: { since?: number | undefined; until?: number | undefined },
): Promise<number> {
  const [oldest] = await sql<{ id: string }[]>`select id from exchanges order by id limit 1`
  if (oldest === undefined) return 0
  let days = 0
  for (let day = dayOf(Math.max(since, idTime(oldest.id))); day < until; day += dayMs) {
    await sql.begin(async (tx) => {
      await tx`select pg_advisory_xact_lock(${spendLock})`
      const unit = Date.now() - day > daysByHour * dayMs ? 'day' : 'hour'
      const [from, to] = [day, day + dayMs]
      await tx`
        with gone as (delete from spend where hour >= ${isoTime(from)} and hour < ${isoTime(to)} returning *),
        parts as (
          select date_trunc(${unit}, started_at, 'UTC') as hour, tenant, key_id, route, provider,
            coalesce(model_served, model_asked) as model,
            coalesce((select array_agg(tag order by tag) from unnest(tags) tag), '{}') as tags,
            1 as calls, (cost_micros is null and coalesce(input_tokens, output_tokens) is not null)::int as unpriced, input_tokens, output_tokens, cache_read_tokens,
            cache_write_tokens, reasoning_tokens, cost_micros, 0 as charged_micros
          from exchanges where id >= ${idFloor(from)} and id < ${idFloor(to)}
          union all
          select date_trunc(${unit}, hour, 'UTC'), tenant, key_id, route, provider, model, tags, 0, 0, 0, 0, 0, 0, 0, 0,
            charged_micros
          from gone
        )
        insert into spend (hour, tenant, key_id, route, provider, model, tags, calls, unpriced, input_tokens,
          output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens, cost_micros, charged_micros)
        select hour, tenant, key_id, route, provider, model, tags, sum(calls), sum(unpriced),
          coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0), coalesce(sum(cache_read_tokens), 0),
          coalesce(sum(cache_write_tokens), 0), coalesce(sum(reasoning_tokens), 0), coalesce(sum(cost_micros), 0),
          sum(charged_micros)
        from parts group by 1, 2, 3, 4, 5, 6, 7`
    })
    days += 1
  }
  return days
}

function dayOf(time: number): number {
  return Math.floor(time / dayMs) * dayMs
}
