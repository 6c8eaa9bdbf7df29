-- How many of the deletions that made a connection ask are occurrences of series.

alter table calendar_providers add column brake_occurrences integer not null default 0;
