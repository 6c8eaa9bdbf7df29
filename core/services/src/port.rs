//! The port behind which calendar sync lives (PRD, "CE Stub And EE Delegation Pattern").
//!
//! The Community entry plugs in [`CommunityPort`], which answers "enterprise only" before it reads anything; the
//! Enterprise entry plugs in the real one. Shared code knows this trait and nothing else.

use std::pin::Pin;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use daybind_domain::activity::{ActivityPageView, ActivityQuery, HealthView};
use daybind_domain::bindings::ImpactLine;
use daybind_domain::conflict_preview::{
    ConflictPreviewView, ConflictsAnswer, ConflictsAnswered, OwnConflictsQuery, OwnConflictsView,
};
use daybind_domain::conflict_view::{ConflictAnswer, ConflictInboxView, ConflictView};
use daybind_domain::connection_view::{
    ConnectionDetailView, ManageConnections, ManagedConnections,
};
use daybind_domain::ids::{EntryId, TenantId, UserId};
use daybind_domain::version_view::EntryVersionView;
use daybind_domain::view::{
    CalendarProfileView, CalendarRulesView, CalendarSettingsView, CoverageQuery, EntryHistoryView,
    GoogleClientView, RemoteCalendarView, SyncMark, SyncPreview,
};
use daybind_domain::{AppError, CALENDAR_ENTERPRISE_ONLY, Consumer, Edition};
use daybind_storage::UnitOfWork;
use futures::stream::Stream;
use serde::{Deserialize, Serialize};

use crate::auth::Actor;
use crate::bindings::App;
use crate::failure::AppResult;
use crate::import::{ImportPort, LeftForEnterprise};
use crate::search::{Found, Wanted};

/// A calendar provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// Google Calendar.
    Google,
    /// Microsoft 365 / Outlook.
    Microsoft,
}

impl Provider {
    /// The stored name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Google => "google",
            Self::Microsoft => "microsoft",
        }
    }

    /// Reads the stored name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Google, Self::Microsoft]
            .into_iter()
            .find(|p| p.as_str() == text)
    }
}

/// One of the four stable public URLs (PRD, "Stable Routes And Addressable Boundaries").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StableRoute {
    /// `GET /api/auth/{provider}/calendar/callback`
    Callback(Provider),
    /// `POST /api/calendar/webhooks/{provider}`
    Webhook(Provider),
}

impl StableRoute {
    /// All four.
    pub const ALL: [Self; 4] = [
        Self::Callback(Provider::Google),
        Self::Callback(Provider::Microsoft),
        Self::Webhook(Provider::Google),
        Self::Webhook(Provider::Microsoft),
    ];

    /// The path.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Callback(Provider::Google) => "/api/auth/google/calendar/callback",
            Self::Callback(Provider::Microsoft) => "/api/auth/microsoft/calendar/callback",
            Self::Webhook(Provider::Google) => "/api/calendar/webhooks/google",
            Self::Webhook(Provider::Microsoft) => "/api/calendar/webhooks/microsoft",
        }
    }
}

/// What a schedule change touched; handed to the port inside the transaction that makes the change.
#[derive(Debug, Clone)]
pub struct EntryChange {
    /// Whose.
    pub tenant_id: TenantId,
    /// Which entry.
    pub entry_id: EntryId,
    /// Assignees before and after, each once.
    pub people: Vec<UserId>,
    /// Who made it, where a person did.
    pub by: Option<UserId>,
    /// Since when the entry had said before what it says again, where an earlier version was restored.
    pub restored: Option<DateTime<Utc>>,
}

/// Lines of a file, in pieces as they are read. A failure is an error of the stream, so that a download never ends as if it
/// were whole.
pub type Lines = Pin<Box<dyn Stream<Item = AppResult<String>> + Send>>;

/// Everything the shared half asks of calendar sync. Actions carry the names of the stable action contract.
#[async_trait]
pub trait CalendarPort: Send + Sync + 'static {
    /// Serves one of the four stable URLs: any method, the request untouched.
    async fn serve(&self, route: StableRoute, request: Request<Body>) -> Response;

    /// Called in the transaction of every schedule change; queues what must go out.
    async fn entry_changed(&self, unit: &mut dyn UnitOfWork, change: &EntryChange)
    -> AppResult<()>;

    /// What binding an Enterprise consumer to `to` (`None`: unbinding it) would do, counted and named. Changes nothing.
    async fn rebind_impact(
        &self,
        unit: &mut dyn UnitOfWork,
        tenant_id: TenantId,
        consumer: Consumer,
        to: Option<&App>,
    ) -> AppResult<Vec<ImpactLine>>;

    /// Called in the transaction that binds an Enterprise consumer to `to` (`None`: unbinds it): marks what another app
    /// registration issued, and revives what this one did. Returns what [`Self::rebind_undone`] needs.
    async fn consumer_rebound(
        &self,
        unit: &mut dyn UnitOfWork,
        tenant_id: TenantId,
        consumer: Consumer,
        to: Option<&App>,
    ) -> AppResult<serde_json::Value>;

    /// Called in the transaction that takes a change back to `to`: puts back what [`Self::consumer_rebound`] marked and
    /// nobody has touched since.
    async fn rebind_undone(
        &self,
        unit: &mut dyn UnitOfWork,
        tenant_id: TenantId,
        consumer: Consumer,
        to: Option<&App>,
        memo: &serde_json::Value,
    ) -> AppResult<()>;

    /// Secret or ids of a profile were changed and may be right now: whoever waited for that goes on.
    async fn profile_changed(&self, _tenant_id: TenantId) -> AppResult<()> {
        Ok(())
    }

    /// Called by every server once a minute; safe beside the same call on other servers.
    async fn housekeep(&self) -> AppResult<()> {
        Ok(())
    }

    /// The Enterprise half of an import from a predecessor.
    fn import(&self) -> &dyn ImportPort {
        &LeftForEnterprise
    }

    /// What the edition adds to a search, of what the caller may see: all of its pages and of what can be done there, and the
    /// records that are wanted.
    async fn search(&self, _actor: &Actor, _wanted: &Wanted) -> AppResult<Found> {
        Ok(Found::default())
    }

    /// The marks that [`Self::get_schedule_entry_sync_status`] gives, each once with its usual reason; none where there are no
    /// marks.
    fn marks(&self) -> Vec<SyncMark> {
        Vec::new()
    }

    /// How entries stand with their assignees' calendars; `None` for each where marks do not exist.
    async fn get_schedule_entry_sync_status(
        &self,
        actor: &Actor,
        entries: &[EntryId],
    ) -> AppResult<Vec<Option<SyncMark>>>;

    /// What happened to an entry the caller may see, and why.
    async fn get_schedule_entry_history(
        &self,
        actor: &Actor,
        entry_id: &str,
    ) -> AppResult<EntryHistoryView>;

    /// What restoring an earlier version of an entry would do, for who may change it.
    async fn get_schedule_entry_version(
        &self,
        actor: &Actor,
        version_id: &str,
    ) -> AppResult<EntryVersionView>;

    /// Restores an earlier version of an entry that still is as it was read: of `version`, at `read_at` (RFC 3339). `Conflict`
    /// otherwise, with what happened since. The entry's id.
    async fn restore_schedule_entry_version(
        &self,
        actor: &Actor,
        version_id: &str,
        read: (i64, &str),
    ) -> AppResult<String>;

    /// The caller's own connections and what can be connected.
    async fn get_calendar_providers(&self, actor: &Actor) -> AppResult<CalendarProfileView>;

    /// The tenant's connections (`system_settings:read`).
    async fn get_calendar_settings(
        &self,
        actor: &Actor,
        query: &CoverageQuery,
    ) -> AppResult<CalendarSettingsView>;

    /// Starts an OAuth round trip; the URL to send the browser to. `connection_id` reconnects an existing connection.
    async fn initiate_calendar_oauth(
        &self,
        actor: &Actor,
        provider: &str,
        connection_id: Option<&str>,
    ) -> AppResult<String>;

    /// The calendars the connected account offers.
    async fn list_remote_calendars(
        &self,
        actor: &Actor,
        connection_id: &str,
    ) -> AppResult<Vec<RemoteCalendarView>>;

    /// What the next sync of one's own connection would do; before its first one, with this calendar and direction.
    async fn preview_calendar_sync(
        &self,
        actor: &Actor,
        connection_id: &str,
        calendar_id: Option<&str>,
        direction: Option<&str>,
    ) -> AppResult<SyncPreview>;

    /// Chooses the calendar and direction of one's own connection; queues the first sync.
    async fn update_calendar_provider(
        &self,
        actor: &Actor,
        connection_id: &str,
        calendar_id: Option<&str>,
        direction: Option<&str>,
    ) -> AppResult<()>;

    /// Disconnects; with `remove_copies`, what Daybind created in the calendar is removed there too.
    async fn delete_calendar_provider(
        &self,
        actor: &Actor,
        connection_id: &str,
        remove_copies: bool,
    ) -> AppResult<()>;

    /// Queues a sync of one's own connection now.
    async fn sync_calendar_provider(&self, actor: &Actor, connection_id: &str) -> AppResult<()>;

    /// Pauses one's own connection (`pause`, for so many hours or until it is resumed), or resumes it (`resume`).
    async fn pause_calendar_provider(
        &self,
        actor: &Actor,
        connection_id: &str,
        action: &str,
        hours: &str,
    ) -> AppResult<()>;

    /// One connection of the tenant, with how it is (`system_settings:read`).
    async fn get_calendar_connection(
        &self,
        actor: &Actor,
        connection_id: &str,
    ) -> AppResult<ConnectionDetailView>;

    /// What sync did, a page at a time (`system_settings:read`).
    async fn list_calendar_activity(
        &self,
        actor: &Actor,
        query: &ActivityQuery,
    ) -> AppResult<ActivityPageView>;

    /// What needs a person, and how sync is (`system_settings:read`).
    async fn get_calendar_health(&self, actor: &Actor) -> AppResult<HealthView>;

    /// What sync did as lines of a CSV file (`system_settings:read`).
    async fn export_calendar_activity(
        &self,
        actor: &Actor,
        query: &ActivityQuery,
    ) -> AppResult<Lines>;

    /// The tenant's connections as lines of a CSV file (`system_settings:read`).
    async fn export_calendar_connections(
        &self,
        actor: &Actor,
        query: &CoverageQuery,
    ) -> AppResult<Lines>;

    /// Syncs, pauses, resumes or reads again the tenant's connections, one or many (`system_settings:update`).
    async fn manage_calendar_connections(
        &self,
        actor: &Actor,
        wish: &ManageConnections,
    ) -> AppResult<ManagedConnections>;

    /// Says what a connection of one's own does where both sides disagree, and what it brings in.
    async fn update_calendar_rules(
        &self,
        actor: &Actor,
        connection_id: &str,
        rules: &CalendarRulesView,
    ) -> AppResult<()>;

    /// Answers a question of one's own connection: `part` is one of its parts or `all`.
    async fn answer_calendar_question(
        &self,
        actor: &Actor,
        connection_id: &str,
        question_id: &str,
        part: &str,
        choice: &str,
    ) -> AppResult<()>;

    /// One disagreement of a connection of one's own, with everything to choose from.
    async fn get_calendar_conflict(
        &self,
        actor: &Actor,
        conflict_id: &str,
    ) -> AppResult<ConflictView>;

    /// What both sides would say after that answer; refused as the answer would be.
    async fn preview_calendar_conflict(
        &self,
        actor: &Actor,
        conflict_id: &str,
        answer: &ConflictAnswer,
    ) -> AppResult<ConflictPreviewView>;

    /// Settles a disagreement of a connection of one's own as a whole; `Conflict` when a side changed since it was read.
    async fn resolve_calendar_conflict(
        &self,
        actor: &Actor,
        conflict_id: &str,
        answer: &ConflictAnswer,
    ) -> AppResult<()>;

    /// The open disagreements about fields of connections of one's own, or what one answer to those picked would do.
    async fn list_own_calendar_conflicts(
        &self,
        actor: &Actor,
        query: &OwnConflictsQuery,
    ) -> AppResult<OwnConflictsView>;

    /// Takes one side for several of them, each by itself; one that changed since it was read is left alone.
    async fn answer_calendar_conflicts(
        &self,
        actor: &Actor,
        answer: &ConflictsAnswer,
    ) -> AppResult<ConflictsAnswered>;

    /// A page of the open conflicts of all people, without anything that their calendars say (`system_settings:read`).
    async fn list_calendar_conflicts(
        &self,
        actor: &Actor,
        page: &str,
    ) -> AppResult<ConflictInboxView>;

    /// The tenant's Google client, without its secret (`system_settings:read`).
    async fn get_google_client(&self, actor: &Actor) -> AppResult<GoogleClientView>;

    /// Stores the tenant's Google client (`system_settings:update`); an empty secret keeps the stored one.
    async fn save_google_client(
        &self,
        actor: &Actor,
        client_id: &str,
        client_secret: &str,
    ) -> AppResult<()>;

    /// Job kinds this port handles; none in Community, so that none is ever claimed.
    fn job_kinds(&self) -> &'static [&'static str];

    /// Runs one job this worker holds and says how it ended. Must not outlive the lease.
    async fn run_job(&self, job: &daybind_storage::ClaimedJob) -> daybind_storage::FinishJob;

    /// Queues the periodic work of every connection once, at start.
    async fn start(&self) -> AppResult<()>;
}

/// The Community edition's port: refuses, in the same words everywhere, before anything is read.
#[derive(Debug, Clone, Copy, Default)]
pub struct CommunityPort;

/// The 501 answer of a stable route in the Community edition.
#[must_use]
pub fn enterprise_only_response() -> Response {
    let body = format!("{{\"success\":false,\"error\":\"{CALENDAR_ENTERPRISE_ONLY}\"}}");
    (
        StatusCode::NOT_IMPLEMENTED,
        [(header::CONTENT_TYPE, "application/json")],
        body,
    )
        .into_response()
}

#[async_trait]
impl CalendarPort for CommunityPort {
    async fn serve(&self, route: StableRoute, _request: Request<Body>) -> Response {
        tracing::info!(
            owner = "ce_stub",
            route = route.path(),
            "enterprise-only route refused"
        );
        enterprise_only_response()
    }

    async fn entry_changed(
        &self,
        _unit: &mut dyn UnitOfWork,
        _change: &EntryChange,
    ) -> AppResult<()> {
        Ok(())
    }

    async fn rebind_impact(
        &self,
        _unit: &mut dyn UnitOfWork,
        _tenant_id: TenantId,
        _consumer: Consumer,
        _to: Option<&App>,
    ) -> AppResult<Vec<ImpactLine>> {
        Err(AppError::enterprise_only())
    }

    async fn consumer_rebound(
        &self,
        _unit: &mut dyn UnitOfWork,
        _tenant_id: TenantId,
        _consumer: Consumer,
        _to: Option<&App>,
    ) -> AppResult<serde_json::Value> {
        Err(AppError::enterprise_only())
    }

    async fn rebind_undone(
        &self,
        _unit: &mut dyn UnitOfWork,
        _tenant_id: TenantId,
        _consumer: Consumer,
        _to: Option<&App>,
        _memo: &serde_json::Value,
    ) -> AppResult<()> {
        Err(AppError::enterprise_only())
    }

    async fn get_schedule_entry_sync_status(
        &self,
        _actor: &Actor,
        entries: &[EntryId],
    ) -> AppResult<Vec<Option<SyncMark>>> {
        Ok(vec![None; entries.len()])
    }

    async fn get_schedule_entry_history(
        &self,
        _actor: &Actor,
        _entry_id: &str,
    ) -> AppResult<EntryHistoryView> {
        Err(AppError::enterprise_only())
    }

    async fn get_schedule_entry_version(
        &self,
        _actor: &Actor,
        _version_id: &str,
    ) -> AppResult<EntryVersionView> {
        Err(AppError::enterprise_only())
    }

    async fn restore_schedule_entry_version(
        &self,
        _actor: &Actor,
        _version_id: &str,
        _read: (i64, &str),
    ) -> AppResult<String> {
        Err(AppError::enterprise_only())
    }

    async fn get_calendar_providers(&self, _actor: &Actor) -> AppResult<CalendarProfileView> {
        Err(AppError::enterprise_only())
    }

    async fn get_calendar_settings(
        &self,
        _actor: &Actor,
        _query: &CoverageQuery,
    ) -> AppResult<CalendarSettingsView> {
        Err(AppError::enterprise_only())
    }

    async fn initiate_calendar_oauth(
        &self,
        _actor: &Actor,
        _provider: &str,
        _connection_id: Option<&str>,
    ) -> AppResult<String> {
        Err(AppError::enterprise_only())
    }

    async fn list_remote_calendars(
        &self,
        _actor: &Actor,
        _connection_id: &str,
    ) -> AppResult<Vec<RemoteCalendarView>> {
        Err(AppError::enterprise_only())
    }

    async fn preview_calendar_sync(
        &self,
        _actor: &Actor,
        _connection_id: &str,
        _calendar_id: Option<&str>,
        _direction: Option<&str>,
    ) -> AppResult<SyncPreview> {
        Err(AppError::enterprise_only())
    }

    async fn update_calendar_provider(
        &self,
        _actor: &Actor,
        _connection_id: &str,
        _calendar_id: Option<&str>,
        _direction: Option<&str>,
    ) -> AppResult<()> {
        Err(AppError::enterprise_only())
    }

    async fn delete_calendar_provider(
        &self,
        _actor: &Actor,
        _connection_id: &str,
        _remove_copies: bool,
    ) -> AppResult<()> {
        Err(AppError::enterprise_only())
    }

    async fn sync_calendar_provider(&self, _actor: &Actor, _connection_id: &str) -> AppResult<()> {
        Err(AppError::enterprise_only())
    }

    async fn pause_calendar_provider(
        &self,
        _actor: &Actor,
        _connection_id: &str,
        _action: &str,
        _hours: &str,
    ) -> AppResult<()> {
        Err(AppError::enterprise_only())
    }

    async fn get_calendar_connection(
        &self,
        _actor: &Actor,
        _connection_id: &str,
    ) -> AppResult<ConnectionDetailView> {
        Err(AppError::enterprise_only())
    }

    async fn list_calendar_activity(
        &self,
        _actor: &Actor,
        _query: &ActivityQuery,
    ) -> AppResult<ActivityPageView> {
        Err(AppError::enterprise_only())
    }

    async fn get_calendar_health(&self, _actor: &Actor) -> AppResult<HealthView> {
        Err(AppError::enterprise_only())
    }

    async fn export_calendar_activity(
        &self,
        _actor: &Actor,
        _query: &ActivityQuery,
    ) -> AppResult<Lines> {
        Err(AppError::enterprise_only())
    }

    async fn export_calendar_connections(
        &self,
        _actor: &Actor,
        _query: &CoverageQuery,
    ) -> AppResult<Lines> {
        Err(AppError::enterprise_only())
    }

    async fn manage_calendar_connections(
        &self,
        _actor: &Actor,
        _wish: &ManageConnections,
    ) -> AppResult<ManagedConnections> {
        Err(AppError::enterprise_only())
    }

    async fn update_calendar_rules(
        &self,
        _actor: &Actor,
        _connection_id: &str,
        _rules: &CalendarRulesView,
    ) -> AppResult<()> {
        Err(AppError::enterprise_only())
    }

    async fn answer_calendar_question(
        &self,
        _actor: &Actor,
        _connection_id: &str,
        _question_id: &str,
        _part: &str,
        _choice: &str,
    ) -> AppResult<()> {
        Err(AppError::enterprise_only())
    }

    async fn get_calendar_conflict(
        &self,
        _actor: &Actor,
        _conflict_id: &str,
    ) -> AppResult<ConflictView> {
        Err(AppError::enterprise_only())
    }

    async fn preview_calendar_conflict(
        &self,
        _actor: &Actor,
        _conflict_id: &str,
        _answer: &ConflictAnswer,
    ) -> AppResult<ConflictPreviewView> {
        Err(AppError::enterprise_only())
    }

    async fn resolve_calendar_conflict(
        &self,
        _actor: &Actor,
        _conflict_id: &str,
        _answer: &ConflictAnswer,
    ) -> AppResult<()> {
        Err(AppError::enterprise_only())
    }

    async fn list_own_calendar_conflicts(
        &self,
        _actor: &Actor,
        _query: &OwnConflictsQuery,
    ) -> AppResult<OwnConflictsView> {
        Err(AppError::enterprise_only())
    }

    async fn answer_calendar_conflicts(
        &self,
        _actor: &Actor,
        _answer: &ConflictsAnswer,
    ) -> AppResult<ConflictsAnswered> {
        Err(AppError::enterprise_only())
    }

    async fn list_calendar_conflicts(
        &self,
        _actor: &Actor,
        _page: &str,
    ) -> AppResult<ConflictInboxView> {
        Err(AppError::enterprise_only())
    }

    async fn get_google_client(&self, _actor: &Actor) -> AppResult<GoogleClientView> {
        Err(AppError::enterprise_only())
    }

    async fn save_google_client(
        &self,
        _actor: &Actor,
        _client_id: &str,
        _client_secret: &str,
    ) -> AppResult<()> {
        Err(AppError::enterprise_only())
    }

    fn job_kinds(&self) -> &'static [&'static str] {
        &[]
    }

    async fn run_job(&self, _job: &daybind_storage::ClaimedJob) -> daybind_storage::FinishJob {
        daybind_storage::FinishJob::Dead {
            error: "enterprise_only".to_owned(),
        }
    }

    async fn start(&self) -> AppResult<()> {
        tracing::info!(
            edition = Edition::Community.as_str(),
            "calendar sync is not part of this edition"
        );
        Ok(())
    }
}
