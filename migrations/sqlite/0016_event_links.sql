-- Where an event's online meeting is joined; the calendar's own, never written out.

alter table calendar_event_mappings add column meeting_url text;
