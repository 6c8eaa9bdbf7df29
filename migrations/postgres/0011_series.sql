-- Entries that repeat, and occurrences that have values of their own.

alter table schedule_entries
    -- The value of an RRULE (RFC 5545), its UNTIL a day in the entry's zone. start_at and end_at are those of the first
    -- occurrence.
    add column recurrence text,
    -- No occurrence ends after it; null where that cannot be told from the rule's end alone.
    add column repeats_until timestamptz,
    -- The occurrence an entry stands for: its series, and the day the rule gives it (YYYY-MM-DD). Entries are never
    -- removed, so no key watches series_id.
    add column series_id uuid,
    add column series_day text,
    add constraint schedule_entries_series check ((series_id is null) = (series_day is null));
create unique index schedule_entries_by_series on schedule_entries (tenant_id, series_id, series_day)
    where series_id is not null;

-- The event of the series that an occurrence's event belongs to; none for an event of its own.
alter table calendar_event_mappings
    add column series_event_id text;
