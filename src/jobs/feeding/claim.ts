import type { TransactionSql } from 'postgres'

/** A job on its way into the queue engine. */
export type Claimed = { id: string; kind: string; admission: number; runAt: number }

/** Distinct concurrency keys looked at in one step; where more wait, the next step goes on after them. */
const keysAtOnce = 500

/**
 * Takes up to `room` jobs whose turn it is, and marks them as admitted.
 *
 * Tenants take turns: the one with the fewest under way comes first, however many jobs another one has. Within a
 * tenant priority decides, then the time. Of one concurrency key no more are taken than its limit leaves, of a kind no
 * more than operators allow. Kinds and keys are walked by index, so that a million jobs that may not run cost nothing.
 * @returns them, and from which key on the next step is to look
 */
export async function claim(
  tx: TransactionSql,
  { room, afterKey }: { room: number; afterKey: string },
): Promise<{ claimed: Claimed[]; afterKey: string; looked: number }> {
  const rows = await tx<(Claimed & { last_key: string; looked: number })[]>`
    with recursive flying as (
      select tenant, kind, concurrency_key, count(*)::int as n from jobs
      where state in ('admitted', 'running') group by tenant, kind, concurrency_key
    ),
    settings as (
      select kind, paused, concurrency,
        case when per_minute is null then null else
          least(greatest(1, per_minute / 10.0),
            allowance + per_minute / 60.0 * extract(epoch from clock_timestamp() - allowance_at))
        end as allowed
      from job_kind_settings
    ),
    -- Tenant and kind of what is ready, one step of the index each.
    pairs as (
      (select tenant, kind from jobs where state = 'queued' and concurrency_key is null order by tenant, kind limit 1)
      union all
      select next.tenant, next.kind from pairs p, lateral (
        select tenant, kind from jobs
        where state = 'queued' and concurrency_key is null and (tenant, kind) > (p.tenant, p.kind)
        order by tenant, kind limit 1) next
    ),
    keys as (
      (select tenant, concurrency_key as key, 1 as step from jobs
       where state = 'queued' and concurrency_key is not null
         and (tenant, concurrency_key) > (split_part(${afterKey}, E'\t', 1), split_part(${afterKey}, E'\t', 2))
       order by tenant, concurrency_key limit 1)
      union all
      select next.tenant, next.key, k.step + 1 from keys k, lateral (
        select tenant, concurrency_key as key from jobs
        where state = 'queued' and concurrency_key is not null and (tenant, concurrency_key) > (k.tenant, k.key)
        order by tenant, concurrency_key limit 1) next
      where k.step < ${keysAtOnce}
    ),
    open_kinds as (
      select kind, least(
          coalesce(s.concurrency - coalesce((select sum(n) from flying f where f.kind = s.kind), 0), ${room}),
          coalesce(floor(s.allowed), ${room}), ${room})::int as room
      from settings s where not s.paused and s.kind <> '*'
    ),
    everything as (
      select coalesce(bool_or(s.paused), false) as paused,
        coalesce(min(s.concurrency) - (select coalesce(sum(n), 0) from flying), ${room})::int as room,
        coalesce(floor(min(s.allowed)), ${room})::int as allowed
      from settings s where s.kind = '*'
    ),
    ready as (
      select j.* from pairs p
        left join open_kinds o on o.kind = p.kind
        cross join lateral (
          select id, tenant, kind, priority, run_at, null::text as key from jobs
          where state = 'queued' and concurrency_key is null and tenant = p.tenant and kind = p.kind
          order by priority desc, run_at, id limit coalesce(o.room, ${room})) j
      where not exists (select from settings s where s.kind = p.kind and s.paused)
      union all
      select j.* from keys k
        cross join lateral (
          select id, tenant, kind, priority, run_at, concurrency_key as key, concurrency_limit from jobs
          where state = 'queued' and concurrency_key = k.key and tenant = k.tenant
          order by priority desc, run_at, id limit 1) first
        cross join lateral (
          select id, tenant, kind, priority, run_at, concurrency_key as key from jobs
          where state = 'queued' and concurrency_key = k.key and tenant = k.tenant
          order by priority desc, run_at, id
          limit greatest(0, least(${room}, first.concurrency_limit
            - coalesce((select sum(n) from flying f where f.tenant = k.tenant and f.concurrency_key = k.key), 0)))) j
      where not exists (select from settings s where s.kind = j.kind and s.paused)
    ),
    ranked as (
      select r.*, row_number() over (partition by tenant order by priority desc, run_at, id)
          + coalesce((select sum(n) from flying f where f.tenant = r.tenant), 0) as turn
      from ready r
    ),
    -- By turn here, too: or all that a kind may have would go to the tenant that came first.
    placed as (
      select *, row_number() over (partition by kind order by turn, priority desc, run_at, id) as of_kind
      from ranked
    ),
    chosen as (
      select p.id, p.kind from placed p left join open_kinds o on o.kind = p.kind
      where p.of_kind <= coalesce(o.room, ${room})
      order by turn, priority desc, run_at, p.id
      limit (select case when paused then 0 else greatest(0, least(${room}, room, allowed)) end from everything)
    ),
    admitted as (
      -- As an array: how few they are the planner cannot tell, and it read all of a million (0.6 s for 10 ms).
      update jobs j set state = 'admitted', admitted_at = now(), admission = attempt + 1
      where j.id = any(array(select id from chosen)) and j.state = 'queued'
      returning j.id, j.kind, j.admission, extract(epoch from j.run_at)::float8 * 1000 as "runAt"
    ),
    spent as (
      update job_kind_settings s set allowance_at = clock_timestamp(),
        allowance = now_allowed.allowed - (select count(*) from chosen c where s.kind in (c.kind, '*'))
      from settings now_allowed where now_allowed.kind = s.kind and s.per_minute is not null
    )
    select a.*, '' as last_key, 0 as looked from admitted a
    union all
    select null, null, null, null, coalesce((select tenant || E'\t' || key from keys order by step desc limit 1), ''),
      (select count(*)::int from keys)`
  const mark = rows.find(({ id }) => id === null)
  const looked = mark?.looked ?? 0
  return {
    claimed: rows
      .filter(({ id }) => id !== null)
      .map(({ id, kind, admission, runAt }) => ({ id, kind, admission, runAt })),
    afterKey: looked < keysAtOnce ? '' : (mark?.last_key ?? ''),
    looked,
  }
}
