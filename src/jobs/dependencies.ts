import type { Sql } from 'postgres'
import { failFlow } from './doom.ts'

/**
 * Moves jobs on whose dependencies have ended: to their turn, or, where one did not succeed and they must not go on
 * without, to `failed`, and with them all that waits for them in turn. Looks at the rows alone, so it can be repeated
 * at any time. `ids`: those that wait.
 * @returns all that moved
 */
export async function settleDependants(sql: Sql, ids: readonly string[]): Promise<string[]> {
  const moved: string[] = []
  let next = [...ids]
  while (next.length > 0) {
    const rows = await settle(sql, next)
    const doomed = rows.filter(({ state }) => state === 'failed').map(({ id }) => id)
    const fallen = await failFlow(sql, doomed)
    for (const { id } of rows) moved.push(id)
    for (const id of fallen) moved.push(id)
    // What goes on without them.
    next = await dependantsOf(sql, [...doomed, ...fallen])
  }
  return moved
}

/** Those that wait for any of these. */
export async function dependantsOf(sql: Sql, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return []
  const rows = await sql<{ job_id: string }[]>`
    select distinct d.job_id from job_dependencies d join jobs j on j.id = d.job_id
    where d.needs = any(${[...ids]}::uuid[]) and j.state = 'waiting'`
  return rows.map((row) => row.job_id)
}

/**
 * Those that wait for nothing more, or for what cannot come: whoever ended the last of it died, or looked too early.
 * Looks at the next few that wait, in the order of their ids, as there may be a million.
 * @returns them, and from where on to look the next time
 */
export async function overlooked(
  sql: Sql,
  { after, limit }: { after: string; limit: number },
): Promise<{ ids: string[]; after: string }> {
  const rows = await sql<{ id: string; ripe: boolean }[]>`
    select j.id, not exists (
        select from job_dependencies d join jobs n on n.id = d.needs
        where d.job_id = j.id and n.state not in ('succeeded', 'failed', 'cancelled', 'expired'))
      or (j.dependency_policy = 'fail' and exists (
        select from job_dependencies d join jobs n on n.id = d.needs
        where d.job_id = j.id and n.state in ('failed', 'cancelled', 'expired'))) as ripe
    from (select id, dependency_policy from jobs where state = 'waiting' and id > ${after} order by id limit ${limit}) j
    order by j.id`
  const last = rows.length < limit ? undefined : rows.at(-1)
  return { ids: rows.filter(({ ripe }) => ripe).map(({ id }) => id), after: last?.id ?? firstId }
}

/** Before all others. */
export const firstId = '00000000-0000-0000-0000-000000000000'

async function settle(sql: Sql, ids: readonly string[]): Promise<{ id: string; state: string }[]> {
  return await sql<{ id: string; state: string }[]>`
    with mine as (
      -- In one order, or two that settle the same ones would wait for each other.
      select id from jobs where id = any(${[...ids]}::uuid[]) and state = 'waiting' order by id for update
    ), look as (
      select j.id, count(*) filter (where n.state not in ('succeeded', 'failed', 'cancelled', 'expired')) as pending,
        (array_agg(n.id::text || ' ' || n.state) filter (where n.state in ('failed', 'cancelled', 'expired')))[1] as bad
      from mine j left join job_dependencies d on d.job_id = j.id left join jobs n on n.id = d.needs group by j.id
    ), moved as (
      update jobs j set
        pending = look.pending,
        state = case when look.bad is not null and j.dependency_policy = 'fail' then 'failed'
          when look.pending > 0 then 'waiting' when j.run_at > now() then 'scheduled' else 'queued' end,
        error = case when look.bad is not null and j.dependency_policy = 'fail'
          then 'a job that it depends on did not succeed: ' || look.bad end,
        error_class = case when look.bad is not null and j.dependency_policy = 'fail' then 'DependencyFailed' end,
        ended_at = case when look.bad is not null and j.dependency_policy = 'fail' then now() end,
        version = version + 1
      from look where j.id = look.id and j.state = 'waiting'
        and (look.pending <> j.pending or look.pending = 0 or (look.bad is not null and j.dependency_policy = 'fail'))
      returning j.id, j.state, j.version, j.error
    ), told as (
      insert into job_events (job_id, n, kind, data)
      select id, version, 'state', json_build_object('state', state, 'error', error) from moved
    )
    select id, state from moved where state <> 'waiting'`
}
