-- How often a person has answered a question about the entry: who read the row before an answer does not write over it.

alter table calendar_event_mappings add column answers bigint not null default 0;
