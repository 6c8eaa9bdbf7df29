-- People, calendars and entries of the first MSP of edge-states.sql (one default profile, no bindings) and of others.
insert into users (tenant, user_id, username, hashed_password, first_name, last_name, email, user_type, is_inactive, timezone) values
    ('00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-000000000c11', 'tess', 'x', 'Tess', 'Tech', 'Tess@alpha.example', 'internal', false, 'Europe/Berlin'),
    ('00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-000000000c12', 'gone', 'x', 'Gus', 'Gone', 'gus@alpha.example', 'internal', true, null),
    ('00000000-0000-4000-8000-0000000000a3', '00000000-0000-4000-8000-000000000c31', 'cleo', 'x', 'Cleo', 'C', 'cleo@charlie.example', 'internal', false, null);

insert into calendar_providers (id, tenant, user_id, provider_type, provider_name, calendar_id, status) values
    ('00000000-0000-4000-8000-000000000e11', '00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-000000000c11', 'microsoft', 'Outlook', 'calendar', 'connected'),
    ('00000000-0000-4000-8000-000000000e12', '00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-000000000c12', 'google', 'Gus', 'primary', 'connected'),
    ('00000000-0000-4000-8000-000000000e13', '00000000-0000-4000-8000-0000000000a1', null, 'google', 'Office', 'primary', 'connected'),
    ('00000000-0000-4000-8000-000000000e14', '00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-000000000c11', 'google', 'Unfinished', 'primary', 'configuring'),
    ('00000000-0000-4000-8000-000000000e31', '00000000-0000-4000-8000-0000000000a3', '00000000-0000-4000-8000-000000000c31', 'microsoft', 'Outlook', 'AAMk1', 'error');
insert into microsoft_calendar_provider_config (calendar_provider_id, tenant, client_id, client_secret, tenant_id, refresh_token, calendar_id) values
    ('00000000-0000-4000-8000-000000000e11', '00000000-0000-4000-8000-0000000000a1', '11111111-1111-4111-8111-111111111111', 'enc:c2VjcmV0', 'alpha.example', 'enc:cmVmcmVzaA==', 'calendar'),
    ('00000000-0000-4000-8000-000000000e31', '00000000-0000-4000-8000-0000000000a3', '33333333-3333-4333-8333-333333333331', 'enc:c2VjcmV0', 'charlie.example', 'enc:cmVmcmVzaA==', 'AAMk1');
insert into google_calendar_provider_config (calendar_provider_id, tenant, client_id, refresh_token, calendar_id) values
    ('00000000-0000-4000-8000-000000000e12', '00000000-0000-4000-8000-0000000000a1', 'g', 'enc:cmVmcmVzaA==', 'primary'),
    ('00000000-0000-4000-8000-000000000e13', '00000000-0000-4000-8000-0000000000a1', 'g', 'enc:cmVmcmVzaA==', 'primary');

insert into schedule_entries (tenant, entry_id, title, scheduled_start, scheduled_end, status, notes, recurrence_pattern, is_recurring, is_private) values
    ('00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-000000000f11', 'Replace the switch', '2026-12-01 09:00Z', '2026-12-01 10:00Z', 'scheduled', 'Rack 3', null, false, false),
    ('00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-000000000f12', 'Weekly round', '2026-12-02 09:00Z', '2026-12-02 10:00Z', 'scheduled', null, '{"frequency": "weekly"}', true, false),
    ('00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-000000000f13', 'Doctor', '2026-12-03 09:00Z', '2026-12-03 10:00Z', 'scheduled', null, null, false, true);
insert into schedule_entry_assignees
    select tenant, entry_id, '00000000-0000-4000-8000-000000000c11' from schedule_entries;
insert into calendar_event_mappings (id, tenant, calendar_provider_id, schedule_entry_id, external_event_id, sync_status) values
    ('00000000-0000-4000-8000-00000000ab11', '00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-000000000e11', '00000000-0000-4000-8000-000000000f11', 'event-1', 'synced'),
    ('00000000-0000-4000-8000-00000000ab12', '00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-000000000e11', '00000000-0000-4000-8000-000000000f12', 'event-2', 'synced'),
    ('00000000-0000-4000-8000-00000000ab13', '00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-000000000e11', '00000000-0000-4000-8000-000000000f13', 'event-3', 'error'),
    ('00000000-0000-4000-8000-00000000ab14', '00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-000000000e11', '00000000-0000-4000-8000-000000000f19', 'event-9', 'synced');
