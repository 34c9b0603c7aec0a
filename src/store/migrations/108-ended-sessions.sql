-- owner: access
-- Sessions that somebody left: their cookies are worth nothing on any gateway, for as long as they could have lived.

create table access_ended_sessions (
  id text primary key,
  until timestamptz not null,
  revision bigint not null
);
create index access_ended_sessions_revision on access_ended_sessions (revision);

create trigger access_ended_sessions_changed
  before insert on access_ended_sessions
  for each row execute function access_changed();
