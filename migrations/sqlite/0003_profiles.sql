-- Where a profile's secret comes from, the second secret of a rollover, results of verification, unfinished profiles.
-- Dates without a time are text: YYYY-MM-DD.

alter table microsoft_profiles add column secret_added_by text;
alter table microsoft_profiles add column secret_added_at integer;
alter table microsoft_profiles add column secret_expires_on text;
alter table microsoft_profiles add column updated_by text;

-- The secret in use stays in microsoft_profiles; here is the one before it and the one after it.
create table microsoft_profile_secrets (
    tenant_id text not null,
    profile_id text not null,
    slot text not null check (slot in ('next', 'previous')),
    secret_sealed text not null,
    last4 text not null,
    added_by text,
    added_at integer,
    expires_on text,
    verified_at integer,
    destroy_at integer,
    primary key (tenant_id, profile_id, slot),
    foreign key (tenant_id, profile_id) references microsoft_profiles (tenant_id, profile_id) on delete cascade,
    check ((slot = 'previous') = (destroy_at is not null))
);

create table microsoft_profile_checks (
    tenant_id text not null,
    profile_id text not null,
    name text not null,
    outcome text not null check (outcome in ('passed', 'failed', 'waiting', 'unavailable')),
    subject text not null,
    error text,
    number integer,
    trace_id text,
    correlation_id text,
    detail text,
    checked_by text not null,
    checked_at integer not null,
    primary key (tenant_id, profile_id, name),
    foreign key (tenant_id, profile_id) references microsoft_profiles (tenant_id, profile_id) on delete cascade
);

create table microsoft_profile_drafts (
    tenant_id text not null,
    user_id text not null,
    answers text not null,
    created_at integer not null,
    updated_at integer not null,
    primary key (tenant_id, user_id),
    foreign key (tenant_id, user_id) references users (tenant_id, user_id) on delete cascade
);
