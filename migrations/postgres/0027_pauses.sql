-- A connection that a person has paused: since when, until when (null: until somebody resumes it), and who did.

alter table calendar_providers add column paused_at timestamptz;
alter table calendar_providers add column paused_until timestamptz;
alter table calendar_providers add column paused_by uuid;
