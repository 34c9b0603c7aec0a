-- owner: capture

-- What is asked for and rarely there, for lists that would otherwise read every row of every day to find nothing.
-- A value of `status` other than 200 is rare itself.
create index on exchanges (status, id) where status <> 200;

-- The others by the range of 32 pages, some 500 rows: which ranges may have it. A few bytes a range, and next to nothing
-- for the worker. The id is in it as its order on the disk tells the planner that few ranges have to be read; the end
-- is what the live tail asks for after a lost connection, as before.
create index exchanges_marks on exchanges using brin (
  id,
  ended_at,
  cost_micros,
  (ended_at - started_at),
  dialect text_bloom_ops (n_distinct_per_range = 16),
  protocol text_bloom_ops (n_distinct_per_range = 16)
) with (autosummarize = on, pages_per_range = 32);
drop index exchanges_ended_at_idx;
-- The planner knows of an expression only what an analysis of its index found.
analyze exchanges;
