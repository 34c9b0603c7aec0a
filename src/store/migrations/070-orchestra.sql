-- owner: llm

-- What a tenant set for asking many models at once. Without a row: the models that come with the program, no files.
create table orchestra_settings (
  tenant text primary key references tenants (id),
  -- As `provider/model`; null: the default ones.
  models text[] check (cardinality(models) between 1 and 10),
  -- Folder under DATA_DIR/orchestra/<tenant>; null: answers are not written to files.
  folder text check (folder ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
  updated_at timestamptz not null default now()
);
