-- What a technician decides about a connection, what waits for a decision, and who may refresh tokens right now.

alter table calendar_providers
    add column conflict_policy text not null default 'ask'
        check (conflict_policy in ('ask', 'schedule', 'calendar', 'newest')),
    add column deletion_policy text not null default 'ask'
        check (deletion_policy in ('ask', 'cancel', 'put_back')),
    add column import_rule text not null default 'nothing'
        check (import_rule in ('nothing', 'marked', 'busy')),
    add column show_private boolean not null default false,
    add column window_past_days integer not null default 30,
    add column window_future_days integer not null default 365,
    -- The mass-change brake: 'asked_*' stops the connection, the others say what was answered for the next run.
    add column brake text check (brake in ('asked_in', 'asked_out', 'accept_in', 'accept_out', 'put_back')),
    add column brake_count integer not null default 0,
    -- Who refreshes the tokens right now; nobody else does until then.
    add column token_lease uuid,
    add column token_lease_until timestamptz;

-- origin: an entry's copy ('schedule'), an event brought in whole ('calendar', or 'guest' when somebody else organises
-- it) or as a busy block ('busy'). Guests' events and busy blocks are never written to.
alter table calendar_event_mappings
    add column origin text not null default 'schedule' check (origin in ('schedule', 'calendar', 'guest', 'busy'));

-- Both versions and the base, kept until somebody (or a later change) settles it. kind 'deletion': the event is gone
-- and the entry has nobody else.
create table calendar_conflicts (
    tenant_id uuid not null,
    conflict_id uuid not null,
    connection_id uuid not null,
    mapping_id uuid not null,
    entry_id uuid not null,
    kind text not null check (kind in ('fields', 'deletion')),
    state text not null check (state in ('open', 'resolved')),
    fields jsonb not null,
    base jsonb,
    local jsonb not null,
    remote jsonb,
    local_at timestamptz not null,
    remote_at timestamptz,
    resolution jsonb,
    resolved_by uuid,
    resolved_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, conflict_id),
    foreign key (tenant_id, mapping_id) references calendar_event_mappings (tenant_id, mapping_id) on delete cascade
);
create unique index calendar_conflicts_open on calendar_conflicts (tenant_id, mapping_id) where state = 'open';
create index calendar_conflicts_by_connection on calendar_conflicts (tenant_id, connection_id, created_at);

grant select, insert, update, delete on calendar_conflicts to daybind_app;
alter table calendar_conflicts enable row level security;
alter table calendar_conflicts force row level security;
create policy tenant on calendar_conflicts
    using (tenant_id = nullif(current_setting('daybind.tenant_id', true), '')::uuid);
