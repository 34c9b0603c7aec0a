-- owner: access

create table tenants (
  id text primary key check (id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  name text not null,
  created_at timestamptz not null default now()
);

insert into tenants (id, name) values ('default', 'Default');

-- One row: how often anything below has changed. Its lock puts the changes in commit order, so a gateway that
-- has seen revision n has seen every change up to n, and asks only for what is newer.
create table access_revision (
  singleton boolean primary key default true check (singleton),
  revision bigint not null
);

insert into access_revision (revision) values (0);

create table access_keys (
  id uuid primary key,
  tenant text not null references tenants (id),
  -- sha256 of the key
  hash bytea not null unique check (octet_length(hash) = 32),
  -- what people recognise it by
  prefix text not null,
  last4 text not null,
  name text not null,
  scopes text[] not null check (cardinality(scopes) > 0),
  capture text check (capture in ('full', 'metadata')),
  tags text[] not null default '{}',
  created_at timestamptz not null default now(),
  -- null: made with the admin key
  created_by uuid references access_keys (id),
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz,
  revision bigint not null
);

create index access_keys_tenant on access_keys (tenant, id desc);
create index access_keys_revision on access_keys (revision);

-- The admin key that was made at the first start; not used where the variable ADMIN_KEY is set.
create table access_admin (
  singleton boolean primary key default true check (singleton),
  hash bytea not null check (octet_length(hash) = 32),
  created_at timestamptz not null default now(),
  revision bigint not null
);

create function access_changed() returns trigger language plpgsql as $$
begin
  update access_revision set revision = revision + 1 returning revision into new.revision;
  perform pg_notify('sluice_access', '');
  return new;
end $$;

-- Not on last_used_at, which every gateway writes all the time.
create trigger access_keys_changed
  before insert or update of tenant, hash, scopes, capture, tags, expires_at, revoked_at on access_keys
  for each row execute function access_changed();

create trigger access_admin_changed
  before insert or update on access_admin
  for each row execute function access_changed();
