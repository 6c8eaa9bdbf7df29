-- What operators' commands keep: the proof that the master key is the right one, and what an import has done.

-- Belongs to the installation, not to an MSP: the one row has the nil tenant. canary is a known text sealed under the
-- master key; a server that cannot open it refuses to start.
create table key_canaries (
    tenant_id uuid not null,
    canary_id uuid not null,
    canary text not null,
    updated_at timestamptz not null,
    primary key (tenant_id, canary_id)
);

-- One row for every row of a predecessor that was dealt with, so that a second run leaves it alone, whatever became of
-- the copy since. target_id: the copy, where there is one.
create table import_ledger (
    tenant_id uuid not null references tenants (tenant_id) on delete cascade,
    source text not null,
    kind text not null,
    source_id text not null,
    target_id uuid,
    imported_at timestamptz not null,
    primary key (tenant_id, source, kind, source_id)
);

grant select, insert, update, delete on key_canaries, import_ledger to daybind_app;
do $$
declare
    t text;
begin
    foreach t in array array['key_canaries', 'import_ledger'] loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format(
            'create policy tenant on %I using (tenant_id = nullif(current_setting(''daybind.tenant_id'', true), '''')::uuid)',
            t
        );
    end loop;
end
$$;
create policy system on key_canaries using (current_setting('daybind.scope', true) = 'system');
