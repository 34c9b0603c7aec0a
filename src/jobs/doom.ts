import type { Sql } from 'postgres'

/** Rows that one statement changes and locks, at most: it takes some 200 ms. */
const atOnce = 5_000

/**
 * Fails all that waits for these, directly or through others, and must not go on without: a few thousand a statement
 * that walks the flow itself. A chain of 10,000 took 15 s a link at a time, and takes 1 s so.
 * @returns them
 */
export async function failFlow(sql: Sql, ids: readonly string[]): Promise<string[]> {
  const all: string[] = []
  for (let next = ids; next.length > 0; ) {
    const fallen = await failSome(sql, next)
    for (const id of fallen) all.push(id)
    next = fallen
  }
  return all
}

/** Step by step by the indexes (`offset 0`), whatever is thought of the tables: there may be as many steps as jobs. */
async function failSome(sql: Sql, ids: readonly string[]): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    with recursive doomed (id) as (
      select unnest(${[...ids]}::uuid[])
      union
      select next.id from doomed cross join lateral (
        select d.job_id as id from job_dependencies d where d.needs = doomed.id offset 0
      ) next cross join lateral (
        select from jobs j where j.id = next.id and j.state = 'waiting' and j.dependency_policy = 'fail' offset 0
      ) waiting
    ), few as (
      select id from doomed limit ${atOnce + ids.length}
    ), why as (
      select distinct on (d.job_id) d.job_id as id,
        d.needs || ' ' || case when n.state = 'waiting' then 'failed' else n.state end as reason
      from few cross join lateral (select * from job_dependencies d where d.needs = few.id offset 0) d
        join jobs n on n.id = d.needs
      order by d.job_id
    ), mine as (
      -- In one order, or two that settle the same ones would wait for each other.
      select j.id, why.reason from why join jobs j on j.id = why.id
      where j.state = 'waiting' and j.dependency_policy = 'fail' order by j.id for update of j
    ), moved as (
      update jobs j set state = 'failed', ended_at = now(), version = version + 1, error_class = 'DependencyFailed',
        error = 'a job that it depends on did not succeed: ' || mine.reason
      from mine where j.id = mine.id and j.state = 'waiting'
      returning j.id, j.version, j.error
    ), told as (
      insert into job_events (job_id, n, kind, data)
      select id, version, 'state', json_build_object('state', 'failed', 'error', error) from moved
    )
    select id from moved`
  return rows.map(({ id }) => id)
}
