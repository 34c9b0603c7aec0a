-- owner: access
-- Who did what to what, when, from where: one row a change that somebody asked for.

create table audit_log (
  id uuid primary key,
  at timestamptz not null default now(),
  tenant text not null,
  -- null: the admin key
  key_id uuid,
  -- page: with a session's cookie; key: with the key itself
  via text not null check (via in ('page', 'key')),
  action text not null,
  subject text not null,
  detail json,
  -- What the connection, and what a proxy before it, said of where it came from.
  address text,
  forwarded text,
  -- started: its end was never written; else done, or why not
  outcome text not null
);

create index audit_log_newest on audit_log (tenant, id desc);
create index audit_log_subject on audit_log (subject, id desc);
