-- What people did to entries in Daybind, for the history that an entry shows beside what sync did. after: the content then, null
-- when the entry was deleted. entry_version: the one the edit made, 1 for a new entry. Rows outlive the entry, and are pruned by age.
create table entry_edits (
    tenant_id text not null,
    edit_id text not null,
    entry_id text not null,
    user_id text not null,
    entry_version integer not null,
    after text,
    at integer not null,
    primary key (tenant_id, edit_id)
);
create index entry_edits_by_entry on entry_edits (tenant_id, entry_id, at);
create index entry_edits_by_age on entry_edits (tenant_id, at);
