-- What has just changed, for the pages that show it: kinds and ids, nothing else. Written by the change's own transaction, so that
-- no change is told before it is there, nor told without being made. Rows are read by the server and pruned by age.
--
-- One transaction writes at a time, so numbers are in the order of the commits; xact is there for PostgreSQL. Numbers begin with
-- the time, so that they go on after all rows were pruned.
create table live_events (
    tenant_id text not null,
    seq integer not null,
    xact integer not null default 0,
    topic text not null,
    subject_id text not null,
    -- Whom it concerns, where that is one person.
    user_id text,
    at integer not null,
    primary key (tenant_id, seq)
);
create index live_events_by_place on live_events (xact, seq);
create index live_events_by_age on live_events (at);

create trigger live_session_ended after delete on sessions
begin
    insert into live_events (tenant_id, seq, topic, subject_id, user_id, at)
    select old.tenant_id, max(coalesce((select max(seq) from live_events where xact = 0), 0), cast(unixepoch('subsec') * 1000000 as integer))
            + row_number() over (), 'session', old.session_id, old.user_id, cast(unixepoch('subsec') * 1000000 as integer);
end;

create trigger live_entry_changed after update on schedule_entries
when old.version is not new.version
begin
    insert into live_events (tenant_id, seq, topic, subject_id, user_id, at)
    select new.tenant_id, max(coalesce((select max(seq) from live_events where xact = 0), 0), cast(unixepoch('subsec') * 1000000 as integer))
            + row_number() over (), 'entry', new.entry_id, a.user_id, cast(unixepoch('subsec') * 1000000 as integer)
    from schedule_entry_assignees a where a.tenant_id = new.tenant_id and a.entry_id = new.entry_id;
end;

create trigger live_assignee_added after insert on schedule_entry_assignees
begin
    insert into live_events (tenant_id, seq, topic, subject_id, user_id, at)
    select new.tenant_id, max(coalesce((select max(seq) from live_events where xact = 0), 0), cast(unixepoch('subsec') * 1000000 as integer))
            + row_number() over (), 'entry', new.entry_id, new.user_id, cast(unixepoch('subsec') * 1000000 as integer);
end;

create trigger live_assignee_removed after delete on schedule_entry_assignees
begin
    insert into live_events (tenant_id, seq, topic, subject_id, user_id, at)
    select old.tenant_id, max(coalesce((select max(seq) from live_events where xact = 0), 0), cast(unixepoch('subsec') * 1000000 as integer))
            + row_number() over (), 'entry', old.entry_id, old.user_id, cast(unixepoch('subsec') * 1000000 as integer);
end;

create trigger live_connection_added after insert on calendar_providers
begin
    insert into live_events (tenant_id, seq, topic, subject_id, user_id, at)
    select new.tenant_id, max(coalesce((select max(seq) from live_events where xact = 0), 0), cast(unixepoch('subsec') * 1000000 as integer))
            + row_number() over (), 'connection', new.connection_id, new.user_id, cast(unixepoch('subsec') * 1000000 as integer);
end;

create trigger live_connection_removed after delete on calendar_providers
begin
    insert into live_events (tenant_id, seq, topic, subject_id, user_id, at)
    select old.tenant_id, max(coalesce((select max(seq) from live_events where xact = 0), 0), cast(unixepoch('subsec') * 1000000 as integer))
            + row_number() over (), 'connection', old.connection_id, old.user_id, cast(unixepoch('subsec') * 1000000 as integer);
end;

-- Not when tokens are renewed or leased.
create trigger live_connection_changed after update on calendar_providers
when (old.status, old.status_reason, old.calendar_id, old.calendar_name, old.direction, old.last_sync_at, old.last_error, old.brake, old.failing_since, old.retry_at, old.held_until, old.paused_at, old.paused_until)
    is not
    (new.status, new.status_reason, new.calendar_id, new.calendar_name, new.direction, new.last_sync_at, new.last_error, new.brake, new.failing_since, new.retry_at, new.held_until, new.paused_at, new.paused_until)
begin
    insert into live_events (tenant_id, seq, topic, subject_id, user_id, at)
    select new.tenant_id, max(coalesce((select max(seq) from live_events where xact = 0), 0), cast(unixepoch('subsec') * 1000000 as integer))
            + row_number() over (), 'connection', new.connection_id, new.user_id, cast(unixepoch('subsec') * 1000000 as integer);
end;

create trigger live_run_ended after insert on sync_runs
begin
    insert into live_events (tenant_id, seq, topic, subject_id, user_id, at)
    select new.tenant_id, max(coalesce((select max(seq) from live_events where xact = 0), 0), cast(unixepoch('subsec') * 1000000 as integer))
            + row_number() over (), 'run', new.run_id, c.user_id, cast(unixepoch('subsec') * 1000000 as integer)
    from calendar_providers c where c.tenant_id = new.tenant_id and c.connection_id = new.connection_id;
end;

-- An entry's mark. A mapping that is new says what was so without it: the entry waits.
create trigger live_mark_changed after update on calendar_event_mappings
when (old.state, old.entry_version, old.error)
    is not
    (new.state, new.entry_version, new.error)
begin
    insert into live_events (tenant_id, seq, topic, subject_id, user_id, at)
    select new.tenant_id, max(coalesce((select max(seq) from live_events where xact = 0), 0), cast(unixepoch('subsec') * 1000000 as integer))
            + row_number() over (), 'entry', new.entry_id, c.user_id, cast(unixepoch('subsec') * 1000000 as integer)
    from calendar_providers c where c.tenant_id = new.tenant_id and c.connection_id = new.connection_id;
end;

create trigger live_conflict_found after insert on calendar_conflicts
begin
    insert into live_events (tenant_id, seq, topic, subject_id, user_id, at)
    select new.tenant_id, max(coalesce((select max(seq) from live_events where xact = 0), 0), cast(unixepoch('subsec') * 1000000 as integer))
            + row_number() over (), 'conflict', new.conflict_id, c.user_id, cast(unixepoch('subsec') * 1000000 as integer)
    from calendar_providers c where c.tenant_id = new.tenant_id and c.connection_id = new.connection_id;
end;

create trigger live_conflict_changed after update on calendar_conflicts
when (old.state, old.updated_at)
    is not
    (new.state, new.updated_at)
begin
    insert into live_events (tenant_id, seq, topic, subject_id, user_id, at)
    select new.tenant_id, max(coalesce((select max(seq) from live_events where xact = 0), 0), cast(unixepoch('subsec') * 1000000 as integer))
            + row_number() over (), 'conflict', new.conflict_id, c.user_id, cast(unixepoch('subsec') * 1000000 as integer)
    from calendar_providers c where c.tenant_id = new.tenant_id and c.connection_id = new.connection_id;
end;
