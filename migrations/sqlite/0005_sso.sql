-- Sign-in through Microsoft: what a flow remembers, whose account is whose, and who waits for approval.

-- nonce_hash, browser_hash: SHA-256 of the ID token's nonce and of the flow cookie. return_to: a path of ours.
alter table oauth_flows add column nonce_hash blob;
alter table oauth_flows add column browser_hash blob;
alter table oauth_flows add column return_to text;

-- A Microsoft account is (directory_id, object_id): the token's tid and oid. account_name is for people to read.
create table user_identities (
    tenant_id text not null,
    identity_id text not null,
    user_id text not null,
    directory_id text not null,
    object_id text not null,
    account_name text not null,
    proof text not null check (proof in ('signed_in', 'approved')),
    linked_by text not null,
    linked_at integer not null,
    last_used_at integer,
    primary key (tenant_id, identity_id),
    unique (tenant_id, directory_id, object_id),
    foreign key (tenant_id, user_id) references users (tenant_id, user_id) on delete cascade
);
create index user_identities_by_user on user_identities (tenant_id, user_id);

-- Accounts that proved themselves at Microsoft but belong to nobody yet. A declined one is kept, so that it asks once.
create table identity_requests (
    tenant_id text not null,
    request_id text not null,
    directory_id text not null,
    object_id text not null,
    account_name text not null,
    account_verified boolean not null,
    suggested_user_id text,
    state text not null check (state in ('pending', 'declined')),
    requested_at integer not null,
    decided_by text,
    decided_at integer,
    primary key (tenant_id, request_id),
    unique (tenant_id, directory_id, object_id),
    foreign key (tenant_id) references tenants (tenant_id) on delete cascade,
    foreign key (tenant_id, suggested_user_id) references users (tenant_id, user_id) on delete cascade
);
