-- In which of Microsoft's clouds an app registration is, and with it what it issued. What there is so far is global.

alter table microsoft_profiles
    add column cloud text not null default 'global' check (cloud in ('global', 'us_gov_high', 'us_gov_dod', 'china'));
alter table calendar_providers
    add column cloud text not null default 'global' check (cloud in ('global', 'us_gov_high', 'us_gov_dod', 'china'));
alter table microsoft_consumer_grants
    add column cloud text not null default 'global' check (cloud in ('global', 'us_gov_high', 'us_gov_dod', 'china'));
