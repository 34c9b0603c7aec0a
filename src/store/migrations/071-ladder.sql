-- owner: llm

-- One call that climbed a ladder: who was asked, what was made of it, what it cost. Without content: that is with the
-- exchanges, which the steps name.
create table climbs (
  id uuid primary key,
  tenant text not null,
  -- The client's call.
  exchange_id uuid not null,
  route text,
  outcome text not null check (outcome in ('rung', 'consensus', 'human', 'waiting', 'exhausted', 'failed')),
  steps jsonb not null,
  -- Which models agreed and which dissented.
  consensus jsonb,
  cost_micros bigint not null,
  -- Answers without a known price.
  unpriced int not null,
  task_id uuid
);
create index on climbs (tenant, id);

-- Questions that no rung could answer, for a human. Only of keys whose content may be stored.
create table human_tasks (
  id uuid primary key,
  tenant text not null references tenants (id),
  key_id text,
  route text,
  climb_id uuid not null,
  exchange_id uuid not null,
  -- Of the request: who sends it again waits for the same answer.
  request_hash bytea not null,
  status text not null default 'waiting' check (status in ('waiting', 'answered')),
  instructions text not null,
  question text not null,
  -- What the models said, as [{model, text}].
  proposals jsonb not null,
  answer text check ((status = 'answered') = (answer is not null)),
  answered_by text,
  answered_at timestamptz
);
create index on human_tasks (tenant, id);
create unique index on human_tasks (tenant, request_hash) where status = 'waiting';
create index on human_tasks (tenant, request_hash, id);
