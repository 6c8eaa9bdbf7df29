-- What all servers must know of a provider's limits. bucket: an account's mailbox, or an app registration. minute: of the Unix
-- clock; calls: what servers told of that minute (each tells only once it has made many). held_until: the provider asked to be
-- left alone until then.
create table provider_limits (
    tenant_id uuid not null references tenants (tenant_id) on delete cascade,
    bucket text not null,
    minute bigint not null,
    calls bigint not null,
    held_until timestamptz,
    updated_at timestamptz not null,
    primary key (tenant_id, bucket)
);

-- Who works at a mailbox that several connections share. A place whose holder died is free when until has passed.
create table provider_places (
    tenant_id uuid not null references tenants (tenant_id) on delete cascade,
    bucket text not null,
    place integer not null,
    holder uuid not null,
    until timestamptz not null,
    primary key (tenant_id, bucket, place)
);

-- How many connections an app registration serves.
create index calendar_providers_by_client on calendar_providers (tenant_id, provider, client_id);

grant select, insert, update, delete on provider_limits, provider_places to daybind_app;
do $$
declare
    t text;
begin
    foreach t in array array['provider_limits', 'provider_places'] loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format(
            'create policy tenant on %I using (tenant_id = nullif(current_setting(''daybind.tenant_id'', true), '''')::uuid)',
            t
        );
    end loop;
end
$$;
