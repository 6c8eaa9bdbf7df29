-- The shared half of the schema. tenant_id leads every key, so that a cluster sharded by tenant can hold it.

create table tenants (
    tenant_id uuid primary key,
    name text not null,
    time_zone text not null,
    created_at timestamptz not null
);

create table users (
    tenant_id uuid not null references tenants (tenant_id) on delete cascade,
    user_id uuid not null,
    email text not null,
    email_normalized text not null,
    display_name text not null,
    user_type text not null check (user_type in ('internal', 'client')),
    role text not null check (role in ('admin', 'technician')),
    password_hash text,
    is_active boolean not null,
    time_zone text not null,
    created_at timestamptz not null,
    primary key (tenant_id, user_id),
    unique (tenant_id, email_normalized)
);
-- Log-ins are looked up before the tenant is known.
create index users_by_email on users (email_normalized);

-- token_hash: SHA-256 of the cookie's token.
create table sessions (
    tenant_id uuid not null,
    session_id uuid not null,
    user_id uuid not null,
    token_hash bytea not null,
    created_at timestamptz not null,
    last_seen_at timestamptz not null,
    expires_at timestamptz not null,
    primary key (tenant_id, session_id),
    unique (tenant_id, token_hash),
    foreign key (tenant_id, user_id) references users (tenant_id, user_id) on delete cascade
);

-- is_active takes part in a key so that a binding can only point at an active profile.
create table microsoft_profiles (
    tenant_id uuid not null references tenants (tenant_id) on delete cascade,
    profile_id uuid not null,
    display_name text not null,
    display_name_normalized text not null,
    client_id text not null,
    directory_id text not null,
    client_secret_sealed text,
    client_secret_last4 text,
    archived_at timestamptz,
    is_active boolean not null generated always as (archived_at is null) stored,
    version bigint not null,
    created_by uuid not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, profile_id),
    unique (tenant_id, profile_id, is_active)
);
create unique index microsoft_profiles_name on microsoft_profiles (tenant_id, display_name_normalized)
    where archived_at is null;

-- No row means unbound. All four consumers are kept in both editions.
create table microsoft_profile_consumer_bindings (
    tenant_id uuid not null,
    consumer_type text not null check (consumer_type in ('msp_sso', 'email', 'calendar', 'teams')),
    profile_id uuid not null,
    profile_active boolean not null default true check (profile_active),
    updated_by uuid not null,
    updated_at timestamptz not null,
    primary key (tenant_id, consumer_type),
    foreign key (tenant_id, profile_id, profile_active)
        references microsoft_profiles (tenant_id, profile_id, is_active) on delete restrict on update restrict
);

-- Half-open: end_at is the first instant after it. All-day entries keep UTC midnights of their days.
create table schedule_entries (
    tenant_id uuid not null references tenants (tenant_id) on delete cascade,
    entry_id uuid not null,
    title text not null,
    notes text not null,
    location text not null,
    all_day boolean not null,
    start_at timestamptz not null,
    end_at timestamptz not null,
    zone text,
    status text not null check (status in ('scheduled', 'cancelled', 'completed')),
    version bigint not null,
    deleted_at timestamptz,
    created_by uuid not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, entry_id),
    check (start_at < end_at)
);
create index schedule_entries_by_time on schedule_entries (tenant_id, start_at);

create table schedule_entry_assignees (
    tenant_id uuid not null,
    entry_id uuid not null,
    user_id uuid not null,
    primary key (tenant_id, entry_id, user_id),
    foreign key (tenant_id, entry_id) references schedule_entries (tenant_id, entry_id) on delete cascade,
    foreign key (tenant_id, user_id) references users (tenant_id, user_id) on delete cascade
);
create index schedule_entry_assignees_by_user on schedule_entry_assignees (tenant_id, user_id);

-- One row for each lane (kind and key); finished jobs are removed.
create table jobs (
    tenant_id uuid not null,
    job_id uuid not null,
    kind text not null,
    key text not null,
    payload jsonb not null,
    state text not null check (state in ('queued', 'running', 'dead')),
    attempt integer not null,
    max_attempts integer not null,
    run_at timestamptz not null,
    lease_token uuid,
    lease_until timestamptz,
    poked bigint not null,
    last_error text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, job_id),
    unique (tenant_id, kind, key)
);
create index jobs_due on jobs (run_at) where state = 'queued';
create index jobs_leased on jobs (lease_until) where state = 'running';

-- state_hash: SHA-256 of the state parameter. A row is taken (deleted) by the first callback that names it.
create table oauth_flows (
    tenant_id uuid not null references tenants (tenant_id) on delete cascade,
    flow_id uuid not null,
    state_hash bytea not null,
    purpose text not null,
    provider text not null,
    profile_id uuid,
    profile_version bigint,
    user_id uuid,
    session_id uuid,
    connection_id uuid,
    verifier_sealed text not null,
    redirect_uri text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    primary key (tenant_id, flow_id),
    unique (tenant_id, state_hash)
);

create table audit_log (
    tenant_id uuid not null references tenants (tenant_id) on delete cascade,
    audit_id uuid not null,
    at timestamptz not null,
    actor uuid,
    action text not null,
    subject text not null,
    detail jsonb not null,
    request_id text,
    primary key (tenant_id, audit_id)
);

-- The server works as this role, whoever it logs in as: no owner, no superuser, always under row-level security.
do $$
begin
    if not exists (select from pg_roles where rolname = 'daybind_app') then
        create role daybind_app nologin;
    end if;
exception
    -- Roles belong to the cluster: another database of it may be migrating at this moment.
    when duplicate_object or unique_violation then null;
end
$$;
do $$
begin
    if not pg_has_role(current_user, 'daybind_app', 'member') then
        execute format('grant daybind_app to %I', current_user);
    end if;
    execute format('grant usage on schema %I to daybind_app', current_schema());
end
$$;
grant select on _sqlx_migrations to daybind_app;
grant select, insert, update, delete on
    tenants, users, sessions, microsoft_profiles, microsoft_profile_consumer_bindings, schedule_entries,
    schedule_entry_assignees, jobs, oauth_flows
    to daybind_app;
grant select, insert on audit_log to daybind_app;

do $$
declare
    t text;
begin
    foreach t in array array[
        'tenants', 'users', 'sessions', 'microsoft_profiles', 'microsoft_profile_consumer_bindings',
        'schedule_entries', 'schedule_entry_assignees', 'jobs', 'oauth_flows', 'audit_log'
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
-- What must be found before a tenant is known.
create policy system on tenants for select using (current_setting('daybind.scope', true) = 'system');
create policy system_add on tenants for insert with check (current_setting('daybind.scope', true) = 'system');
create policy system on users for select using (current_setting('daybind.scope', true) = 'system');
create policy system on jobs using (current_setting('daybind.scope', true) = 'system');
