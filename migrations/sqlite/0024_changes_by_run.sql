-- What one run did is read when somebody opens it; runs are listed newest first, ties in the order of their ids.

create index sync_changes_by_run on sync_changes (tenant_id, run_id, at);
drop index sync_runs_by_age;
create index sync_runs_by_age on sync_runs (tenant_id, ended_at, run_id);
