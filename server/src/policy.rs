//! Who may call what: one row for every address the server answers, except the edition's own (the Enterprise server has
//! a table of the same kind).
//!
//! The services check permissions themselves; this table says what they must decide, and the guard suite
//! (`test-support/guards`) holds every row against the running router: an address without a row fails, and so does a row
//! that says something else than the server does.
//!
//! # How to add a row
//! 1. A page is `page(path, who)`, a server function that only reads `read(path, who, form)`, one that changes something
//!    `write(path, who, form)`, a plain handler `form(path, who, form)`. A page with forms that can be refused has a
//!    second row, `again(path, who, form)`.
//! 2. `form` is a complete, valid example of what a browser sends, `name=value` joined by `&`, percent-encoded. Wherever
//!    an id goes, write `{table.column}`: `{microsoft_profiles.profile_id}` stands for the id of such a row of the
//!    caller's own tenant, and the suite also tries another tenant's and one that does not exist; all ids of the form
//!    are covered that way. Secrets are `{secret}`.
//!    A page's query is given the same way, with `.asked("entry={schedule_entries.entry_id}")`.
//! 3. Only Enterprise offers it: `.enterprise()`. It is limited in rate: `.limited(Rate::…)`.

use daybind_domain::user::Permission;

/// Who is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody, signed in or not.
    Everyone,
    /// People of the MSP; never client-portal users.
    Staff,
    /// People of the MSP who hold the permission.
    May(Permission),
}

/// What kind of address it is; decides what a refusal looks like and how forged requests are stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A page: read with GET. Signed out: 303 to sign-in. Client-portal user: 404.
    Page,
    /// A server function that changes nothing. POST; 401 and 403 as JSON; refused from other sites.
    Read,
    /// A server function that changes something. As [`Kind::Read`].
    Write,
    /// A plain handler behind a form. POST, refused from other sites.
    Form,
    /// A page that a refused form is brought to (`again.rs`): POST, refused from other sites, otherwise as [`Kind::Page`];
    /// asked with the same query. It changes nothing.
    Again,
    /// One of the four stable URLs: any method; proves itself by a state or a secret instead of an origin.
    Stable,
    /// A GET another site may lead to and that proves itself by a single-use state.
    Callback,
    /// A stream of server-sent events. GET; whoever is not let in is told in its first message that it is over.
    Stream,
    /// Health. GET, tells nothing about anybody.
    Probe,
}

/// Which editions offer it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offered {
    /// Both.
    Both,
    /// Enterprise only; Community refuses in the enterprise-only words.
    Enterprise,
}

/// How often it may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// Behind a session; no limit of its own.
    Session,
    /// Password tries: limited for each account and each address of origin.
    SignIn,
    /// Questions about login domains.
    Discovery,
    /// Ways back from an identity provider: those that fail are limited for each address of origin.
    WayBack,
    /// Changes of one's own password: limited for each person.
    Password,
    /// Look-ups in DNS: limited for each MSP.
    Dns,
    /// Notifications: merged into one pending job, whatever their number.
    Merged,
    /// Cheap and anonymous.
    Free,
}

/// One address.
#[derive(Debug, Clone, Copy)]
pub struct Endpoint {
    /// Path, as the router knows it.
    pub path: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Who is let in.
    pub access: Access,
    /// Where it is offered.
    pub offered: Offered,
    /// How often.
    pub rate: Rate,
    /// A valid example of what is sent: a form's body, or the query of a GET.
    pub form: &'static str,
}

impl Endpoint {
    const fn new(path: &'static str, kind: Kind, access: Access, form: &'static str) -> Self {
        let rate = match access {
            Access::Everyone => Rate::Free,
            Access::Staff | Access::May(_) => Rate::Session,
        };
        Self {
            path,
            kind,
            access,
            offered: Offered::Both,
            rate,
            form,
        }
    }

    /// Only Enterprise offers it.
    #[must_use]
    pub const fn enterprise(mut self) -> Self {
        self.offered = Offered::Enterprise;
        self
    }

    /// It is limited in rate.
    #[must_use]
    pub const fn limited(mut self, rate: Rate) -> Self {
        self.rate = rate;
        self
    }

    /// The query it may be asked with, as [`Endpoint::form`].
    #[must_use]
    pub const fn asked(mut self, query: &'static str) -> Self {
        self.form = query;
        self
    }

    /// The method it answers; `None` for every method.
    #[must_use]
    pub fn method(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Page | Kind::Callback | Kind::Stream | Kind::Probe => Some("GET"),
            Kind::Read | Kind::Write | Kind::Form | Kind::Again => Some("POST"),
            Kind::Stable => None,
        }
    }
}

/// A page.
#[must_use]
pub const fn page(path: &'static str, access: Access) -> Endpoint {
    Endpoint::new(path, Kind::Page, access, "")
}

/// A server function that only reads.
#[must_use]
pub const fn read(path: &'static str, access: Access, form: &'static str) -> Endpoint {
    Endpoint::new(path, Kind::Read, access, form)
}

/// A server function that changes something.
#[must_use]
pub const fn write(path: &'static str, access: Access, form: &'static str) -> Endpoint {
    Endpoint::new(path, Kind::Write, access, form)
}

/// A plain handler behind a form.
#[must_use]
pub const fn form(path: &'static str, access: Access, form: &'static str) -> Endpoint {
    Endpoint::new(path, Kind::Form, access, form)
}

/// A page that its refused forms are brought to.
#[must_use]
pub const fn again(path: &'static str, access: Access, form: &'static str) -> Endpoint {
    Endpoint::new(path, Kind::Again, access, form)
}

/// A GET that other sites lead to, proven by a single-use state.
#[must_use]
pub const fn callback(path: &'static str, access: Access) -> Endpoint {
    Endpoint::new(path, Kind::Callback, access, "")
}

/// A stream of server-sent events.
#[must_use]
pub const fn stream(path: &'static str, access: Access, query: &'static str) -> Endpoint {
    Endpoint::new(path, Kind::Stream, access, query)
}

const fn stable(path: &'static str, rate: Rate) -> Endpoint {
    Endpoint::new(path, Kind::Stable, Access::Everyone, "")
        .enterprise()
        .limited(rate)
}

const fn probe(path: &'static str) -> Endpoint {
    Endpoint::new(path, Kind::Probe, Access::Everyone, "")
}

use Access::{Everyone, May, Staff};
use Permission::{OwnProfile, ScheduleOwn, SettingsRead, SettingsUpdate};

/// Every address of the shared half.
pub const TABLE: &[Endpoint] = &[
    // Health.
    probe("/healthz"),
    probe("/readyz"),
    // The components, in debug builds.
    #[cfg(debug_assertions)]
    page(crate::gallery::PATH, Everyone),
    // The four stable URLs.
    stable("/api/auth/google/calendar/callback", Rate::Free),
    stable("/api/auth/microsoft/calendar/callback", Rate::Free),
    stable("/api/calendar/webhooks/google", Rate::Merged),
    stable("/api/calendar/webhooks/microsoft", Rate::Merged),
    // Sign-in.
    page("/auth/msp/signin", Everyone),
    form(
        "/auth/msp/signin",
        Everyone,
        "email=nobody%40example.test&password={secret}",
    )
    .limited(Rate::SignIn),
    form("/auth/msp/signout", Everyone, ""),
    form("/auth/msp/language", Everyone, "language=de&next=/msp/profile"),
    // Sign-in through Microsoft.
    form(
        "/auth/msp/discover",
        Everyone,
        "email=nobody%40example.test",
    ),
    form(
        "/auth/msp/microsoft",
        Everyone,
        "email=nobody%40example.test",
    )
    .limited(Rate::Discovery),
    read("/_fn/kept_sign_in_address", Everyone, ""),
    form("/auth/msp/connect", Staff, ""),
    callback("/api/auth/callback/azure-ad", Everyone)
        .asked("state=made-up&code=made-up")
        .limited(Rate::WayBack),
    page("/auth/msp/result", Everyone).asked("code=connected"),
    read("/_fn/sign_in_methods", May(OwnProfile), ""),
    write(
        "/_fn/disconnect_microsoft_account",
        May(OwnProfile),
        "identity_id={user_identities.identity_id}",
    ),
    read("/_fn/list_sign_in_requests", May(SettingsRead), ""),
    write(
        "/_fn/approve_sign_in_request",
        May(SettingsUpdate),
        "request_id={identity_requests.request_id}&user_id={users.user_id}",
    ),
    write(
        "/_fn/decline_sign_in_request",
        May(SettingsUpdate),
        "request_id={identity_requests.request_id}",
    ),
    // Pages.
    page("/msp/schedule", Staff).asked("entry={schedule_entries.entry_id}"),
    page("/msp/settings", May(SettingsRead))
        .asked("tab=integrations&category=providers&profile={microsoft_profiles.profile_id}"),
    page("/msp/profile", Staff).asked("tab=profile"),
    again(
        "/msp/schedule",
        Staff,
        "version=1&title=&start=&end=&assignees%5B%5D={users.user_id}",
    ),
    again(
        "/msp/settings",
        May(SettingsRead),
        "act=update&profile_id={microsoft_profiles.profile_id}&display_name=&client_secret={secret}",
    ),
    again(
        "/msp/profile",
        Staff,
        "current={secret}&new={secret}&repeated={secret}",
    ),
    // Session.
    stream("/_live", Staff, "once=1"),
    read("/_fn/current_session", Staff, ""),
    read(
        "/_fn/list_sessions",
        May(OwnProfile),
        "person={users.user_id}",
    ),
    write(
        "/_fn/end_session",
        May(OwnProfile),
        "session_id={sessions.session_id}",
    ),
    // Only the caller's own here: the suite's other people stay signed in.
    write("/_fn/end_other_sessions", May(OwnProfile), "person="),
    write(
        "/_fn/change_own_password",
        May(OwnProfile),
        "current={secret}&new=guard+horse+battery&repeated=guard+horse+battery",
    )
    .limited(Rate::Password),
    // Login domains, and who may use a password.
    read("/_fn/list_login_domains", May(SettingsRead), ""),
    write(
        "/_fn/add_login_domain",
        May(SettingsUpdate),
        "domain=guard.example.com",
    ),
    write(
        "/_fn/remove_login_domain",
        May(SettingsUpdate),
        "domain_id={msp_sso_login_domains.domain_id}",
    ),
    read(
        "/_fn/test_sign_in_address",
        May(SettingsRead),
        "address=ada%40guard.example.com",
    ),
    read("/_fn/list_domain_claims", May(SettingsRead), "").enterprise(),
    write(
        "/_fn/request_domain_claim",
        May(SettingsUpdate),
        "domain=claim.example.com",
    )
    .enterprise(),
    write(
        "/_fn/renew_domain_claim",
        May(SettingsUpdate),
        "domain_id={msp_sso_login_domains.domain_id}",
    )
    .enterprise(),
    write(
        "/_fn/check_domain_claim",
        May(SettingsUpdate),
        "domain_id={msp_sso_login_domains.domain_id}",
    )
    .enterprise()
    .limited(Rate::Dns),
    write(
        "/_fn/revoke_domain_claim",
        May(SettingsUpdate),
        "domain_id={msp_sso_login_domains.domain_id}&confirmed=yes",
    )
    .enterprise(),
    read("/_fn/get_password_rule", May(SettingsRead), ""),
    write(
        "/_fn/set_password_rule",
        May(SettingsUpdate),
        "technicians=yes",
    ),
    // Microsoft profiles and bindings.
    read("/_fn/list_microsoft_profiles", May(SettingsRead), ""),
    write(
        "/_fn/create_microsoft_profile",
        May(SettingsUpdate),
        "display_name=Guard&client_id=8f0f6b1c-0000-4000-8000-00000000000a&directory_id=11111111-1111-4111-8111-111111111111&client_secret={secret}",
    ),
    read(
        "/_fn/microsoft_profile_page",
        May(SettingsRead),
        "profile={microsoft_profiles.profile_id}",
    ),
    write(
        "/_fn/change_microsoft_profile",
        May(SettingsUpdate),
        "act=update&profile_id={microsoft_profiles.profile_id}&version=1&display_name=Guarded&client_id=8f0f6b1c-0000-4000-8000-00000000000a&directory_id=11111111-1111-4111-8111-111111111111",
    ),
    write(
        "/_fn/build_microsoft_profile",
        May(SettingsUpdate),
        "act=choose&consumers%5B%5D=msp_sso",
    ),
    write(
        "/_fn/set_microsoft_consumer_binding",
        May(SettingsUpdate),
        "consumer=msp_sso&profile_id={microsoft_profiles.profile_id}",
    ),
    read(
        "/_fn/list_microsoft_consumer_bindings",
        May(SettingsRead),
        "",
    ),
    read(
        "/_fn/list_rebind_choices",
        May(SettingsRead),
        "consumer=msp_sso",
    ),
    read(
        "/_fn/plan_rebind",
        May(SettingsRead),
        "consumer=msp_sso&to={microsoft_profiles.profile_id}",
    ),
    write(
        "/_fn/confirm_rebind",
        May(SettingsUpdate),
        "consumer=msp_sso&profile_id={microsoft_profiles.profile_id}&seen=unbound&note=Guard",
    ),
    write(
        "/_fn/undo_rebind",
        May(SettingsUpdate),
        "consumer=msp_sso&change=1",
    ),
    // The audit log.
    page("/msp/operations", May(SettingsRead)).asked("view=audit&actor={users.user_id}"),
    read(
        "/_fn/list_audit",
        May(SettingsRead),
        "query%5Baction%5D=binding.",
    ),
    form(
        "/msp/operations/audit.csv",
        May(SettingsRead),
        "action=binding.",
    ),
    read(
        "/_fn/list_calendar_activity",
        May(SettingsRead),
        "query%5Bconnection%5D={calendar_providers.connection_id}",
    )
    .enterprise(),
    read("/_fn/get_calendar_health", May(SettingsRead), "").enterprise(),
    form("/msp/operations/activity.csv", May(SettingsRead), "result=failed").enterprise(),
    form("/msp/settings/connections.csv", May(SettingsRead), "provider=google").enterprise(),
    // The search.
    page("/msp/search", Staff).asked("q={microsoft_profiles.profile_id}"),
    read("/_fn/search", May(OwnProfile), "q=guard"),
    // Schedule.
    read("/_fn/list_schedule", May(ScheduleOwn), "week="),
    read(
        "/_fn/get_schedule_entry",
        May(ScheduleOwn),
        "entry_id={schedule_entries.entry_id}",
    ),
    write(
        "/_fn/save_schedule_entry",
        May(ScheduleOwn),
        "entry_id={schedule_entries.entry_id}&version=1&title=Guard&start=2026-11-02T09%3A00&end=2026-11-02T10%3A00&assignees%5B0%5D={users.user_id}",
    ),
    write(
        "/_fn/delete_schedule_entry",
        May(ScheduleOwn),
        "entry_id={schedule_entries.entry_id}&version=1",
    ),
    // Calendar actions: the shared half only hands them on.
    read("/_fn/get_calendar_providers", May(OwnProfile), "").enterprise(),
    read("/_fn/get_calendar_settings", May(SettingsRead), "").enterprise(),
    write(
        "/_fn/initiate_calendar_oauth",
        May(OwnProfile),
        "provider=microsoft&connection_id={calendar_providers.connection_id}",
    )
    .enterprise(),
    read(
        "/_fn/list_remote_calendars",
        May(OwnProfile),
        "connection_id={calendar_providers.connection_id}",
    )
    .enterprise(),
    read(
        "/_fn/get_schedule_entry_history",
        May(ScheduleOwn),
        "entry_id={schedule_entries.entry_id}",
    )
    .enterprise(),
    read(
        "/_fn/get_schedule_entry_version",
        May(ScheduleOwn),
        "version_id={entry_edits.edit_id}",
    )
    .enterprise(),
    write(
        "/_fn/restore_schedule_entry_version",
        May(ScheduleOwn),
        "version_id={entry_edits.edit_id}&version=1",
    )
    .enterprise(),
    read(
        "/_fn/preview_calendar_sync",
        May(OwnProfile),
        "connection_id={calendar_providers.connection_id}",
    )
    .enterprise(),
    write(
        "/_fn/update_calendar_provider",
        May(OwnProfile),
        "connection_id={calendar_providers.connection_id}&direction=to_external",
    )
    .enterprise(),
    write(
        "/_fn/delete_calendar_provider",
        May(OwnProfile),
        "connection_id={calendar_providers.connection_id}",
    )
    .enterprise(),
    write(
        "/_fn/sync_calendar_provider",
        May(OwnProfile),
        "connection_id={calendar_providers.connection_id}",
    )
    .enterprise(),
    write(
        "/_fn/update_calendar_rules",
        May(OwnProfile),
        "connection_id={calendar_providers.connection_id}&conflict_policy=ask&deletion_policy=ask&import_rule=nothing",
    )
    .enterprise(),
    write(
        "/_fn/answer_calendar_question",
        May(OwnProfile),
        "connection_id={calendar_providers.connection_id}&question_id=deletions&part=all&choice=accept",
    )
    .enterprise(),
    read(
        "/_fn/get_calendar_conflict",
        May(OwnProfile),
        "conflict_id={calendar_conflicts.conflict_id}",
    )
    .enterprise(),
    read(
        "/_fn/preview_calendar_conflict",
        May(OwnProfile),
        "conflict_id={calendar_conflicts.conflict_id}&fingerprint=read&chosen=title:schedule",
    )
    .enterprise(),
    write(
        "/_fn/resolve_calendar_conflict",
        May(OwnProfile),
        "conflict_id={calendar_conflicts.conflict_id}&fingerprint=read&all=schedule",
    )
    .enterprise(),
    write(
        "/_fn/pause_calendar_provider",
        May(OwnProfile),
        "connection_id={calendar_providers.connection_id}&action=pause",
    )
    .enterprise(),
    read(
        "/_fn/get_calendar_connection",
        May(SettingsRead),
        "connection_id={calendar_providers.connection_id}",
    )
    .enterprise(),
    write(
        "/_fn/manage_calendar_connections",
        May(SettingsUpdate),
        "action=sync&connection_ids[]={calendar_providers.connection_id}",
    )
    .enterprise(),
    read("/_fn/list_own_calendar_conflicts", May(OwnProfile), "").enterprise(),
    write(
        "/_fn/answer_calendar_conflicts",
        May(OwnProfile),
        "side=schedule&seen[]={calendar_conflicts.conflict_id}:read",
    )
    .enterprise(),
    read("/_fn/list_calendar_conflicts", May(SettingsRead), "page=1").enterprise(),
    read("/_fn/get_google_client", May(SettingsRead), "").enterprise(),
    write(
        "/_fn/save_google_client",
        May(SettingsUpdate),
        "client_id=guard-client&client_secret={secret}",
    )
    .enterprise(),
];
