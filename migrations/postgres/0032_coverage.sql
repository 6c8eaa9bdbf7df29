-- What administrators' lists count, filter and sort by. The rows themselves are wide (sealed tokens): without this every look
-- at the list would read all of them. Nothing in it changes with an ordinary sync. Texts of any length stay out of it: an index
-- row has a greatest size here.

create index calendar_providers_coverage on calendar_providers
    (tenant_id, user_id, status, status_reason, provider, paused_at, held_until, created_at, connection_id);
