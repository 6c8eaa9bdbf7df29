-- The Enterprise half of the schema. It is the same in both editions, so that an edition can be switched; only the
-- Enterprise binary holds code that reads it.

create table google_clients (
    tenant_id uuid primary key references tenants (tenant_id) on delete cascade,
    client_id text not null,
    client_secret_sealed text not null,
    client_secret_last4 text not null,
    version bigint not null,
    updated_by uuid not null,
    updated_at timestamptz not null
);

create table calendar_providers (
    tenant_id uuid not null,
    connection_id uuid not null,
    user_id uuid not null,
    provider text not null check (provider in ('google', 'microsoft')),
    account_id text not null,
    account_email text not null,
    calendar_id text,
    calendar_name text,
    status text not null check (status in ('configuring', 'connected', 'needs_reconnect', 'paused', 'error')),
    status_reason text,
    direction text not null default 'bidirectional'
        check (direction in ('bidirectional', 'to_external', 'from_external')),
    profile_id uuid,
    client_id text not null,
    access_token_sealed text not null,
    access_token_expires_at timestamptz not null,
    refresh_token_sealed text not null,
    cursor text,
    cursor_window_start timestamptz,
    cursor_window_end timestamptz,
    last_sync_at timestamptz,
    last_error text,
    generation bigint not null default 0,
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, connection_id),
    foreign key (tenant_id, user_id) references users (tenant_id, user_id) on delete cascade,
    foreign key (tenant_id, profile_id) references microsoft_profiles (tenant_id, profile_id)
);
create unique index calendar_providers_calendar on calendar_providers (tenant_id, provider, account_id, calendar_id)
    where calendar_id is not null;
create index calendar_providers_by_user on calendar_providers (tenant_id, user_id);

-- base: the content both sides last agreed on.
create table calendar_event_mappings (
    tenant_id uuid not null,
    mapping_id uuid not null,
    connection_id uuid not null,
    entry_id uuid not null,
    external_event_id text,
    external_etag text,
    external_ical_uid text,
    state text not null check (state in ('creating', 'synced', 'conflict', 'failed', 'removing', 'removed')),
    generation integer not null,
    base jsonb,
    entry_version bigint not null,
    error text,
    attempts integer not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, mapping_id),
    unique (tenant_id, connection_id, entry_id),
    foreign key (tenant_id, connection_id) references calendar_providers (tenant_id, connection_id) on delete cascade,
    foreign key (tenant_id, entry_id) references schedule_entries (tenant_id, entry_id) on delete cascade
);
create unique index calendar_event_mappings_event
    on calendar_event_mappings (tenant_id, connection_id, external_event_id)
    where external_event_id is not null;

-- Written as 'intended' before the provider is asked, so that no subscription is ever unknown to us.
create table calendar_subscriptions (
    tenant_id uuid not null,
    subscription_id uuid not null,
    connection_id uuid not null,
    provider text not null check (provider in ('google', 'microsoft')),
    external_id text,
    resource_id text,
    secret_hash bytea not null,
    state text not null check (state in ('intended', 'active', 'stopping')),
    expires_at timestamptz not null,
    last_notified_at timestamptz,
    created_at timestamptz not null,
    primary key (tenant_id, subscription_id),
    foreign key (tenant_id, connection_id) references calendar_providers (tenant_id, connection_id) on delete cascade
);
create index calendar_subscriptions_by_connection on calendar_subscriptions (tenant_id, connection_id);

grant select, insert, update, delete on
    google_clients, calendar_providers, calendar_event_mappings, calendar_subscriptions
    to daybind_app;
do $$
declare
    t text;
begin
    foreach t in array array[
        'google_clients', 'calendar_providers', 'calendar_event_mappings', 'calendar_subscriptions'
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
