-- owner: mcp

-- Servers behind the portal. Gateways hold all of them in memory.
create table mcp_servers (
  id uuid primary key,
  -- Null: of all tenants.
  tenant text references tenants (id),
  name text not null check (name ~ '^[A-Za-z0-9]+([_-][A-Za-z0-9]+)*$' and length(name) <= 32),
  enabled boolean not null default true,
  transport text not null,
  -- All but the secrets: src/mcp/servers/stored.ts.
  spec jsonb not null,
  -- Values of env and headers, and the URL where it has a query; AES-256-GCM, bound to the id: src/lib/vault.ts.
  sealed text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create unique index on mcp_servers (coalesce(tenant, ''), lower(name));

-- Named selections of servers and tools, as in /mcp/{name}.
create table mcp_portals (
  id uuid primary key,
  tenant text not null references tenants (id),
  name text not null check (name ~ '^[a-z0-9][a-z0-9_-]{0,31}$'),
  spec jsonb not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant, name)
);

-- Secret paths that stand for a credential.
create table mcp_urls (
  id uuid primary key,
  tenant text not null references tenants (id),
  name text not null default '',
  -- sha256 of the secret, base64: 256 random bits need no salt.
  hash text not null unique,
  last4 text not null,
  -- Null: all that the tenant sees.
  portal text,
  scopes text[] not null,
  capture text check (capture in ('full', 'metadata')),
  tags text[] not null default '{}',
  created_by uuid,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  revoked_at timestamptz
);
create index on mcp_urls (tenant, id);

-- What a tenant's keys, or one key, may see and call; patterns as in `github/create_*`.
create table mcp_visibility (
  id uuid primary key,
  tenant text not null references tenants (id),
  -- Null: all keys of the tenant.
  key_id uuid,
  spec jsonb not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create unique index on mcp_visibility (tenant, coalesce(key_id, '00000000-0000-0000-0000-000000000000'));

-- Names that were shortened or changed as two clashed, so that what a client was told once is understood for ever.
create table mcp_names (
  server_id uuid not null references mcp_servers (id) on delete cascade,
  kind text not null check (kind in ('tool', 'prompt')),
  exposed text not null,
  name text not null,
  first_seen timestamptz not null default now(),
  primary key (server_id, kind, exposed)
);

-- How often anything above has changed.
create table mcp_revision (
  singleton boolean primary key default true check (singleton),
  revision bigint not null
);
insert into mcp_revision (revision) values (0);

create function mcp_changed() returns trigger language plpgsql as $$
begin
  update mcp_revision set revision = revision + 1;
  perform pg_notify('sluice_mcp', '');
  return null;
end $$;

create trigger mcp_servers_changed after insert or update or delete on mcp_servers
  for each statement execute function mcp_changed();
create trigger mcp_portals_changed after insert or update or delete on mcp_portals
  for each statement execute function mcp_changed();
create trigger mcp_urls_changed after insert or update or delete on mcp_urls
  for each statement execute function mcp_changed();
create trigger mcp_visibility_changed after insert or update or delete on mcp_visibility
  for each statement execute function mcp_changed();
create trigger mcp_names_changed after insert on mcp_names
  for each statement execute function mcp_changed();
