-- Where a profile's secret comes from, the second secret of a rollover, results of verification, unfinished profiles.

alter table microsoft_profiles add column secret_added_by uuid;
alter table microsoft_profiles add column secret_added_at timestamptz;
alter table microsoft_profiles add column secret_expires_on date;
alter table microsoft_profiles add column updated_by uuid;

-- The secret in use stays in microsoft_profiles; here is the one before it and the one after it.
create table microsoft_profile_secrets (
    tenant_id uuid not null,
    profile_id uuid not null,
    slot text not null check (slot in ('next', 'previous')),
    secret_sealed text not null,
    last4 text not null,
    added_by uuid,
    added_at timestamptz,
    expires_on date,
    verified_at timestamptz,
    destroy_at timestamptz,
    primary key (tenant_id, profile_id, slot),
    foreign key (tenant_id, profile_id) references microsoft_profiles (tenant_id, profile_id) on delete cascade,
    check ((slot = 'previous') = (destroy_at is not null))
);

create table microsoft_profile_checks (
    tenant_id uuid not null,
    profile_id uuid not null,
    name text not null,
    outcome text not null check (outcome in ('passed', 'failed', 'waiting', 'unavailable')),
    subject text not null,
    error text,
    number bigint,
    trace_id text,
    correlation_id text,
    detail text,
    checked_by uuid not null,
    checked_at timestamptz not null,
    primary key (tenant_id, profile_id, name),
    foreign key (tenant_id, profile_id) references microsoft_profiles (tenant_id, profile_id) on delete cascade
);

create table microsoft_profile_drafts (
    tenant_id uuid not null,
    user_id uuid not null,
    answers jsonb not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, user_id),
    foreign key (tenant_id, user_id) references users (tenant_id, user_id) on delete cascade
);

grant select, insert, update, delete on
    microsoft_profile_secrets, microsoft_profile_checks, microsoft_profile_drafts
    to daybind_app;

do $$
declare
    t text;
begin
    foreach t in array array[
        'microsoft_profile_secrets', 'microsoft_profile_checks', 'microsoft_profile_drafts'
    ] loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format(
            'create policy tenant on %I using (tenant_id = nullif(current_setting(''daybind.tenant_id'', true), '''')::uuid)',
            t
        );
    end loop;
end
$$;
