-- What has just changed, for the pages that show it: kinds and ids, nothing else. Written by the change's own transaction, so that
-- no change is told before it is there, nor told without being made. Rows are read by every server and pruned by age.
--
-- Numbers alone would not do for a place to go on from: a transaction may commit after one that took a later number. xact is the
-- transaction's own number; whoever reads leaves out what is not below the oldest transaction that still runs, so that nothing
-- appears behind a place that was read.
create table live_events (
    tenant_id uuid not null,
    seq bigint not null generated always as identity,
    xact bigint not null default (pg_current_xact_id()::text::bigint),
    topic text not null,
    subject_id uuid not null,
    -- Whom it concerns, where that is one person.
    user_id uuid,
    at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, seq)
);
create index live_events_by_place on live_events (xact, seq);
create index live_events_by_age on live_events (at);

grant select, insert, delete on live_events to daybind_app;
alter table live_events enable row level security;
alter table live_events force row level security;
create policy tenant on live_events
    using (tenant_id = nullif(current_setting('daybind.tenant_id', true), '')::uuid);
-- One reader serves the pages of all tenants, and prunes.
create policy system on live_events for select using (current_setting('daybind.scope', true) = 'system');
create policy system_prune on live_events for delete using (current_setting('daybind.scope', true) = 'system');

-- What is changed outside a tenant's unit of work (a migration, an operator's own hand) is not told.
create function live_tell(tenant uuid, topic text, subject uuid, person uuid) returns void language sql as $$
    insert into live_events (tenant_id, topic, subject_id, user_id)
    select tenant, topic, subject, person
    where current_setting('daybind.tenant_id', true) = tenant::text
$$;

create function live_session() returns trigger language plpgsql as $$
begin
    perform live_tell(old.tenant_id, 'session', old.session_id, old.user_id);
    return null;
end
$$;
create trigger live after delete on sessions for each row execute function live_session();

create function live_entry() returns trigger language plpgsql as $$
begin
    perform live_tell(new.tenant_id, 'entry', new.entry_id, a.user_id)
    from schedule_entry_assignees a where a.tenant_id = new.tenant_id and a.entry_id = new.entry_id;
    return null;
end
$$;
create trigger live after update on schedule_entries for each row
    when (old.version is distinct from new.version) execute function live_entry();

create function live_assignee() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        perform live_tell(old.tenant_id, 'entry', old.entry_id, old.user_id);
    else
        perform live_tell(new.tenant_id, 'entry', new.entry_id, new.user_id);
    end if;
    return null;
end
$$;
create trigger live after insert or delete on schedule_entry_assignees for each row execute function live_assignee();

create function live_connection() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        perform live_tell(old.tenant_id, 'connection', old.connection_id, old.user_id);
    else
        perform live_tell(new.tenant_id, 'connection', new.connection_id, new.user_id);
    end if;
    return null;
end
$$;
create trigger live after insert or delete on calendar_providers for each row execute function live_connection();
-- Not when tokens are renewed or leased.
create trigger live_seen after update on calendar_providers for each row
    when (
        (old.status, old.status_reason, old.calendar_id, old.calendar_name, old.direction, old.last_sync_at, old.last_error,
            old.brake, old.failing_since, old.retry_at, old.held_until, old.paused_at, old.paused_until)
        is distinct from
        (new.status, new.status_reason, new.calendar_id, new.calendar_name, new.direction, new.last_sync_at, new.last_error,
            new.brake, new.failing_since, new.retry_at, new.held_until, new.paused_at, new.paused_until)
    )
    execute function live_connection();

create function live_run() returns trigger language plpgsql as $$
begin
    perform live_tell(new.tenant_id, 'run', new.run_id, c.user_id)
    from calendar_providers c where c.tenant_id = new.tenant_id and c.connection_id = new.connection_id;
    return null;
end
$$;
create trigger live after insert on sync_runs for each row execute function live_run();

-- An entry's mark. A mapping that is new says what was so without it: the entry waits.
create function live_mapping() returns trigger language plpgsql as $$
begin
    perform live_tell(new.tenant_id, 'entry', new.entry_id, c.user_id)
    from calendar_providers c where c.tenant_id = new.tenant_id and c.connection_id = new.connection_id;
    return null;
end
$$;
create trigger live after update on calendar_event_mappings for each row
    when ((old.state, old.entry_version, old.error) is distinct from (new.state, new.entry_version, new.error))
    execute function live_mapping();

create function live_conflict() returns trigger language plpgsql as $$
begin
    perform live_tell(new.tenant_id, 'conflict', new.conflict_id, c.user_id)
    from calendar_providers c where c.tenant_id = new.tenant_id and c.connection_id = new.connection_id;
    return null;
end
$$;
create trigger live after insert on calendar_conflicts for each row execute function live_conflict();
create trigger live_seen after update on calendar_conflicts for each row
    when ((old.state, old.updated_at) is distinct from (new.state, new.updated_at)) execute function live_conflict();
