-- What a technician decides about a connection, what waits for a decision, and who may refresh tokens right now.

alter table calendar_providers add column conflict_policy text not null default 'ask'
    check (conflict_policy in ('ask', 'schedule', 'calendar', 'newest'));
alter table calendar_providers add column deletion_policy text not null default 'ask'
    check (deletion_policy in ('ask', 'cancel', 'put_back'));
alter table calendar_providers add column import_rule text not null default 'nothing'
    check (import_rule in ('nothing', 'marked', 'busy'));
alter table calendar_providers add column show_private integer not null default 0;
alter table calendar_providers add column window_past_days integer not null default 30;
alter table calendar_providers add column window_future_days integer not null default 365;
-- The mass-change brake: 'asked_*' stops the connection, the others say what was answered for the next run.
alter table calendar_providers add column brake text check (brake in ('asked_in', 'asked_out', 'accept_in', 'accept_out', 'put_back'));
alter table calendar_providers add column brake_count integer not null default 0;
-- Who refreshes the tokens right now; nobody else does until then.
alter table calendar_providers add column token_lease text;
alter table calendar_providers add column token_lease_until integer;

-- origin: an entry's copy ('schedule'), an event brought in whole ('calendar', or 'guest' when somebody else organises
-- it) or as a busy block ('busy'). Guests' events and busy blocks are never written to.
alter table calendar_event_mappings add column origin text not null default 'schedule'
    check (origin in ('schedule', 'calendar', 'guest', 'busy'));

-- Both versions and the base, kept until somebody (or a later change) settles it. kind 'deletion': the event is gone
-- and the entry has nobody else.
create table calendar_conflicts (
    tenant_id text not null,
    conflict_id text not null,
    connection_id text not null,
    mapping_id text not null,
    entry_id text not null,
    kind text not null check (kind in ('fields', 'deletion')),
    state text not null check (state in ('open', 'resolved')),
    fields text not null,
    base text,
    local text not null,
    remote text,
    local_at integer not null,
    remote_at integer,
    resolution text,
    resolved_by text,
    resolved_at integer,
    created_at integer not null,
    updated_at integer not null,
    primary key (tenant_id, conflict_id),
    foreign key (tenant_id, mapping_id) references calendar_event_mappings (tenant_id, mapping_id) on delete cascade
);
create unique index calendar_conflicts_open on calendar_conflicts (tenant_id, mapping_id) where state = 'open';
create index calendar_conflicts_by_connection on calendar_conflicts (tenant_id, connection_id, created_at);
