-- owner: jobs

alter table jobs
  -- The last attempt before it was run again by hand: workers that died before then are forgiven.
  add column renewed int not null default 0;
