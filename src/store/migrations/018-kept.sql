-- owner: capture

-- What agents keep here by tools of ours, beside what is recorded of their traffic. `by_tool` rows cannot be derived
-- from any bytes again: a rebuild leaves them as they are.
alter table conversations add column metadata jsonb, add column by_tool boolean not null default false;
alter table turns add column metadata jsonb, add column by_tool boolean not null default false;
create index on conversations (tenant, started_at, id);

-- What an agent reads when it starts. One of a tenant's is active, or none.
create table startup_contexts (
  id uuid primary key,
  tenant text not null,
  name text not null,
  content text not null,
  is_active boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant, name)
);
create unique index startup_contexts_one_active on startup_contexts (tenant) where is_active;

-- Logs of agents and services, partitioned by the time when they came, as everything that grows. An enum, as a
-- partition that is made beside its parent would lack a check: and it knows that WARN is more than INFO.
create type log_level as enum ('TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR');
create table logs (
  id uuid primary key,
  tenant text not null,
  key_id text,
  trace_id text,
  component text not null,
  level log_level not null,
  message text not null,
  data jsonb,
  created_at timestamptz not null,
  words tsvector not null
) partition by range (id);
create index on logs (tenant, created_at, id);
create index on logs (trace_id) where trace_id is not null;
create index on logs using gin (words);

-- Counts what was erased: a worker that sees another number forgets the contents that it meant to build upon.
create table erasures (count bigint not null);
insert into erasures (count) values (0);
