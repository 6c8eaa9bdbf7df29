-- Whether an entry takes its time, and whether its words are for everybody who may see it.

alter table schedule_entries add column shows_as text not null default 'busy' check (shows_as in ('busy', 'free'));
alter table schedule_entries add column is_private boolean not null default 0;
