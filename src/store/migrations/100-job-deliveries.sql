-- owner: jobs
-- Tries of deliveries belong to their rows, as those of jobs do, so that a queue that loses its data loses none of
-- them. What is told is what the job was when it ended, whatever has become of it since.

-- `secret` and `old_secret` are sealed.
alter table job_webhooks
  -- Signs too, until its time is over.
  add column old_secret text,
  add column old_secret_until timestamptz,
  -- Given with this job, for it alone.
  add column job_id uuid references jobs (id) on delete cascade;
create index job_webhooks_own on job_webhooks (job_id) where job_id is not null;
create index job_webhooks_all on job_webhooks (tenant) where enabled and not on_request;
drop index job_webhooks_newest;
create index job_webhooks_newest on job_webhooks (tenant, id desc) where job_id is null;

drop table job_deliveries;
create table job_deliveries (
  id uuid primary key default gen_random_uuid(),
  -- No foreign key: the end of a job must not fail for a webhook that is being deleted.
  webhook_id uuid not null,
  -- Null: a test of the webhook.
  job_id uuid references jobs (id) on delete cascade,
  -- Only so many of one lane are under way: a slow receiver holds up nobody else's.
  lane text not null,
  event text not null,
  data json not null,
  -- queued: handed to the queue; failed: there will be no further try.
  state text not null default 'pending' check (state in ('pending', 'queued', 'delivered', 'failed')),
  created_at timestamptz not null default now(),
  -- Pending: when it is tried. Queued: when the queue is taken to have lost it.
  next_at timestamptz not null default now(),
  -- How often the queue was given it: each time under another id.
  handed int not null default 0,
  tries int not null default 0,
  tried_at timestamptz,
  -- Of the last try.
  status int,
  took_ms int,
  -- The beginning of what was answered.
  answer text,
  error text,
  delivered_at timestamptz
);
create index job_deliveries_pending on job_deliveries (lane, next_at) where state = 'pending';
create index job_deliveries_queued on job_deliveries (lane, next_at) where state = 'queued';
create index job_deliveries_newest on job_deliveries (webhook_id, created_at desc);
create index job_deliveries_job on job_deliveries (job_id);
create index job_deliveries_age on job_deliveries (created_at) where state in ('delivered', 'failed');

-- In the commit of the end itself, whoever writes it: none is forgotten.
create or replace function job_ended() returns trigger language plpgsql as $$
begin
  insert into job_deliveries (job_id, webhook_id, lane, event, data)
  select new.id, w.id, case when w.job_id is null then w.id::text else w.tenant end, new.state,
    json_build_object('id', new.id, 'kind', new.kind, 'tenant', new.tenant, 'state', new.state, 'tags', new.tags,
      'attempt', new.attempt, 'attempts', new.attempts, 'created_at', job_time(new.created_at),
      'run_at', job_time(new.run_at), 'started_at', job_time(new.started_at), 'ended_at', job_time(new.ended_at),
      'error', case when new.error is not null then
        json_build_object('class', new.error_class, 'message', left(new.error, 1000)) end,
      'cancel_reason', new.cancel_reason, 'retry_of', new.retry_of, 'schedule_id', new.schedule_id,
      'result_bytes', new.result_bytes, 'file_bytes', new.file_bytes)
  from (
    select * from job_webhooks where id = new.webhook_id and tenant = new.tenant
    union all
    select * from job_webhooks where tenant = new.tenant and enabled and not on_request
      and (kinds is null or new.kind = any(kinds)) and (tags = '{}' or tags && new.tags)
      and id is distinct from new.webhook_id
  ) w where w.enabled and new.state = any(w.events);
  return null;
end $$;

create function job_time(at timestamptz) returns text language sql stable
  return to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
