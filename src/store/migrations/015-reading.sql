-- owner: capture

-- What ended last is read by the live tail after a lost connection. Rows lie on the disk nearly in the order of
-- their ends, so this index costs next to nothing and points to the last pages.
create index on exchanges using brin (ended_at) with (autosummarize = on, pages_per_range = 32);
