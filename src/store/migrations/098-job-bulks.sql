-- owner: jobs
-- What is done to all jobs of a filter, a few at a time, newest first.

create table job_bulks (
  id uuid primary key,
  -- Whose jobs; null: everybody's.
  tenant text,
  key_id text,
  action text not null check (action in ('retry', 'cancel')),
  filter jsonb not null,
  per_second int not null check (per_second between 1 and 10000),
  state text not null check (state in ('running', 'paused', 'done', 'cancelled')),
  -- Counted at its start.
  total int not null,
  changed int not null default 0,
  -- All down to this one have been seen to.
  position uuid not null,
  -- What may be done by now, of the rate.
  allowance real not null default 0,
  allowance_at timestamptz not null default now(),
  error text,
  created_at timestamptz not null default now(),
  ended_at timestamptz
);
create index job_bulks_running on job_bulks (id) where state = 'running';
create index job_bulks_newest on job_bulks (tenant, id desc);
