-- owner: llm

-- Money is in integer micro-units of USD, periods are those of UTC. A budget's spend of a period is the larger of
-- what gateways settled and what the record shows: the first is ahead by what is on its way to the store, the second
-- by what a gateway could not settle as it died.

create table budgets (
  id uuid primary key,
  name text not null,
  scope text not null check (scope in ('key', 'tenant', 'route', 'global')),
  -- Id of the key, id of the tenant, name of the route; null where it is about everything.
  subject text check ((scope = 'global') = (subject is null)),
  -- Who may see it; null: admins.
  tenant text,
  period text not null check (period in ('day', 'month', 'total')),
  limit_micros bigint not null check (limit_micros >= 0),
  on_outage text not null default 'closed' check (on_outage in ('closed', 'open')),
  unknown_price text not null default 'refuse' check (unknown_price in ('refuse', 'allow')),
  -- Percent of the limit at which somebody is told.
  thresholds int[] not null default '{}',
  webhook_url text,
  webhook_secret text,
  enabled boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index on budgets (tenant, id);

create table budget_periods (
  budget_id uuid not null references budgets (id) on delete cascade,
  -- The period's first moment; the epoch for `total`.
  starts_at timestamptz not null,
  settled_micros bigint not null,
  recorded_micros bigint not null,
  -- What was spent up to the last reset by a human.
  forgiven_micros bigint not null default 0,
  resets int not null default 0,
  reset_at timestamptz,
  primary key (budget_id, starts_at)
);

-- What a gateway may hand out without asking. One that died is not counted once `expires_at` has passed: its row is
-- the fence, as the gateway itself stops to use a lease before that time.
create table budget_leases (
  budget_id uuid not null,
  starts_at timestamptz not null,
  gateway uuid not null,
  -- All that this gateway has settled in the period: a total, so that telling it twice does no harm.
  settled_micros bigint not null,
  held_micros bigint not null,
  expires_at timestamptz not null,
  -- Numbers what the gateway said: what comes late, after a lost connection, counts no more.
  said bigint not null,
  primary key (budget_id, starts_at, gateway),
  foreign key (budget_id, starts_at) references budget_periods (budget_id, starts_at) on delete cascade
);

create table budget_alerts (
  id uuid primary key,
  budget_id uuid not null references budgets (id) on delete cascade,
  starts_at timestamptz not null,
  resets int not null,
  threshold int not null,
  spent_micros bigint not null,
  limit_micros bigint not null,
  created_at timestamptz not null default now(),
  delivered_at timestamptz,
  -- Why the last try failed.
  error text,
  unique (budget_id, starts_at, resets, threshold)
);
create index on budget_alerts (created_at) where delivered_at is null;

create table rate_limits (
  id uuid primary key,
  name text not null,
  scope text not null check (scope in ('key', 'tenant', 'route', 'global')),
  subject text check ((scope = 'global') = (subject is null)),
  tenant text,
  window_seconds int not null check (window_seconds between 1 and 3600),
  requests bigint check (requests >= 0),
  tokens bigint check (tokens >= 0),
  enabled boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  check (requests is not null or tokens is not null)
);
create index on rate_limits (tenant, id);

-- Counts of the windows now running, by all gateways. Worth nothing after a crash of the database: not logged.
create unlogged table rate_counts (
  limit_id uuid not null,
  -- Number of the window since the epoch.
  number bigint not null,
  requests bigint not null,
  tokens bigint not null,
  ends_at timestamptz not null,
  primary key (limit_id, number)
);
create index on rate_counts (ends_at);

-- What tokens cost where the list is wrong, or has nothing. `model` null: any other model of the provider.
create table price_overrides (
  id uuid primary key,
  provider text not null,
  model text,
  -- Micro-units per million tokens. Null: as `input`, and for the hour as `cache_write`.
  input bigint not null check (input >= 0),
  output bigint not null check (output >= 0),
  cache_read bigint check (cache_read >= 0),
  cache_write bigint check (cache_write >= 0),
  cache_write_1h bigint check (cache_write_1h >= 0),
  note text not null default '',
  created_at timestamptz not null default now()
);
create unique index on price_overrides (provider, coalesce(model, ''));

-- Lists in the format of genai-prices, that took the place of the one that came with the program. The newest counts.
create table price_lists (
  id uuid primary key,
  -- sha256 of the text, hex
  sha256 text not null,
  source text not null,
  providers int not null,
  models int not null,
  -- zstd
  data bytea not null,
  loaded_at timestamptz not null default now()
);
alter table price_lists alter column data set storage external;

-- How often anything above has changed that gateways and workers keep in memory.
create table money_revision (
  singleton boolean primary key default true check (singleton),
  revision bigint not null
);
insert into money_revision (revision) values (0);

-- Counts a change in `<argument>_revision`, and tells gateways and workers of it.
create function rules_changed() returns trigger language plpgsql as $$
begin
  execute format('update %I set revision = revision + 1', tg_argv[0] || '_revision');
  perform pg_notify('sluice_' || tg_argv[0], '');
  return null;
end $$;

create trigger budgets_changed after insert or update or delete on budgets
  for each statement execute function rules_changed('money');
create trigger rate_limits_changed after insert or update or delete on rate_limits
  for each statement execute function rules_changed('money');
create trigger price_overrides_changed after insert or update or delete on price_overrides
  for each statement execute function rules_changed('money');
create trigger price_lists_changed after insert or update or delete on price_lists
  for each statement execute function rules_changed('money');

-- The record's sums by the hour: rows are only added, in the transaction that stores the exchanges, so that no two
-- workers wait for each other; upkeep adds up what lies an hour back. They outlive the exchanges.
create table spend (
  hour timestamptz not null,
  tenant text not null,
  key_id text,
  route text,
  provider text,
  -- The model that served, else the one asked for.
  model text,
  tags text[] not null default '{}',
  calls bigint not null,
  -- Of them with tokens, and without a price for them.
  unpriced bigint not null,
  input_tokens bigint not null,
  output_tokens bigint not null,
  cache_read_tokens bigint not null,
  cache_write_tokens bigint not null,
  reasoning_tokens bigint not null,
  cost_micros bigint not null,
  -- What counts against budgets: the cost, or what was reserved where the provider told no usage.
  charged_micros bigint not null
);
create index on spend (hour);
create index on spend (tenant, hour);
create index on spend (key_id, hour) where key_id is not null;
create index on spend (route, hour) where route is not null;

insert into spend
select date_trunc('hour', started_at, 'UTC'), tenant, key_id, null, provider, coalesce(model_served, model_asked), tags,
  count(*), count(*) filter (where cost_micros is null and coalesce(input_tokens, output_tokens) is not null), coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0),
  coalesce(sum(cache_read_tokens), 0), coalesce(sum(cache_write_tokens), 0), coalesce(sum(reasoning_tokens), 0),
  coalesce(sum(cost_micros), 0), coalesce(sum(cost_micros), 0)
from exchanges group by 1, 2, 3, 5, 6, 7;

create function budget_recorded(of budgets, starts timestamptz) returns bigint language sql stable as $$
  select coalesce(sum(charged_micros), 0)::bigint from spend
  where hour >= starts
    and hour < case of.period when 'day' then starts + interval '24 hours'
      when 'month' then (starts at time zone 'UTC' + interval '1 month') at time zone 'UTC' else 'infinity' end
    and case of.scope when 'key' then key_id = of.subject when 'tenant' then tenant = of.subject
      when 'route' then route = of.subject else true end
$$;

-- One gateway's word about one budget, and the answer. It has settled `settled` in all, keeps `keep` of its lease,
-- has calls waiting that want `pending`, the first of them `need`, and would like `extra` on top for those to come.
-- Of what is free it gets: all that is pending, or what there is if the first can be served; and of the rest at most
-- an eighth, so that little lies idle at one gateway while another is at the cap.
create function budget_sync(
  budget uuid, starts timestamptz, who uuid, saying bigint,
  settled bigint, keep bigint, need bigint, pending bigint, extra bigint, ttl_ms int
) returns table (id uuid, at timestamptz, granted bigint, spent bigint, elsewhere bigint, crossed uuid[])
language plpgsql as $$
declare
  b budgets; p budget_periods; told bigint; heard bigint; free bigint;
begin
  select * into b from budgets where budgets.id = budget;
  if not found then return; end if;
  select * into p from budget_periods where budget_id = budget and starts_at = starts for update;
  if not found then
    free := budget_recorded(b, starts);
    insert into budget_periods (budget_id, starts_at, settled_micros, recorded_micros)
      values (budget, starts, free, free) on conflict do nothing;
    select * into p from budget_periods where budget_id = budget and starts_at = starts for update;
  end if;
  select l.settled_micros, l.said into told, heard from budget_leases l
    where l.budget_id = budget and l.starts_at = starts and l.gateway = who;
  if heard >= saying then return; end if;
  if settled > coalesce(told, 0) then
    update budget_periods set settled_micros = settled_micros + settled - coalesce(told, 0)
      where budget_id = budget and starts_at = starts returning * into p;
  end if;
  spent := greatest(p.settled_micros, p.recorded_micros) - p.forgiven_micros;
  select coalesce(sum(l.held_micros), 0) into elsewhere from budget_leases l
    where l.budget_id = budget and l.starts_at = starts and l.gateway <> who and l.expires_at > clock_timestamp();
  free := b.limit_micros - spent - elsewhere - keep;
  granted := case
    when free <= 0 or free < need then 0
    when free < pending then free
    else pending + least(extra, (free - pending) / 8) end;
  insert into budget_leases as l (budget_id, starts_at, gateway, settled_micros, held_micros, expires_at, said)
    values (budget, starts, who, settled, keep + granted, clock_timestamp() + ttl_ms * interval '1 ms', saying)
    on conflict (budget_id, starts_at, gateway) do update
      set settled_micros = greatest(l.settled_micros, excluded.settled_micros),
        held_micros = excluded.held_micros, expires_at = excluded.expires_at, said = excluded.said;
  with made as (
    insert into budget_alerts (id, budget_id, starts_at, resets, threshold, spent_micros, limit_micros)
    select gen_random_uuid(), budget, starts, p.resets, t, spent, b.limit_micros
    from unnest(b.thresholds) t where spent > 0 and spent * 100 >= t * b.limit_micros
      and not exists (select from budget_alerts a where a.budget_id = budget and a.starts_at = starts
        and a.resets = p.resets and a.threshold = t)
    on conflict do nothing returning budget_alerts.id
  ) select coalesce(array_agg(made.id), '{}') into crossed from made;
  id := budget; at := starts;
  return next;
end $$;
