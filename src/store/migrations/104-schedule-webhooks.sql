-- owner: jobs
-- A receiver that is told of the jobs of one schedule, given with it. It stays until the last of them was told.
alter table job_webhooks add column schedule_id uuid;
create index job_webhooks_of_schedules on job_webhooks (schedule_id) where schedule_id is not null;
