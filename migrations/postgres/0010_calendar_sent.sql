-- What is about to be written to an event, noted before the call: an event that says just that is our own unanswered write.

alter table calendar_event_mappings
    add column sent jsonb;
