-- The audit log says why and from where, and can be paged through; a change of a binding can be taken back for a while;
-- what a consumer holds that one app registration issued.

alter table audit_log
    add column note text,
    add column ip text,
    add column user_agent text;
create index audit_log_by_time on audit_log (tenant_id, at desc, audit_id desc);
create index audit_log_by_action on audit_log (tenant_id, action);

-- The last change of each consumer's binding, until it can no longer be taken back. memo: what the consumer's runtime
-- needs to put back.
create table microsoft_profile_binding_undo (
    tenant_id uuid not null references tenants (tenant_id) on delete cascade,
    consumer_type text not null check (consumer_type in ('msp_sso', 'email', 'calendar', 'teams')),
    before_profile_id uuid,
    after_profile_id uuid,
    changed_by uuid not null,
    changed_at timestamptz not null,
    undo_until timestamptz not null,
    memo jsonb not null,
    primary key (tenant_id, consumer_type),
    foreign key (tenant_id, before_profile_id)
        references microsoft_profiles (tenant_id, profile_id) on delete cascade,
    foreign key (tenant_id, after_profile_id)
        references microsoft_profiles (tenant_id, profile_id) on delete cascade
);

-- subject: a mailbox's address, or the installed app package. Tokens and packages of one app registration are worth
-- nothing to another, so a row says which one issued it, and goes stale when the binding leaves it.
create table microsoft_consumer_grants (
    tenant_id uuid not null references tenants (tenant_id) on delete cascade,
    consumer_type text not null check (consumer_type in ('email', 'teams')),
    subject text not null,
    state text not null check (state in ('active', 'stale')),
    client_id text not null,
    directory_id text not null,
    updated_at timestamptz not null,
    primary key (tenant_id, consumer_type, subject)
);

grant select, insert, update, delete on microsoft_profile_binding_undo, microsoft_consumer_grants to daybind_app;
do $$
declare
    t text;
begin
    foreach t in array array['microsoft_profile_binding_undo', 'microsoft_consumer_grants'] loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format(
            'create policy tenant on %I using (tenant_id = nullif(current_setting(''daybind.tenant_id'', true), '''')::uuid)',
            t
        );
    end loop;
end
$$;
