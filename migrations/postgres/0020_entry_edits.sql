-- What people did to entries in Daybind, for the history that an entry shows beside what sync did. after: the content then, null
-- when the entry was deleted. entry_version: the one the edit made, 1 for a new entry. Rows outlive the entry, and are pruned by age.
create table entry_edits (
    tenant_id uuid not null,
    edit_id uuid not null,
    entry_id uuid not null,
    user_id uuid not null,
    entry_version bigint not null,
    after jsonb,
    at timestamptz not null,
    primary key (tenant_id, edit_id)
);
create index entry_edits_by_entry on entry_edits (tenant_id, entry_id, at);
create index entry_edits_by_age on entry_edits (tenant_id, at);

grant select, insert, update, delete on entry_edits to daybind_app;
alter table entry_edits enable row level security;
alter table entry_edits force row level security;
create policy tenant on entry_edits
    using (tenant_id = nullif(current_setting('daybind.tenant_id', true), '')::uuid);
