-- One MSP for each state that an import must tell apart. Ids: …a1 is the first MSP, …b11 its first profile.

insert into tenants values
    ('00000000-0000-4000-8000-0000000000a1', 'Alpha, one default', 'office@alpha.example'),
    ('00000000-0000-4000-8000-0000000000a2', 'Bravo, no profiles', 'office@bravo.example'),
    ('00000000-0000-4000-8000-0000000000a3', 'Charlie, several profiles', 'office@charlie.example'),
    ('00000000-0000-4000-8000-0000000000a4', 'Delta, explicit', 'office@delta.example'),
    ('00000000-0000-4000-8000-0000000000a5', 'Echo, another''s profile', 'office@echo.example'),
    ('00000000-0000-4000-8000-0000000000a6', 'Foxtrot, invalid ids', 'office@foxtrot.example'),
    ('00000000-0000-4000-8000-0000000000a7', 'Golf, default not in use', 'office@golf.example');

insert into microsoft_profiles
    (tenant, profile_id, display_name, display_name_normalized, client_id, tenant_id, client_secret_ref, is_default,
     is_archived, archived_at)
values
    ('00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-000000000b11', 'Alpha main', 'alpha main',
     '11111111-1111-4111-8111-111111111111', 'alpha.onmicrosoft.com', 'microsoft_profile_b11_client_secret', true, false, null),
    ('00000000-0000-4000-8000-0000000000a3', '00000000-0000-4000-8000-000000000b31', 'Charlie one', 'charlie one',
     '33333333-3333-4333-8333-333333333331', 'charlie.example', 'microsoft_profile_b31_client_secret', true, false, null),
    ('00000000-0000-4000-8000-0000000000a3', '00000000-0000-4000-8000-000000000b32', 'Charlie two', 'charlie two',
     '33333333-3333-4333-8333-333333333332', 'charlie.example', 'microsoft_profile_b32_client_secret', false, false, null),
    ('00000000-0000-4000-8000-0000000000a4', '00000000-0000-4000-8000-000000000b41', 'Delta main', 'delta main',
     '44444444-4444-4444-8444-444444444441', 'delta.example', 'microsoft_profile_b41_client_secret', true, false, null),
    ('00000000-0000-4000-8000-0000000000a4', '00000000-0000-4000-8000-000000000b42', 'Delta old', 'delta old',
     '44444444-4444-4444-8444-444444444442', 'delta.example', 'microsoft_profile_b42_client_secret', false, true,
     '2026-02-01 08:00:00Z'),
    ('00000000-0000-4000-8000-0000000000a6', '00000000-0000-4000-8000-000000000b61', 'Foxtrot typo', 'foxtrot typo',
     'not-an-id', 'foxtrot.example', 'microsoft_profile_b61_client_secret', true, false, null),
    ('00000000-0000-4000-8000-0000000000a6', '00000000-0000-4000-8000-000000000b62', 'Foxtrot common', 'foxtrot common',
     '66666666-6666-4666-8666-666666666662', 'common', 'microsoft_profile_b62_client_secret', false, false, null),
    ('00000000-0000-4000-8000-0000000000a7', '00000000-0000-4000-8000-000000000b71', 'Golf main', 'golf main',
     '77777777-7777-4777-8777-777777777771', 'golf.example', 'microsoft_profile_b71_client_secret', true, false, null);

insert into microsoft_profile_consumer_bindings (tenant, consumer_type, profile_id) values
    ('00000000-0000-4000-8000-0000000000a4', 'msp_sso', '00000000-0000-4000-8000-000000000b41'),
    ('00000000-0000-4000-8000-0000000000a4', 'email', '00000000-0000-4000-8000-000000000b41'),
    ('00000000-0000-4000-8000-0000000000a4', 'calendar', '00000000-0000-4000-8000-000000000b42'),
    ('00000000-0000-4000-8000-0000000000a5', 'msp_sso', '00000000-0000-4000-8000-000000000b41'),
    ('00000000-0000-4000-8000-0000000000a6', 'msp_sso', '00000000-0000-4000-8000-000000000b61');

insert into msp_sso_tenant_login_domains (tenant, id, domain, is_active, claim_status) values
    ('00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-000000000d11', 'Alpha.example', true, 'verified_legacy'),
    ('00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-000000000d12', 'shared.example', true, 'advisory'),
    ('00000000-0000-4000-8000-0000000000a3', '00000000-0000-4000-8000-000000000d31', 'charlie.example', true, 'advisory'),
    ('00000000-0000-4000-8000-0000000000a3', '00000000-0000-4000-8000-000000000d32', 'shared.example', true, 'advisory'),
    ('00000000-0000-4000-8000-0000000000a5', '00000000-0000-4000-8000-000000000d51', 'echo.example', false, 'advisory'),
    ('00000000-0000-4000-8000-0000000000a7', '00000000-0000-4000-8000-000000000d71', 'golf.example', true, 'revoked');
