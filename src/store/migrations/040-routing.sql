-- owner: llm

-- Rules that say where calls go. Gateways hold all of them in memory and try them in the order of position, name.
create table routes (
  id uuid primary key,
  name text not null unique check (name ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
  position int not null default 100,
  enabled boolean not null default true,
  -- What it matches and where it leads: src/llm/routing/route.ts.
  spec jsonb not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

-- Providers beside those of the environment, and changes to those. Null: as known, or as the environment says.
create table providers (
  name text primary key check (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  base_url text,
  dialect text,
  speaks text[],
  -- Takes calls without a credential.
  open boolean,
  -- A server of the operator's own: its calls cost nothing.
  local boolean,
  enabled boolean not null default true,
  updated_at timestamptz not null default now()
);

create table provider_keys (
  id uuid primary key,
  provider text not null,
  name text not null default '',
  last4 text not null,
  -- AES-256-GCM, bound to provider and id: src/lib/vault.ts.
  sealed text not null,
  created_at timestamptz not null default now()
);
create index on provider_keys (provider, id);

-- How often an operator told all gateways to forget what they hold against a provider.
create table provider_resets (
  provider text primary key,
  resets bigint not null
);

-- How often anything above has changed.
create table routing_revision (
  singleton boolean primary key default true check (singleton),
  revision bigint not null
);
insert into routing_revision (revision) values (0);

create trigger routes_changed after insert or update or delete on routes
  for each statement execute function rules_changed('routing');
create trigger providers_changed after insert or update or delete on providers
  for each statement execute function rules_changed('routing');
create trigger provider_keys_changed after insert or update or delete on provider_keys
  for each statement execute function rules_changed('routing');
create trigger provider_resets_changed after insert or update or delete on provider_resets
  for each statement execute function rules_changed('routing');
