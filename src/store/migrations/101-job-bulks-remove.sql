-- owner: jobs
alter table job_bulks drop constraint job_bulks_action_check,
  add constraint job_bulks_action_check check (action in ('retry', 'cancel', 'remove'));
