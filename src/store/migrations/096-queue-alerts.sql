-- owner: dashboard
-- What operators want to be told of queues, and what they were told.

create table queue_alert_rules (
  id uuid primary key,
  name text not null,
  queue text not null,
  measure text not null check (measure in ('backlog', 'oldest-age', 'failure-rate', 'no-workers')),
  threshold double precision not null,
  -- It must hold for so long.
  for_s int not null check (for_s >= 0),
  enabled boolean not null default true,
  webhook_url text,
  webhook_secret text,
  created_at timestamptz not null default now(),
  state text not null default 'ok' check (state in ('ok', 'pending', 'firing')),
  since timestamptz not null default now(),
  value double precision,
  evaluated_at timestamptz
);

create table queue_alert_events (
  id uuid primary key,
  rule_id uuid not null references queue_alert_rules (id) on delete cascade,
  type text not null check (type in ('fired', 'resolved')),
  at timestamptz not null default now(),
  value double precision,
  threshold double precision not null,
  delivered_at timestamptz,
  error text
);

create index queue_alert_events_rule on queue_alert_events (rule_id, id desc);
create index queue_alert_events_untold on queue_alert_events (at) where delivered_at is null;
