-- owner: jobs
-- A job's row is the truth of it; the queue engine only holds the short window of jobs that are about to run.

create table jobs (
  id uuid primary key,
  tenant text not null,
  key_id text,
  kind text not null,
  state text not null check (state in
    ('waiting', 'scheduled', 'queued', 'admitted', 'running', 'succeeded', 'failed', 'cancelled', 'expired')),
  -- Higher is sooner, within a tenant.
  priority smallint not null default 0 check (priority between -100 and 100),
  tags text[] not null default '{}',
  concurrency_key text,
  concurrency_limit int not null default 1 check (concurrency_limit > 0),
  created_at timestamptz not null default now(),
  -- Not before this.
  run_at timestamptz not null default now(),
  -- Pointless once this has passed: it expires, where it has not begun.
  expires_at timestamptz,
  attempt int not null default 0,
  attempts int not null default 1 check (attempts between 1 and 100),
  -- {"type": "exponential" | "fixed", "ms": 1000, "max_ms": 60000}
  backoff jsonb not null,
  admitted_at timestamptz,
  started_at timestamptz,
  ended_at timestamptz,
  worker text,
  heartbeat_at timestamptz,
  cancel_requested_at timestamptz,
  -- 0 to 1; null: unknown.
  progress real,
  progress_note text,
  -- One line; the stack is in the body.
  error text,
  error_class text,
  -- Dependencies still to end.
  pending int not null default 0,
  parent_id uuid,
  schedule_id uuid,
  retry_of uuid,
  webhook jsonb,
  input_bytes int not null default 0,
  result_bytes int,
  -- Rises with each change: the ETag, and the last event's number.
  version int not null default 0,
  -- Of the input's first 64 KB, the error and the tags.
  words tsvector
);

create index jobs_ready on jobs (tenant, priority desc, run_at, id) where state = 'queued';
create index jobs_due on jobs (run_at) where state = 'scheduled';
create index jobs_flying on jobs (state, admitted_at) where state in ('admitted', 'running');
create index jobs_keys on jobs (tenant, concurrency_key) where concurrency_key is not null
  and state in ('admitted', 'running');
create index jobs_newest on jobs (tenant, id desc);
create index jobs_by_state on jobs (tenant, state, id desc);
create index jobs_by_kind on jobs (tenant, kind, id desc);
create index jobs_expiring on jobs (expires_at) where expires_at is not null
  and state in ('waiting', 'scheduled', 'queued');
create index jobs_tags on jobs using gin (tags);
create index jobs_words on jobs using gin (words);
create index jobs_parents on jobs (parent_id) where parent_id is not null;

-- Zstd-compressed UTF-8 JSON, so that any text survives; never read by lists.
create table job_bodies (
  job_id uuid not null references jobs (id) on delete cascade,
  part text not null check (part in ('input', 'result', 'stack')),
  body bytea not null,
  primary key (job_id, part)
);

create table job_attempts (
  job_id uuid not null references jobs (id) on delete cascade,
  attempt int not null,
  worker text not null,
  started_at timestamptz not null,
  ended_at timestamptz,
  -- succeeded, failed, cancelled, lost (its worker died), timeout
  outcome text,
  error text,
  wait_ms bigint not null,
  primary key (job_id, attempt)
);

-- States, progress and log lines in their order: what /events replays by Last-Event-ID.
create table job_events (
  job_id uuid not null references jobs (id) on delete cascade,
  n int not null,
  at timestamptz not null default now(),
  kind text not null check (kind in ('state', 'progress', 'log')),
  data json not null,
  primary key (job_id, n)
);

create table job_dependencies (
  job_id uuid not null references jobs (id) on delete cascade,
  needs uuid not null references jobs (id) on delete cascade,
  primary key (job_id, needs)
);
create index job_dependants on job_dependencies (needs);

create table job_idempotency (
  tenant text not null,
  key text not null,
  body_sha256 bytea not null,
  job_id uuid not null,
  created_at timestamptz not null default now(),
  primary key (tenant, key)
);
create index job_idempotency_age on job_idempotency (created_at);
