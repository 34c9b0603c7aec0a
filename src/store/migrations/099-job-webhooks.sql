-- owner: jobs
-- Who is told of the end of jobs, and what became of telling them.

create table job_webhooks (
  id uuid primary key,
  tenant text not null,
  key_id text,
  name text not null,
  url text not null,
  secret text not null,
  -- States that jobs end in.
  events text[] not null,
  -- Null: of any kind.
  kinds text[],
  -- Empty: with any tags; else with one of these at least.
  tags text[] not null default '{}',
  -- Told only of jobs that name it.
  on_request boolean not null default false,
  enabled boolean not null default true,
  -- Why it was disabled by itself: its receiver said that it is gone.
  error text,
  created_at timestamptz not null default now()
);
create index job_webhooks_newest on job_webhooks (tenant, id desc);

alter table jobs drop column webhook, add column webhook_id uuid;

create table job_deliveries (
  id uuid primary key default gen_random_uuid(),
  job_id uuid not null references jobs (id) on delete cascade,
  webhook_id uuid not null references job_webhooks (id) on delete cascade,
  event text not null,
  created_at timestamptz not null default now(),
  -- When the queue took it.
  enqueued_at timestamptz,
  tries int not null default 0,
  status int,
  error text,
  delivered_at timestamptz,
  -- There will be no further try.
  given_up boolean not null default false
);
create index job_deliveries_pending on job_deliveries (created_at) where enqueued_at is null;
create index job_deliveries_newest on job_deliveries (webhook_id, created_at desc);
create index job_deliveries_job on job_deliveries (job_id);

-- In the commit of the end itself, whoever writes it: none is forgotten. 20 µs where nobody wants to be told.
create function job_ended() returns trigger language plpgsql as $$
begin
  insert into job_deliveries (job_id, webhook_id, event)
  select new.id, w.id, new.state from job_webhooks w
  where w.tenant = new.tenant and w.enabled and new.state = any(w.events)
    and (w.id = new.webhook_id
      or (not w.on_request and (w.kinds is null or new.kind = any(w.kinds)) and (w.tags = '{}' or w.tags && new.tags)));
  return null;
end $$;

create trigger jobs_ended after update of state on jobs for each row
  when (new.state in ('succeeded', 'failed', 'cancelled', 'expired') and old.state is distinct from new.state)
  execute function job_ended();
