-- What all servers must know of a provider's limits. bucket: an account's mailbox, or an app registration. minute: of the Unix
-- clock; calls: what servers told of that minute (each tells only once it has made many). held_until: the provider asked to be
-- left alone until then.
create table provider_limits (
    tenant_id text not null references tenants (tenant_id) on delete cascade,
    bucket text not null,
    minute integer not null,
    calls integer not null,
    held_until integer,
    updated_at integer not null,
    primary key (tenant_id, bucket)
);

-- Who works at a mailbox that several connections share. A place whose holder died is free when until has passed.
create table provider_places (
    tenant_id text not null references tenants (tenant_id) on delete cascade,
    bucket text not null,
    place integer not null,
    holder text not null,
    until integer not null,
    primary key (tenant_id, bucket, place)
);

-- How many connections an app registration serves.
create index calendar_providers_by_client on calendar_providers (tenant_id, provider, client_id);
