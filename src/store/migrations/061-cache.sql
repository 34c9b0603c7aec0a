-- owner: llm

-- Answers that may be given again (src/llm/cache). Not logged: it may be lost with the server's crash, and costs no
-- WAL. Bounded in bytes and cleaned by its gateways and by upkeep, so deleting rows is what autovacuum keeps up with.
create unlogged table response_cache (
  key bytea primary key,
  expires_at timestamptz not null,
  size int not null,
  -- Compressed already.
  data bytea not null
) with (autovacuum_vacuum_scale_factor = 0.02, toast.autovacuum_vacuum_scale_factor = 0.02);
alter table response_cache alter column data set storage external;
create index on response_cache (expires_at);
