-- What sync did, for people to read. Rows outlive the entries and events they tell of, and are pruned by age.

create table sync_runs (
    tenant_id text not null,
    run_id text not null,
    connection_id text not null,
    cause text not null check (cause in ('poll', 'notification', 'schedule', 'person', 'start', 'retry')),
    outcome text not null check (outcome in ('done', 'failed', 'paused', 'idle')),
    reason text,
    applied integer not null,
    pushed integer not null,
    started_at integer not null,
    ended_at integer not null,
    primary key (tenant_id, run_id),
    foreign key (tenant_id, connection_id) references calendar_providers (tenant_id, connection_id) on delete cascade
);
create index sync_runs_by_connection on sync_runs (tenant_id, connection_id, ended_at);
create index sync_runs_by_age on sync_runs (tenant_id, ended_at);

-- Committed together with the change it tells of. side: where something was (or was not) changed.
create table sync_changes (
    tenant_id text not null,
    change_id text not null,
    run_id text not null,
    connection_id text not null,
    entry_id text,
    external_event_id text,
    side text not null check (side in ('schedule', 'calendar', 'none')),
    action text not null
        check (action in ('created', 'changed', 'removed', 'conflict', 'refused', 'skipped', 'resolved')),
    actor text not null check (actor in ('schedule', 'calendar', 'person')),
    before text,
    after text,
    reason text,
    at integer not null,
    primary key (tenant_id, change_id),
    foreign key (tenant_id, connection_id) references calendar_providers (tenant_id, connection_id) on delete cascade
);
create index sync_changes_by_connection on sync_changes (tenant_id, connection_id, at);
create index sync_changes_by_entry on sync_changes (tenant_id, entry_id, at);
create index sync_changes_by_age on sync_changes (tenant_id, at);

