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

-- What a client said to one gateway that is meant for another, which has its call: answers and cancellations.
-- Taken within moments; lost in a crash of the server, with the calls that they are about.
create unlogged table mcp_mail (
  id bigint generated always as identity primary key,
  session uuid not null,
  -- Sealed with the key of the vault.
  frame text not null,
  sent_at timestamptz not null default now()
);

create function mcp_mail_sent() returns trigger language plpgsql as $$
begin
  perform pg_notify('sluice_mcp_mail', new.id || ' ' || new.session);
  return null;
end $$;

create trigger mcp_mail_sent after insert on mcp_mail for each row execute function mcp_mail_sent();
