-- One invitation may stand in several calendars of one person. Of these events one speaks for the entry; the others stand
-- beside it: 'heir' by the rule of their own connection may take its place, 'known' is only known.
-- copy_left: a copy of the entry was made before, and has to go.

alter table calendar_event_mappings add column beside text check (beside in ('heir', 'known'));
alter table calendar_event_mappings add column copy_left boolean not null default false;
create index calendar_event_mappings_uid
    on calendar_event_mappings (tenant_id, external_ical_uid)
    where external_ical_uid is not null;
