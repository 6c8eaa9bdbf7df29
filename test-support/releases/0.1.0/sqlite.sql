-- An MSP as Daybind 0.1.0 (migrations 1 and 2) wrote it: at least one row of every table. {tenant} stands for its id.
insert into tenants (tenant_id, name, time_zone, created_at)
    values ('{tenant}', 'Contoso ''MSP''', 'Europe/Berlin', 1767225600000000);
insert into users (tenant_id, user_id, email, email_normalized, display_name, user_type, role, password_hash, is_active, time_zone, created_at)
    values ('{tenant}', '22222222-0000-4000-8000-000000000001', 'Admin@contoso.example', 'admin@contoso.example', 'Ada Admin', 'internal', 'admin', '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$hash', 1, 'Europe/Berlin', 1767225601000000);
insert into users (tenant_id, user_id, email, email_normalized, display_name, user_type, role, password_hash, is_active, time_zone, created_at)
    values ('{tenant}', '22222222-0000-4000-8000-000000000002', 'portal@client.example', 'portal@client.example', 'Pat Portal', 'client', 'technician', null, 0, 'UTC', 1767225602000000);
insert into sessions (tenant_id, session_id, user_id, token_hash, created_at, last_seen_at, expires_at)
    values ('{tenant}', '22222222-0000-4000-8000-000000000003', '22222222-0000-4000-8000-000000000001', x'abababababababababababababababababababababababababababababababab', 1767225603000000, 1767225604000000, 1767325599000000);
insert into microsoft_profiles (tenant_id, profile_id, display_name, display_name_normalized, client_id, directory_id, client_secret_sealed, client_secret_last4, archived_at, version, created_by, created_at, updated_at)
    values ('{tenant}', '22222222-0000-4000-8000-000000000004', 'Contoso main', 'contoso main', '33333333-0000-4000-8000-000000000001', 'contoso.onmicrosoft.com', 'v1.AAAAAAAA.c2VhbGVk', 'wxyz', null, 3, '22222222-0000-4000-8000-000000000001', 1767225605000000, 1767225606000000);
insert into microsoft_profiles (tenant_id, profile_id, display_name, display_name_normalized, client_id, directory_id, client_secret_sealed, client_secret_last4, archived_at, version, created_by, created_at, updated_at)
    values ('{tenant}', '22222222-0000-4000-8000-000000000005', 'Contoso main', 'contoso main', '33333333-0000-4000-8000-000000000002', 'contoso.onmicrosoft.com', null, null, 1767225607000000, 1, '22222222-0000-4000-8000-000000000001', 1767225605000000, 1767225607000000);
insert into microsoft_profile_consumer_bindings (tenant_id, consumer_type, profile_id, updated_by, updated_at)
    values ('{tenant}', 'msp_sso', '22222222-0000-4000-8000-000000000004', '22222222-0000-4000-8000-000000000001', 1767225608000000);
insert into microsoft_profile_consumer_bindings (tenant_id, consumer_type, profile_id, updated_by, updated_at)
    values ('{tenant}', 'calendar', '22222222-0000-4000-8000-000000000004', '22222222-0000-4000-8000-000000000001', 1767225609000000);
insert into schedule_entries (tenant_id, entry_id, title, notes, location, all_day, start_at, end_at, zone, status, version, deleted_at, created_by, created_at, updated_at)
    values ('{tenant}', '22222222-0000-4000-8000-000000000006', 'Replace the switch', 'Rack 3\nbring cables', 'Berlin', 0, 1767312000000000, 1767315600000000, 'Europe/Berlin', 'scheduled', 2, null, '22222222-0000-4000-8000-000000000001', 1767225610000000, 1767225611000000);
insert into schedule_entries (tenant_id, entry_id, title, notes, location, all_day, start_at, end_at, zone, status, version, deleted_at, created_by, created_at, updated_at)
    values ('{tenant}', '22222222-0000-4000-8000-000000000007', 'Day off', '', '', 1, 1767312000000000, 1767398400000000, null, 'cancelled', 5, 1767225612000000, '22222222-0000-4000-8000-000000000001', 1767225610000000, 1767225612000000);
insert into schedule_entry_assignees (tenant_id, entry_id, user_id)
    values ('{tenant}', '22222222-0000-4000-8000-000000000006', '22222222-0000-4000-8000-000000000001');
insert into jobs (tenant_id, job_id, kind, key, payload, state, attempt, max_attempts, run_at, lease_token, lease_until, poked, last_error, created_at, updated_at)
    values ('{tenant}', '22222222-0000-4000-8000-000000000008', 'calendar.sync', 'k1', '{"connection": "c"}', 'queued', 2, 8, 1767225613000000, null, null, 1, 'timeout', 1767225613000000, 1767225614000000);
insert into oauth_flows (tenant_id, flow_id, state_hash, purpose, provider, profile_id, profile_version, user_id, session_id, connection_id, verifier_sealed, redirect_uri, created_at, expires_at)
    values ('{tenant}', '22222222-0000-4000-8000-000000000009', x'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', 'calendar_connect', 'microsoft', '22222222-0000-4000-8000-000000000004', 3, '22222222-0000-4000-8000-000000000001', '22222222-0000-4000-8000-000000000003', null, 'v1.AAAAAAAA.dmVyaWZpZXI', 'https://daybind.example/api/auth/microsoft/calendar/callback', 1767225615000000, 1767226215000000);
insert into audit_log (tenant_id, audit_id, at, actor, action, subject, detail, request_id)
    values ('{tenant}', '22222222-0000-4000-8000-000000000010', 1767225616000000, '22222222-0000-4000-8000-000000000001', 'profile.created', 'microsoft_profile:x', '{"client_secret": "changed"}', 'req-1');
insert into google_clients (tenant_id, client_id, client_secret_sealed, client_secret_last4, version, updated_by, updated_at)
    values ('{tenant}', 'c.apps.googleusercontent.com', 'v1.AAAAAAAA.Z29vZ2xl', 'abcd', 1, '22222222-0000-4000-8000-000000000001', 1767225617000000);
insert into calendar_providers (tenant_id, connection_id, user_id, provider, account_id, account_email, calendar_id, calendar_name, status, status_reason, direction, profile_id, client_id, access_token_sealed, access_token_expires_at, refresh_token_sealed, cursor, cursor_window_start, cursor_window_end, last_sync_at, last_error, generation, version, created_at, updated_at)
    values ('{tenant}', '22222222-0000-4000-8000-000000000011', '22222222-0000-4000-8000-000000000001', 'microsoft', 'oid-1', 'ada@contoso.example', 'cal-1', 'Calendar', 'connected', null, 'bidirectional', '22222222-0000-4000-8000-000000000004', '33333333-0000-4000-8000-000000000001', 'v1.AAAAAAAA.YWNjZXNz', 1767229200000000, 'v1.AAAAAAAA.cmVmcmVzaA', 'delta-link', 1767225600000000, 1767325599000000, 1767225618000000, null, 1, 4, 1767225617000000, 1767225618000000);
insert into calendar_event_mappings (tenant_id, mapping_id, connection_id, entry_id, external_event_id, external_etag, external_ical_uid, state, generation, base, entry_version, error, attempts, created_at, updated_at)
    values ('{tenant}', '22222222-0000-4000-8000-000000000012', '22222222-0000-4000-8000-000000000011', '22222222-0000-4000-8000-000000000006', 'event-1', 'W/"1"', 'uid-1', 'synced', 0, '{"title": "Replace the switch"}', 2, null, 0, 1767225619000000, 1767225620000000);
insert into calendar_subscriptions (tenant_id, subscription_id, connection_id, provider, external_id, resource_id, secret_hash, state, expires_at, last_notified_at, created_at)
    values ('{tenant}', '22222222-0000-4000-8000-000000000013', '22222222-0000-4000-8000-000000000011', 'microsoft', 'sub-1', null, x'efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef', 'active', 1767232800000000, 1767225621000000, 1767225620000000);
