-- owner: access
-- A process of ours calls for whoever asked it to: the key that it names is the one that is counted, limited and recorded.
alter table access_keys add column acts_for_others boolean not null default false;
