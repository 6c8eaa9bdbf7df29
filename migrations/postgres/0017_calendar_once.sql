-- A calendar has one connection, also when two people choose one that is shared with both in the same moment. Google's ids
-- are the same for everybody a calendar is shared with; Microsoft's are each mailbox's own, for which the index over the
-- account is enough.
--
-- Where two came about before: the older one goes on. The others wait, with all they have, until their owners reconnect
-- (which works once the calendar is free) or disconnect. Nothing is removed anywhere.

-- Not all tenants' rows are the owner's otherwise.
alter table calendar_providers no force row level security;
update calendar_providers later
    set status = 'needs_reconnect', status_reason = 'calendar_twice', version = version + 1
    where provider = 'google' and calendar_id is not null and account_id <> 'import:' || connection_id::text
        and coalesce(status_reason, '') <> 'disconnecting'
        and exists (
            select 1 from calendar_providers earlier
            where earlier.tenant_id = later.tenant_id and earlier.provider = 'google'
                and earlier.calendar_id = later.calendar_id
                and earlier.account_id <> 'import:' || earlier.connection_id::text
                and coalesce(earlier.status_reason, '') <> 'disconnecting'
                and (earlier.created_at, earlier.connection_id) < (later.created_at, later.connection_id)
        );
alter table calendar_providers force row level security;

-- Without those that are on their way out or brought over unproved, whose calendar may be called 'primary'.
create unique index calendar_providers_shared_calendar on calendar_providers (tenant_id, calendar_id)
    where provider = 'google' and calendar_id is not null and account_id <> 'import:' || connection_id::text
        and coalesce(status_reason, '') not in ('disconnecting', 'calendar_twice');
