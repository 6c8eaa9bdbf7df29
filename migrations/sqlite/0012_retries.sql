-- How long a connection has been failing, when it is asked again, and until when its provider wants to be left alone.

alter table calendar_providers add column failed_runs integer not null default 0;
alter table calendar_providers add column failing_since integer;
alter table calendar_providers add column retry_at integer;
alter table calendar_providers add column held_until integer;
