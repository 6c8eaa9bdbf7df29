-- The audit log says why and from where, and can be paged through; a change of a binding can be taken back for a while;
-- what a consumer holds that one app registration issued.

alter table audit_log add column note text;
alter table audit_log add column ip text;
alter table audit_log add column user_agent text;
create index audit_log_by_time on audit_log (tenant_id, at desc, audit_id desc);
create index audit_log_by_action on audit_log (tenant_id, action);

-- What rights do on PostgreSQL: rows are added, never changed or removed.
create trigger audit_log_keeps_rows before delete on audit_log
begin
    select raise(abort, 'the audit log is append-only');
end;
create trigger audit_log_keeps_words before update on audit_log
begin
    select raise(abort, 'the audit log is append-only');
end;

-- INSERT OR REPLACE removes without asking the first trigger.
create trigger audit_log_keeps_places before insert on audit_log
when exists (select 1 from audit_log where tenant_id = new.tenant_id and audit_id = new.audit_id)
begin
    select raise(abort, 'the audit log is append-only');
end;

-- The last change of each consumer's binding, until it can no longer be taken back. memo: what the consumer's runtime
-- needs to put back.
create table microsoft_profile_binding_undo (
    tenant_id text not null references tenants (tenant_id) on delete cascade,
    consumer_type text not null check (consumer_type in ('msp_sso', 'email', 'calendar', 'teams')),
    before_profile_id text,
    after_profile_id text,
    changed_by text not null,
    changed_at integer not null,
    undo_until integer not null,
    memo text not null,
    primary key (tenant_id, consumer_type),
    foreign key (tenant_id, before_profile_id)
        references microsoft_profiles (tenant_id, profile_id) on delete cascade,
    foreign key (tenant_id, after_profile_id)
        references microsoft_profiles (tenant_id, profile_id) on delete cascade
);

-- subject: a mailbox's address, or the installed app package. Tokens and packages of one app registration are worth
-- nothing to another, so a row says which one issued it, and goes stale when the binding leaves it.
create table microsoft_consumer_grants (
    tenant_id text not null references tenants (tenant_id) on delete cascade,
    consumer_type text not null check (consumer_type in ('email', 'teams')),
    subject text not null,
    state text not null check (state in ('active', 'stale')),
    client_id text not null,
    directory_id text not null,
    updated_at integer not null,
    primary key (tenant_id, consumer_type, subject)
);
