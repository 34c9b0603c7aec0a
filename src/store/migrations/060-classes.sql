-- owner: capture

-- What the response cache had to do with an exchange: hit, shared, miss; null where it had no part.
alter table exchanges add column cache text;
create index on exchanges (cache, id) where cache is not null;

-- What an exchange was about, found after the fact by a rule set or a cheap model (src/llm/classify). A table of its
-- own, as rows of `exchanges` are written once: partitioned alike, so that retention drops both, and a filter or a
-- report that gives a range of ids on both sides reads the partitions of that range only:
--
--   select k.task_type, sum(x.cost_micros) from exchanges x left join exchange_classes k on k.id = x.id
--   where x.id >= $1 and x.id < $2 and k.id >= $1 and k.id < $2 group by 1
--
-- (in a left join the range of k goes into its `on`).
create table exchange_classes (
  id uuid primary key,
  tenant text not null,
  task_type text not null,
  complexity text not null,
  -- The programming language that most of it is in; null where there is none.
  language text,
  stack text[] not null default '{}',
  domain text not null,
  sensitivity text not null,
  -- `rules`, or the provider and model that said so.
  source text not null,
  classified_at timestamptz not null default now()
) partition by range (id);
create index on exchange_classes (task_type, id);
create index on exchange_classes (domain, id);
create index on exchange_classes (complexity, id);
create index on exchange_classes (language, id) where language is not null;
create index on exchange_classes (sensitivity, id) where sensitivity <> 'internal';
create index on exchange_classes using gin (stack);
