-- Login domains, rate limits shared by all servers, and what a session tells its owner.

-- domain: ASCII form (IDNA), lower case, no trailing dot. Several tenants may list the same one; only one may have proved
-- it at a time. That rule is kept by the verifying transaction (it locks the domain), because a unique key would have to
-- begin with the tenant.
create table msp_sso_login_domains (
    tenant_id text not null references tenants (tenant_id) on delete cascade,
    domain_id text not null,
    domain text not null,
    claim_status text not null check (claim_status in ('advisory', 'pending', 'verified', 'rejected', 'revoked')),
    claim_status_updated_at integer not null,
    claim_status_updated_by text,
    verified_at integer,
    version integer not null,
    created_by text not null,
    created_at integer not null,
    primary key (tenant_id, domain_id),
    unique (tenant_id, domain)
);
-- Domains are looked up before the tenant is known.
create index msp_sso_login_domains_by_domain on msp_sso_login_domains (domain);

-- The record that proves a domain, and what was seen of it last. Public by nature, so not sealed.
create table msp_sso_domain_verification_challenges (
    tenant_id text not null,
    domain_id text not null,
    challenge_host text not null,
    challenge_value text not null,
    created_by text not null,
    created_at integer not null,
    expires_at integer not null,
    checked_at integer,
    outcome text,
    seen text not null,
    missing_since integer,
    next_check_at integer not null,
    primary key (tenant_id, domain_id),
    foreign key (tenant_id, domain_id) references msp_sso_login_domains (tenant_id, domain_id) on delete cascade
);
create index msp_sso_domain_challenges_due on msp_sso_domain_verification_challenges (next_check_at);

-- One row for each thing that is counted (GCRA). Belongs to no tenant: tenant_id is the nil UUID.
-- key_hash: SHA-256. theoretical_arrival: microseconds since 1970.
create table rate_limits (
    tenant_id text not null,
    purpose text not null,
    key_hash blob not null,
    theoretical_arrival integer not null,
    primary key (tenant_id, purpose, key_hash)
);
create index rate_limits_by_arrival on rate_limits (theoretical_arrival);

-- No row: everybody may sign in with a password.
create table sign_in_settings (
    tenant_id text primary key references tenants (tenant_id) on delete cascade,
    technician_passwords boolean not null,
    updated_by text not null,
    updated_at integer not null
);

alter table sessions add column method text not null default 'password';
alter table sessions add column user_agent text;
alter table sessions add column address text;
create index sessions_by_user on sessions (tenant_id, user_id);

