-- Sign-in through Microsoft: what a flow remembers, whose account is whose, and who waits for approval.

-- nonce_hash, browser_hash: SHA-256 of the ID token's nonce and of the flow cookie. return_to: a path of ours.
alter table oauth_flows add column nonce_hash bytea;
alter table oauth_flows add column browser_hash bytea;
alter table oauth_flows add column return_to text;

-- A Microsoft account is (directory_id, object_id): the token's tid and oid. account_name is for people to read.
create table user_identities (
    tenant_id uuid not null,
    identity_id uuid not null,
    user_id uuid not null,
    directory_id text not null,
    object_id text not null,
    account_name text not null,
    proof text not null check (proof in ('signed_in', 'approved')),
    linked_by uuid not null,
    linked_at timestamptz not null,
    last_used_at timestamptz,
    primary key (tenant_id, identity_id),
    unique (tenant_id, directory_id, object_id),
    foreign key (tenant_id, user_id) references users (tenant_id, user_id) on delete cascade
);
create index user_identities_by_user on user_identities (tenant_id, user_id);

-- Accounts that proved themselves at Microsoft but belong to nobody yet. A declined one is kept, so that it asks once.
create table identity_requests (
    tenant_id uuid not null,
    request_id uuid not null,
    directory_id text not null,
    object_id text not null,
    account_name text not null,
    account_verified boolean not null,
    suggested_user_id uuid,
    state text not null check (state in ('pending', 'declined')),
    requested_at timestamptz not null,
    decided_by uuid,
    decided_at timestamptz,
    primary key (tenant_id, request_id),
    unique (tenant_id, directory_id, object_id),
    foreign key (tenant_id) references tenants (tenant_id) on delete cascade,
    foreign key (tenant_id, suggested_user_id) references users (tenant_id, user_id) on delete cascade
);

grant select, insert, update, delete on user_identities, identity_requests to daybind_app;

do $$
declare
    t text;
begin
    foreach t in array array['user_identities', 'identity_requests'] loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format(
            'create policy tenant on %I using (tenant_id = nullif(current_setting(''daybind.tenant_id'', true), '''')::uuid)',
            t
        );
    end loop;
end
$$;
