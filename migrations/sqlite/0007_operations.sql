-- What operators' commands keep: the proof that the master key is the right one, and what an import has done.

-- Belongs to the installation, not to an MSP: the one row has the nil tenant. canary is a known text sealed under the
-- master key; a server that cannot open it refuses to start.
create table key_canaries (
    tenant_id text not null,
    canary_id text not null,
    canary text not null,
    updated_at integer not null,
    primary key (tenant_id, canary_id)
);

-- One row for every row of a predecessor that was dealt with, so that a second run leaves it alone, whatever became of
-- the copy since. target_id: the copy, where there is one.
create table import_ledger (
    tenant_id text not null references tenants (tenant_id) on delete cascade,
    source text not null,
    kind text not null,
    source_id text not null,
    target_id text,
    imported_at integer not null,
    primary key (tenant_id, source, kind, source_id)
);
