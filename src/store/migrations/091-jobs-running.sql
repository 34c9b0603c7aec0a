-- owner: jobs
-- What running jobs needs on top: who runs them, what may run now, and what was made.

alter table jobs
  -- Of one attempt; then its signal is aborted.
  add column timeout_ms int not null default 600000 check (timeout_ms > 0),
  -- Attempts that do not count: their worker died or stopped.
  add column spared int not null default 0,
  -- The attempt that the queue engine was told to run: what it brings under another number is stale.
  add column admission int not null default 0,
  -- The capture mode of who submitted it: its calls are recorded in the same.
  add column capture text not null default 'full' check (capture in ('full', 'metadata')),
  -- What a dependency that does not succeed means: fail this one too, or go on without.
  add column dependency_policy text not null default 'fail' check (dependency_policy in ('fail', 'continue')),
  add column cancel_reason text,
  add column file_bytes bigint;

-- A job's row is written four times; an index of its words must not be.
alter table jobs drop column words;
create table job_words (
  job_id uuid primary key references jobs (id) on delete cascade,
  words tsvector not null
);
create index job_words_words on job_words using gin (words);

drop index jobs_tags;
create index jobs_tags on jobs using gin (tags) where tags <> '{}';

-- Ready ones by tenant and kind, so that a kind that is paused or full is passed over without reading its jobs;
-- those with a concurrency key apart, by key, for the same reason.
drop index jobs_ready;
create index jobs_ready on jobs (tenant, kind, priority desc, run_at, id)
  where state = 'queued' and concurrency_key is null;
create index jobs_ready_keys on jobs (tenant, concurrency_key, priority desc, run_at, id)
  where state = 'queued' and concurrency_key is not null;
create index jobs_waiting on jobs (id) where state = 'waiting';

-- For admins, who see all tenants at once.
create index jobs_all_by_state on jobs (state, id desc) where state <> 'succeeded';
create index jobs_all_by_kind on jobs (kind, id desc);

alter table jobs set (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.1);

-- What was answered, for those who ask again with the same key.
alter table job_idempotency add column answer json not null;

-- A result that is a file, in pieces of about a megabyte, each compressed by itself.
create table job_files (
  job_id uuid not null references jobs (id) on delete cascade,
  n int not null,
  data bytea not null,
  primary key (job_id, n)
);
alter table job_files alter column data set storage external;
alter table job_bodies alter column body set storage external;

create table job_workers (
  worker text primary key,
  host text not null,
  pid int not null,
  kinds text[] not null,
  concurrency int not null,
  running int not null default 0,
  started_at timestamptz not null default now(),
  seen_at timestamptz not null default now()
);

-- What operators allow of a kind, or with '*' of all together.
create table job_kind_settings (
  kind text primary key,
  paused boolean not null default false,
  -- Under way at once; null: any number.
  concurrency int check (concurrency >= 0),
  per_minute int check (per_minute > 0),
  -- Of the rate: what may still begin, as of then.
  allowance real not null default 0,
  allowance_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
