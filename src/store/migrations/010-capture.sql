-- owner: capture

-- The record. Tables that grow with traffic are partitioned by the time in their UUIDv7, one partition a UTC day,
-- made ahead by upkeep and on demand by the worker (src/capture/partitions.ts). A filter on time is a range of ids
-- (lib/ids.ts, idFloor): always give one, so that only the partitions that matter are read.

create table exchanges (
  id uuid primary key,
  conversation_id uuid,
  tenant text not null,
  key_id text,
  tags text[] not null default '{}',
  mode text not null,
  protocol text not null,
  method text not null,
  path text not null,
  dialect text,
  provider text,
  model_asked text,
  model_served text,
  streamed boolean not null default false,
  status int,
  outcome text not null,
  -- What the gateway saw go wrong, else what the upstream reported in its body: a short word, never content.
  error text,
  started_at timestamptz not null,
  first_byte_at timestamptz,
  ended_at timestamptz not null,
  input_tokens bigint,
  output_tokens bigint,
  cache_read_tokens bigint,
  cache_write_tokens bigint,
  cache_write_1h_tokens bigint,
  reasoning_tokens bigint,
  -- Null: no usage known. False: the stream broke before the final count.
  usage_final boolean,
  cost_micros bigint,
  currency text,
  price_version text,
  request_sha256 bytea,
  response_sha256 bytea,
  request_bytes bigint not null,
  response_bytes bigint not null,
  replay_of uuid,
  spool text not null,
  seq bigint not null
) partition by range (id);

-- Every index ends in the id: it serves its filter and the order of the list at once, and grows at its right edge.
create index on exchanges (tenant, id);
create index on exchanges (conversation_id, id) where conversation_id is not null;
create index on exchanges (key_id, id) where key_id is not null;
create index on exchanges (provider, id) where provider is not null;
create index on exchanges (model_asked, id) where model_asked is not null;
create index on exchanges (model_served, id) where model_served is not null;
create index on exchanges (outcome, id) where outcome <> 'completed';
create index on exchanges using gin (tags);

-- The bytes, one row an exchange: head, request and response in one zstd frame whose dictionary is the plain bytes
-- of `base`, an earlier exchange of the same partition. The head is the exchange's open and end record as JSON,
-- headers included. Read it with src/capture/content.ts.
create table contents (
  id uuid primary key,
  base uuid,
  depth smallint not null,
  codec smallint not null,
  head_bytes int not null,
  request_bytes bigint not null,
  response_bytes bigint not null,
  data bytea not null
) partition by range (id);
alter table contents alter column data set storage external;

-- One row a thread. A thread that its client names has an id made from that name; any other has the id of its
-- first exchange. Sub-agents point to their parent, whose row may come later or never.
create table conversations (
  id uuid primary key,
  tenant text not null,
  parent_id uuid,
  client text,
  session text,
  agent text,
  title text,
  models text[] not null default '{}',
  started_at timestamptz not null,
  last_at timestamptz not null,
  exchanges int not null default 0,
  turns int not null default 0,
  -- The last number given to a turn.
  last_number int not null default 0,
  -- The key of the last turn: tells threads apart that began with the same words.
  tip bytea,
  input_tokens bigint not null default 0,
  output_tokens bigint not null default 0,
  cache_read_tokens bigint not null default 0,
  cache_write_tokens bigint not null default 0,
  reasoning_tokens bigint not null default 0,
  -- The sum of what is priced, by one currency: prices are in USD.
  cost_micros bigint not null default 0
) with (fillfactor = 80);
create index on conversations (tenant, last_at, id);
create index on conversations (last_at, id);
create index on conversations (parent_id) where parent_id is not null;
create index on conversations (session) where session is not null;

-- What people read, once however often it is resent. `key` names the turn within its conversation; in a thread
-- without a session it is the hash of the history up to and with the turn, by which the next request finds it.
create table turns (
  id uuid primary key,
  conversation_id uuid not null,
  number int not null,
  key bytea not null,
  tenant text not null,
  role text not null,
  -- The exchange that first carried it.
  exchange_id uuid not null,
  -- Did it come as a model's answer, and not as history that the client sent?
  reply boolean not null,
  text text not null
) partition by range (id);
create index on turns (key, conversation_id);
create index on turns (conversation_id, number);

-- Search: the words of a turn, by src/capture/words.ts, which also makes the query. Filled right after the batch is
-- stored, at its own pace: breaking text into words costs more than all the rest, and must not hold up the record.
create table turn_words (
  id uuid primary key,
  words tsvector not null
) partition by range (id);
create index on turn_words using gin (words);

create table search_pending (
  id bigint generated always as identity primary key,
  turns uuid[] not null
);

-- The ledger, one row a spool: what its gateway last reported, and what workers committed.
create table spools (
  id text primary key,
  reported_at timestamptz,
  accepted bigint not null default 0,
  stored bigint not null default 0,
  spooled bigint not null default 0,
  queued bigint not null default 0,
  quarantined bigint not null default 0,
  dropped bigint not null default 0,
  open bigint not null default 0,
  bytes bigint not null default 0,
  max_bytes bigint not null default 0,
  committed bigint not null default 0,
  committed_quarantined bigint not null default 0,
  -- Batches numbered below are committed and forgotten by the forwarder.
  floor bigint not null default 0
);

create table spool_batches (
  spool text not null,
  batch text not null,
  number bigint not null,
  stored int not null,
  quarantined int not null,
  committed_at timestamptz not null default now(),
  primary key (spool, batch)
);
create index on spool_batches (spool, number);

-- Parts of a batch that is too large for one job, until the last one comes.
create table spool_parts (
  spool text not null,
  batch text not null,
  part int not null,
  frames bytea not null,
  created_at timestamptz not null default now(),
  primary key (spool, batch, part)
);
alter table spool_parts alter column frames set storage external;

-- What could not be stored, with its bytes: the frames of an exchange, or what a damaged spool file held.
create table quarantine (
  id uuid primary key,
  exchange_id uuid,
  spool text not null,
  batch text not null,
  reason text not null,
  bytes bytea not null,
  created_at timestamptz not null default now()
);
alter table quarantine alter column bytes set storage external;

-- Rebuilds, each from where it goes on after it was stopped.
create table rebuilds (
  id uuid primary key,
  -- What was asked for: the same again goes on with the one that is not finished.
  asked text not null,
  until uuid not null,
  phase text not null default 'exchanges',
  position uuid not null,
  done bigint not null default 0,
  failed bigint not null default 0,
  started_at timestamptz not null default now(),
  finished_at timestamptz
);
