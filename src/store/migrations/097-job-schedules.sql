-- owner: jobs
-- Jobs that are to be submitted again and again, or once. Each time is taken by one worker, in the transaction that
-- stores its job and writes down the next time: none comes twice, and none is lost.

create table job_schedules (
  id uuid primary key,
  tenant text not null,
  key_id text,
  capture text not null check (capture in ('full', 'metadata')),
  name text not null,
  type text not null check (type in ('cron', 'interval', 'once')),
  cron text,
  time_zone text not null default 'UTC',
  every_ms bigint check (every_ms >= 1000),
  -- skip: while the last job has not ended, a time is passed over.
  overlap text not null check (overlap in ('allow', 'skip')),
  -- once: of the times that were missed, while no worker ran, the last one is made up for.
  missed text not null check (missed in ('once', 'skip')),
  -- What is submitted: as the body of POST /api/jobs, without its input.
  job jsonb not null,
  -- Zstd-compressed JSON.
  input bytea not null,
  enabled boolean not null default true,
  -- Null: there is no further time.
  next_at timestamptz,
  last_at timestamptz,
  last_job_id uuid,
  -- Why nothing was submitted the last time; null: it was.
  error text,
  fired bigint not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index job_schedules_due on job_schedules (next_at) where enabled and next_at is not null;
create index job_schedules_newest on job_schedules (tenant, id desc);
create index jobs_of_schedules on jobs (schedule_id, id desc) where schedule_id is not null;
