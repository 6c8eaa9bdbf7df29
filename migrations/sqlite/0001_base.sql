-- The shared half of the schema. tenant_id leads every key, so that a cluster sharded by tenant can hold it.
-- Ids are 36-character text, times whole microseconds since 1970 in UTC, JSON is text.

create table tenants (
    tenant_id text primary key,
    name text not null,
    time_zone text not null,
    created_at integer not null
);

create table users (
    tenant_id text not null references tenants (tenant_id) on delete cascade,
    user_id text not null,
    email text not null,
    email_normalized text not null,
    display_name text not null,
    user_type text not null check (user_type in ('internal', 'client')),
    role text not null check (role in ('admin', 'technician')),
    password_hash text,
    is_active boolean not null,
    time_zone text not null,
    created_at integer not null,
    primary key (tenant_id, user_id),
    unique (tenant_id, email_normalized)
);
-- Log-ins are looked up before the tenant is known.
create index users_by_email on users (email_normalized);

-- token_hash: SHA-256 of the cookie's token.
create table sessions (
    tenant_id text not null,
    session_id text not null,
    user_id text not null,
    token_hash blob not null,
    created_at integer not null,
    last_seen_at integer not null,
    expires_at integer not null,
    primary key (tenant_id, session_id),
    unique (tenant_id, token_hash),
    foreign key (tenant_id, user_id) references users (tenant_id, user_id) on delete cascade
);

-- is_active takes part in a key so that a binding can only point at an active profile.
create table microsoft_profiles (
    tenant_id text not null references tenants (tenant_id) on delete cascade,
    profile_id text not null,
    display_name text not null,
    display_name_normalized text not null,
    client_id text not null,
    directory_id text not null,
    client_secret_sealed text,
    client_secret_last4 text,
    archived_at integer,
    is_active boolean not null generated always as (archived_at is null) stored,
    version integer not null,
    created_by text not null,
    created_at integer not null,
    updated_at integer not null,
    primary key (tenant_id, profile_id),
    unique (tenant_id, profile_id, is_active)
);
create unique index microsoft_profiles_name on microsoft_profiles (tenant_id, display_name_normalized)
    where archived_at is null;

-- No row means unbound. All four consumers are kept in both editions.
create table microsoft_profile_consumer_bindings (
    tenant_id text not null,
    consumer_type text not null check (consumer_type in ('msp_sso', 'email', 'calendar', 'teams')),
    profile_id text not null,
    profile_active boolean not null default 1 check (profile_active),
    updated_by text not null,
    updated_at integer not null,
    primary key (tenant_id, consumer_type),
    foreign key (tenant_id, profile_id, profile_active)
        references microsoft_profiles (tenant_id, profile_id, is_active) on delete restrict on update restrict
);

-- Half-open: end_at is the first instant after it. All-day entries keep UTC midnights of their days.
create table schedule_entries (
    tenant_id text not null references tenants (tenant_id) on delete cascade,
    entry_id text not null,
    title text not null,
    notes text not null,
    location text not null,
    all_day boolean not null,
    start_at integer not null,
    end_at integer not null,
    zone text,
    status text not null check (status in ('scheduled', 'cancelled', 'completed')),
    version integer not null,
    deleted_at integer,
    created_by text not null,
    created_at integer not null,
    updated_at integer not null,
    primary key (tenant_id, entry_id),
    check (start_at < end_at)
);
create index schedule_entries_by_time on schedule_entries (tenant_id, start_at);

create table schedule_entry_assignees (
    tenant_id text not null,
    entry_id text not null,
    user_id text not null,
    primary key (tenant_id, entry_id, user_id),
    foreign key (tenant_id, entry_id) references schedule_entries (tenant_id, entry_id) on delete cascade,
    foreign key (tenant_id, user_id) references users (tenant_id, user_id) on delete cascade
);
create index schedule_entry_assignees_by_user on schedule_entry_assignees (tenant_id, user_id);

-- One row for each lane (kind and key); finished jobs are removed.
create table jobs (
    tenant_id text not null,
    job_id text not null,
    kind text not null,
    key text not null,
    payload text not null,
    state text not null check (state in ('queued', 'running', 'dead')),
    attempt integer not null,
    max_attempts integer not null,
    run_at integer not null,
    lease_token text,
    lease_until integer,
    poked integer not null,
    last_error text,
    created_at integer not null,
    updated_at integer not null,
    primary key (tenant_id, job_id),
    unique (tenant_id, kind, key)
);
create index jobs_due on jobs (run_at) where state = 'queued';
create index jobs_leased on jobs (lease_until) where state = 'running';

-- state_hash: SHA-256 of the state parameter. A row is taken (deleted) by the first callback that names it.
create table oauth_flows (
    tenant_id text not null references tenants (tenant_id) on delete cascade,
    flow_id text not null,
    state_hash blob not null,
    purpose text not null,
    provider text not null,
    profile_id text,
    profile_version integer,
    user_id text,
    session_id text,
    connection_id text,
    verifier_sealed text not null,
    redirect_uri text not null,
    created_at integer not null,
    expires_at integer not null,
    primary key (tenant_id, flow_id),
    unique (tenant_id, state_hash)
);

create table audit_log (
    tenant_id text not null references tenants (tenant_id) on delete cascade,
    audit_id text not null,
    at integer not null,
    actor text,
    action text not null,
    subject text not null,
    detail text not null,
    request_id text,
    primary key (tenant_id, audit_id)
);
