-- The tables of an Alga PSA database that an import reads, with the columns it uses. Written for tests, from the
-- description of that product; foreign keys are left out where old or hand-edited data is known to break them.

create table tenants (
    tenant uuid primary key,
    client_name text not null,
    email text
);

create table users (
    tenant uuid not null,
    user_id uuid not null,
    username text not null,
    hashed_password text not null,
    first_name text,
    last_name text,
    email text,
    user_type text not null default 'internal',
    is_inactive boolean not null default false,
    timezone text,
    primary key (tenant, user_id)
);

create table microsoft_profiles (
    tenant uuid not null,
    profile_id uuid not null,
    display_name text not null,
    display_name_normalized text not null,
    client_id text not null default '',
    tenant_id text not null default 'common',
    client_secret_ref text not null,
    is_default boolean not null default false,
    is_archived boolean not null default false,
    archived_at timestamptz,
    created_by uuid,
    updated_by uuid,
    created_at timestamptz not null default '2026-03-01 08:00:00Z',
    updated_at timestamptz not null default '2026-03-01 08:00:00Z',
    primary key (tenant, profile_id)
);

create table microsoft_profile_consumer_bindings (
    tenant uuid not null,
    consumer_type text not null check (consumer_type in ('msp_sso', 'email', 'calendar', 'teams')),
    profile_id uuid not null,
    created_by uuid,
    updated_by uuid,
    created_at timestamptz not null default '2026-03-02 08:00:00Z',
    updated_at timestamptz not null default '2026-03-02 08:00:00Z',
    primary key (tenant, consumer_type)
);

create table msp_sso_tenant_login_domains (
    tenant uuid not null,
    id uuid not null,
    domain text not null,
    is_active boolean not null default true,
    claim_status text not null default 'advisory',
    created_by uuid,
    created_at timestamptz not null default '2026-03-02 08:00:00Z',
    verified_at timestamptz,
    primary key (tenant, id)
);

create table calendar_providers (
    id uuid not null,
    tenant uuid not null,
    user_id uuid,
    provider_type varchar(50) not null,
    provider_name text,
    calendar_id varchar(255),
    is_active boolean not null default true,
    sync_direction text not null default 'bidirectional',
    status text not null default 'configuring',
    last_sync_at timestamptz,
    error_message text,
    created_at timestamptz not null default '2026-03-03 08:00:00Z',
    updated_at timestamptz not null default '2026-03-03 08:00:00Z',
    primary key (id, tenant)
);

create table google_calendar_provider_config (
    calendar_provider_id uuid not null,
    tenant uuid not null,
    client_id text,
    client_secret text,
    refresh_token text,
    access_token text,
    calendar_id text not null,
    primary key (calendar_provider_id, tenant)
);

create table microsoft_calendar_provider_config (
    calendar_provider_id uuid not null,
    tenant uuid not null,
    client_id text not null,
    client_secret text not null,
    tenant_id text not null,
    refresh_token text,
    access_token text,
    calendar_id text not null,
    primary key (calendar_provider_id, tenant)
);

create table calendar_event_mappings (
    id uuid not null,
    tenant uuid not null,
    calendar_provider_id uuid not null,
    schedule_entry_id uuid not null,
    external_event_id varchar(255) not null,
    sync_status text not null default 'pending',
    sync_error_message text,
    sync_direction text,
    last_synced_at timestamptz,
    created_at timestamptz not null default '2026-03-04 08:00:00Z',
    updated_at timestamptz not null default '2026-03-04 08:00:00Z',
    primary key (id, tenant)
);

create table schedule_entries (
    tenant uuid not null,
    entry_id uuid not null,
    title text not null,
    work_item_id uuid,
    work_item_type text not null default 'ad_hoc',
    scheduled_start timestamptz,
    scheduled_end timestamptz,
    status text not null default 'scheduled',
    notes text,
    recurrence_pattern jsonb,
    is_recurring boolean not null default false,
    original_entry_id uuid,
    is_private boolean not null default false,
    created_at timestamptz not null default '2026-03-04 08:00:00Z',
    updated_at timestamptz not null default '2026-03-04 08:00:00Z',
    primary key (tenant, entry_id)
);

create table schedule_entry_assignees (
    tenant uuid not null,
    entry_id uuid not null,
    user_id uuid not null,
    primary key (tenant, entry_id, user_id)
);

create table teams_integrations (
    tenant uuid primary key,
    selected_profile_id uuid,
    install_status text not null default 'not_configured'
);

create table email_providers (
    id uuid not null,
    tenant uuid not null,
    provider_type text not null,
    mailbox text not null,
    is_active boolean not null default true,
    primary key (id, tenant)
);
