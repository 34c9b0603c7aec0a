-- owner: broker
-- What workers measured and no gateway counts yet. One of them takes a row away and adds it to its own metrics, so that
-- the metrics of all gateways add up. Durations as in queue_minutes, and their sums.

create table queue_tallies (
  queue text not null,
  name text not null,
  done bigint not null,
  failed bigint not null,
  retried bigint not null,
  wait bigint[] not null,
  wait_ms double precision not null,
  run bigint[] not null,
  run_ms double precision not null,
  primary key (queue, name)
);
