-- owner: capture

-- Of calls that a route took: its name, who was asked in which order and with what result, what a translation could
-- not carry.
alter table exchanges
  add column route text,
  add column attempts jsonb,
  add column warnings text[];

create index on exchanges (route, id) where route is not null;
