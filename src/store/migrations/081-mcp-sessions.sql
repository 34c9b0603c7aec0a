-- owner: mcp

-- What a legacy client's session has changed since it began: all else is in its id, which is a signed token.
create table mcp_sessions (
  id uuid primary key,
  tenant text not null,
  ended_at timestamptz,
  log_level text,
  resource_uris text[] not null default '{}',
  revision bigint not null
);

create sequence mcp_session_revisions owned by mcp_sessions.revision;
create index mcp_sessions_by_revision on mcp_sessions (revision);

create function mcp_session_changed() returns trigger language plpgsql as $$
begin
  new.revision := nextval('mcp_session_revisions');
  perform pg_notify('sluice_mcp_sessions', '');
  return new;
end $$;

create trigger mcp_session_changed before insert or update on mcp_sessions
  for each row execute function mcp_session_changed();
