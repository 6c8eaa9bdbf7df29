-- Since when the entry had said before what this edit made it say again, where an earlier version was restored.
alter table entry_edits add column restored timestamptz;
