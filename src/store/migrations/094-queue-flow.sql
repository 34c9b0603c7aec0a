-- owner: broker
-- What workers measured of the jobs they ran, a minute a row: throughput and waits, for dashboards and alerts.

create table queue_minutes (
  queue text not null,
  -- The engine job's name: a kind, where a queue has kinds.
  name text not null,
  minute timestamptz not null,
  done int not null default 0,
  -- For good; a try that is followed by another is `retried`.
  failed int not null default 0,
  retried int not null default 0,
  -- Counts by duration: the n-th (from 1) holds those below 2^((n-1)/2) ms.
  wait int[] not null,
  run int[] not null,
  primary key (queue, minute, name)
);
create index queue_minutes_age on queue_minutes (minute);

-- One row a consumer, while it lives.
create table queue_workers (
  id uuid primary key,
  queue text not null,
  process text not null,
  host text not null,
  pid int not null,
  concurrency int not null,
  running int not null default 0,
  begun bigint not null default 0,
  started_at timestamptz not null,
  seen_at timestamptz not null
);
