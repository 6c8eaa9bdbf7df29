//! The Enterprise implementation of the calendar port.

use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::Request;
use axum::response::Response;
use chrono::{DateTime, Duration, Utc};
use daybind_domain::Consumer;
use daybind_domain::activity::{ActivityPageView, ActivityQuery, HealthView};
use daybind_domain::bindings::ImpactLine;
use daybind_domain::conflict_preview::{
    ConflictPreviewView, ConflictsAnswer, ConflictsAnswered, OwnConflictsQuery, OwnConflictsView,
};
use daybind_domain::conflict_view::{ConflictAnswer, ConflictInboxView, ConflictView};
use daybind_domain::connection_view::{
    ConnectionDetailView, ManageConnections, ManagedConnections,
};
use daybind_domain::ids::{ConnectionId, EntryId, TenantId};
use daybind_domain::version_view::EntryVersionView;
use daybind_domain::view::{
    CalendarProfileView, CalendarRulesView, CalendarSettingsView, CoverageQuery, EntryHistoryView,
    GoogleClientView, RemoteCalendarView, SyncMark, SyncPreview,
};
use daybind_ee_storage::{Connection, Failing, calendar};
use daybind_services::bindings::App;
use daybind_services::import::ImportPort;
use daybind_services::jobs::backoff;
use daybind_services::port::enterprise_only_response;
use daybind_services::search::{Found, Wanted};
use daybind_services::{
    Actor, AppError, AppResult, CalendarPort, EntryChange, Lines, Provider, Services, StableRoute,
    internal,
};
use daybind_storage::{ClaimedJob, FinishJob, Scope, StorageError, UnitOfWork};
use tracing::Instrument as _;

use crate::activity::Run;
use crate::engine::Engine;
use crate::history::{self, Looked};
use crate::import::CalendarImport;
use crate::intake::Intake;
use crate::limits::{Allowed, Usage};
use crate::provider::ProviderError;
use crate::retry::{LOOK, Verdict};
use crate::tokens::{Stop, change};
use crate::{
    actions, callback, chooser, coverage, detail, disconnect, health, inbox, manage, many, oauth,
    places, preview, questions, rebind, retry, runs, search, subscribe, sync, timeline, versions,
    views, webhook,
};

/// Within this time of a start every calendar is looked at, where they are few.
const SOON: Duration = Duration::seconds(10);
const KINDS: [&str; 3] = [sync::JOB, subscribe::JOB, disconnect::JOB];
/// Until a job looks again for a place at a mailbox that several connections share.
const BUSY: Duration = Duration::seconds(1);
/// Polling underneath push notifications.
const WITH_PUSH: Duration = Duration::minutes(5);
/// Polling without them, from the first to the second.
const WITHOUT_PUSH: (Duration, Duration) = (Duration::seconds(60), Duration::minutes(10));

/// Calendar sync.
#[derive(Clone)]
pub struct CalendarRuntime {
    engine: Engine,
    intake: Intake,
    pruned: Arc<Looked>,
}

impl CalendarRuntime {
    /// Over the shared means; the endpoints must have been registered.
    #[must_use]
    pub fn new(services: Services) -> Self {
        Self::with_engine(Engine::new(services))
    }

    /// Over the shared means, with what the environment says.
    ///
    /// # Errors
    /// What to say to the operator about a variable that cannot be read.
    pub fn from_env(
        services: Services,
        get: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let mut engine = Engine::new(services);
        engine.keep_activity = history::kept(get)?;
        engine.usage = Arc::new(Usage::new(Allowed::from_env(get)?));
        Ok(Self::with_engine(engine))
    }

    /// With another engine than production's: tests replace providers, ids and what happens at the declared points.
    #[must_use]
    pub fn with_engine(engine: Engine) -> Self {
        let intake = Intake::new(engine.clone());
        Self {
            engine,
            intake,
            pruned: Arc::default(),
        }
    }

    /// An Enterprise binary lowered to Community refuses like Community does.
    fn open(&self) -> AppResult<&Engine> {
        if self.engine.edition.calendar_available() {
            Ok(&self.engine)
        } else {
            Err(AppError::enterprise_only())
        }
    }

    async fn sync(&self, job: &ClaimedJob, id: ConnectionId) -> FinishJob {
        let now = self.engine.now();
        let mut found = sync::find(&self.engine, job.tenant_id, id).await;
        if found
            .as_ref()
            .is_ok_and(|(row, _)| manage::is_over(row, now))
        {
            found = match manage::end_of_pause(&self.engine, job.tenant_id, id).await {
                Ok(_) => sync::find(&self.engine, job.tenant_id, id).await,
                Err(stop) => Err(stop),
            };
        }
        let cause = cause(job, found.as_ref().ok().map(|(row, _)| row), now);
        let in_step = found.as_ref().ok().and_then(|(row, _)| {
            // A connection that was never in step finds everything new.
            row.last_sync_at.map(|_| row.created_at)
        });
        let run = Run::begin((job.tenant_id, id), self.engine.next_id(), cause, now)
            .in_step_since(in_step);
        // By this a line of the log is found that the activity points to.
        let span = tracing::info_span!("sync", run = %run.run_id, connection = %id, cause);
        let ended = match found {
            Ok(found) => {
                let whose = found.0.clone();
                let work = Box::pin(sync::run(&self.engine, job, found, &run));
                places::for_job(&self.engine, &whose, work)
                    .instrument(span.clone())
                    .await
            }
            Err(stop) => Err(stop),
        };
        let end = match &ended {
            Ok(()) => "done",
            Err(Stop::Idle) => "idle",
            Err(Stop::Held(_)) => "held",
            Err(Stop::Busy) => "busy",
            Err(Stop::Provider(
                ProviderError::Throttled { .. } | ProviderError::Exhausted { .. },
            )) => "throttled",
            Err(Stop::Provider(_)) => "provider",
            Err(Stop::Reconnect(_)) => "reconnect",
            Err(Stop::Operator(_)) => "operator",
            Err(Stop::Brake { .. }) => "brake",
            Err(Stop::Fenced) => "fenced",
            Err(Stop::Storage(_) | Stop::Internal(_)) => "internal",
        };
        metrics::counter!("daybind_sync_runs_total", "cause" => cause, "end" => end).increment(1);
        let stop = match ended {
            // A pause that ends by itself needs somebody to notice that it does.
            Err(Stop::Idle) => return self.resting(job.tenant_id, id).await,
            Ok(()) if run.left().is_some() => {
                return FinishJob::Retry {
                    at: now + backoff(run.left().unwrap_or(1), None),
                    error: "entries".to_owned(),
                };
            }
            Ok(()) => match self.next_poll(&run).await {
                Ok(at) if cause == "notification" => {
                    let rest = self.engine.now() + sync::BREATH;
                    return FinishJob::Rested { at, rest };
                }
                Ok(at) => return FinishJob::Again(at),
                Err(stop) => stop,
            },
            Err(stop) => stop,
        };
        self.stopped(job, id, stop, &run).instrument(span).await
    }

    /// How the job of a connection that does not sync ends: with its pause, where that has an end.
    async fn resting(&self, tenant_id: TenantId, id: ConnectionId) -> FinishJob {
        match sync::find(&self.engine, tenant_id, id).await {
            Ok((row, _)) => match row.pause.and_then(|pause| pause.until) {
                Some(until) => FinishJob::Later(until),
                None => FinishJob::Done,
            },
            Err(Stop::Idle) => FinishJob::Done,
            Err(_) => FinishJob::Later(self.engine.now() + LOOK),
        }
    }

    async fn next_poll(&self, run: &Run) -> Result<DateTime<Utc>, Stop> {
        let (tenant_id, id) = (run.tenant_id, run.connection_id);
        let now = self.engine.now();
        let mut unit = self.engine.read(tenant_id).await?;
        let rows = calendar(unit.as_mut())?;
        let connection = rows
            .find_connection(tenant_id, id)
            .await?
            .ok_or(Stop::Idle)?;
        let known = rows.list_subscriptions(tenant_id, id).await?;
        let pushed = known
            .iter()
            .any(|row| row.state == "active" && row.expires_at > now);
        let pause = if pushed {
            WITH_PUSH
        } else {
            let busy = if run.had_effect() {
                Some(now)
            } else {
                rows.last_effect(tenant_id, id).await?
            };
            without_push(now - busy.unwrap_or(connection.created_at))
        };
        drop(unit);
        let pause = pause.max(self.engine.usage.floor(&self.engine, &connection).await?);
        // A quarter either way, so that connections made together do not poll together.
        let share = rand::random_range(750..=1250);
        Ok(now + Duration::milliseconds(pause.num_milliseconds() / 1000 * share))
    }

    /// How a run ends that could not finish, and what its owner gets to see of it.
    async fn stopped(
        &self,
        job: &ClaimedJob,
        id: ConnectionId,
        stop: Stop,
        run: &Run,
    ) -> FinishJob {
        let now = self.engine.now();
        let asked = match &stop {
            // Whoever holds the lease records how the job ends; a fenced worker's word is refused.
            Stop::Idle | Stop::Fenced => return FinishJob::Done,
            Stop::Held(at) => return held(*at),
            Stop::Busy => return FinishJob::Later(now + BUSY),
            // Somebody else changed the connection's row in the same moment: no fault of anybody, and tried at once.
            Stop::Storage(StorageError::Stale) => return FinishJob::Later(now),
            Stop::Brake { incoming, count } => {
                let word = if *incoming { "asked_in" } else { "asked_out" };
                Some((word, *count))
            }
            Stop::Provider(error) => {
                tracing::warn!(connection = %id, %error, "calendar provider");
                None
            }
            Stop::Storage(error) => {
                tracing::warn!(connection = %id, %error, "database");
                None
            }
            Stop::Internal(error) => {
                tracing::warn!(connection = %id, reference = error.reference, "calendar sync");
                None
            }
            Stop::Reconnect(_) | Stop::Operator(_) => None,
        };
        let noted = change(&self.engine, job.tenant_id, id, |row| {
            let verdict = Verdict::on(&stop, &row.failing, now);
            verdict.note(row, now);
            if let Some((word, count)) = asked.filter(|_| row.status == "paused") {
                row.brake = Some(word.to_owned());
                row.brake_count = i32::try_from(count.events).unwrap_or(i32::MAX);
                row.brake_occurrences = i32::try_from(count.occurrences).unwrap_or(i32::MAX);
            }
            verdict
        });
        let (verdict, noted) = match noted.await {
            Ok(verdict) => (verdict, true),
            Err(error) => {
                tracing::warn!(connection = %id, ?error, "could not note why a run stopped");
                let before = Failing {
                    runs: job.attempt.saturating_sub(1),
                    ..Failing::default()
                };
                (Verdict::on(&stop, &before, now), false)
            }
        };
        let word = if asked.is_some() { "paused" } else { "failed" };
        if let Err(error) = self.record(run, word, verdict.code).await {
            tracing::warn!(connection = %id, ?error, "could not record a run");
        }
        match verdict.again {
            Some(at) => FinishJob::Retry {
                at,
                error: verdict.code.to_owned(),
            },
            None if noted => FinishJob::Done,
            // What nobody gets to see would be a standstill: the next run comes to the same point and says so.
            None => FinishJob::Retry {
                at: now + backoff(job.attempt, None),
                error: verdict.code.to_owned(),
            },
        }
    }

    /// How a job ends whose failure says nothing about the sync itself: polling goes on without subscriptions, and what
    /// is being disconnected has no state left to show.
    async fn aside(&self, job: &ClaimedJob, id: ConnectionId, stop: &Stop) -> FinishJob {
        match stop {
            Stop::Idle | Stop::Fenced => return FinishJob::Done,
            Stop::Held(at) => return held(*at),
            Stop::Busy => return FinishJob::Later(self.engine.now() + BUSY),
            _ => {}
        }
        tracing::warn!(connection = %id, kind = job.kind, ?stop, "a calendar job did not finish");
        let before = Failing {
            runs: job.attempt.saturating_sub(1),
            ..Failing::default()
        };
        let now = self.engine.now();
        let verdict = Verdict::on(stop, &before, now);
        if verdict.held {
            let noted = change(&self.engine, job.tenant_id, id, |row| {
                row.failing.held_until = row.failing.held_until.max(verdict.again);
            });
            if let Err(error) = noted.await {
                tracing::warn!(connection = %id, ?error, "could not note what the provider asked for");
            }
        }
        FinishJob::Retry {
            at: verdict.again.unwrap_or(now + LOOK),
            error: verdict.code.to_owned(),
        }
    }

    async fn record(&self, run: &Run, outcome: &str, reason: &str) -> Result<(), Stop> {
        let mut unit = self.engine.begin(run.tenant_id).await?;
        run.end(unit.as_mut(), outcome, Some(reason), self.engine.now())
            .await?;
        unit.save().await?;
        Ok(())
    }
}

/// What set a run off. One that is due when the last failure said is a retry; an earlier one was asked for anew.
fn cause(job: &ClaimedJob, row: Option<&Connection>, now: DateTime<Utc>) -> &'static str {
    let retry = match row.map(|row| &row.failing) {
        Some(failing) if failing.runs > 0 => failing.retry_at.is_none_or(|at| at <= now),
        _ => job.attempt > 1,
    };
    match job.payload["cause"].as_str() {
        _ if retry => "retry",
        Some("notification") => "notification",
        Some("schedule") => "schedule",
        Some("person") => "person",
        Some("start") => "start",
        _ => "poll",
    }
}

/// How long a calendar without push notifications is left alone: a tenth of the time for which nothing has happened to
/// it, so that one at which somebody works is looked at every minute and one that rests costs little.
fn without_push(quiet_for: Duration) -> Duration {
    (quiet_for / 10).clamp(WITHOUT_PUSH.0, WITHOUT_PUSH.1)
}

/// The provider wants to be left alone until then.
fn held(at: DateTime<Utc>) -> FinishJob {
    FinishJob::Retry {
        at,
        error: "throttled".to_owned(),
    }
}

#[async_trait]
impl CalendarPort for CalendarRuntime {
    async fn housekeep(&self) -> AppResult<()> {
        self.engine.usage.measure(self.engine.now());
        history::prune(&self.engine, &self.pruned).await
    }

    fn import(&self) -> &dyn ImportPort {
        &CalendarImport
    }

    fn marks(&self) -> Vec<SyncMark> {
        views::every_mark()
    }

    async fn serve(&self, route: StableRoute, request: Request<Body>) -> Response {
        if !self.engine.edition.calendar_available() {
            tracing::info!(
                owner = "ce_stub",
                route = route.path(),
                "enterprise-only route refused"
            );
            return enterprise_only_response();
        }
        match route {
            StableRoute::Callback(provider) => {
                callback::serve(&self.engine, provider, request).await
            }
            StableRoute::Webhook(provider) => webhook::serve(&self.intake, provider, request).await,
        }
    }

    async fn entry_changed(
        &self,
        unit: &mut dyn UnitOfWork,
        change: &EntryChange,
    ) -> AppResult<()> {
        if !self.engine.edition.calendar_available() {
            return Ok(());
        }
        timeline::note(&self.engine, unit, change)
            .await
            .map_err(internal)?;
        sync::poke(
            unit,
            change.tenant_id,
            &change.people,
            "schedule",
            self.engine.now(),
        )
        .await
        .map_err(internal)
    }

    async fn rebind_impact(
        &self,
        unit: &mut dyn UnitOfWork,
        tenant_id: TenantId,
        consumer: Consumer,
        to: Option<&App>,
    ) -> AppResult<Vec<ImpactLine>> {
        self.open()?;
        rebind::impact(unit, tenant_id, consumer, to).await
    }

    async fn consumer_rebound(
        &self,
        unit: &mut dyn UnitOfWork,
        tenant_id: TenantId,
        consumer: Consumer,
        to: Option<&App>,
    ) -> AppResult<serde_json::Value> {
        let services = self.open()?;
        rebind::rebound(services, unit, tenant_id, consumer, to).await
    }

    async fn rebind_undone(
        &self,
        unit: &mut dyn UnitOfWork,
        tenant_id: TenantId,
        consumer: Consumer,
        to: Option<&App>,
        memo: &serde_json::Value,
    ) -> AppResult<()> {
        let services = self.open()?;
        rebind::undone(services, unit, tenant_id, consumer, to, memo).await
    }

    async fn profile_changed(&self, tenant_id: TenantId) -> AppResult<()> {
        if !self.engine.edition.calendar_available() {
            return Ok(());
        }
        let mut unit = self.engine.begin(tenant_id).await?;
        retry::wake(
            unit.as_mut(),
            tenant_id,
            Provider::Microsoft,
            self.engine.now(),
        )
        .await
        .map_err(internal)?;
        unit.save().await.map_err(internal)?;
        self.engine.wake.notify_waiters();
        Ok(())
    }

    async fn get_schedule_entry_sync_status(
        &self,
        actor: &Actor,
        entries: &[EntryId],
    ) -> AppResult<Vec<Option<SyncMark>>> {
        if !self.engine.edition.calendar_available() {
            return Ok(vec![None; entries.len()]);
        }
        views::marks(&self.engine, actor, entries).await
    }

    async fn get_schedule_entry_history(
        &self,
        actor: &Actor,
        entry_id: &str,
    ) -> AppResult<EntryHistoryView> {
        self.open()?;
        timeline::view(&self.engine, actor, entry_id).await
    }

    async fn get_schedule_entry_version(
        &self,
        actor: &Actor,
        version_id: &str,
    ) -> AppResult<EntryVersionView> {
        self.open()?;
        versions::view(&self.engine, actor, version_id).await
    }

    async fn restore_schedule_entry_version(
        &self,
        actor: &Actor,
        version_id: &str,
        read: (i64, &str),
    ) -> AppResult<String> {
        self.open()?;
        let restored = versions::restore(&self.engine, self, actor, version_id, read);
        Ok(restored.await?.to_string())
    }

    async fn get_calendar_providers(&self, actor: &Actor) -> AppResult<CalendarProfileView> {
        views::profile(self.open()?, actor).await
    }

    async fn get_calendar_settings(
        &self,
        actor: &Actor,
        query: &CoverageQuery,
    ) -> AppResult<CalendarSettingsView> {
        coverage::settings(self.open()?, actor, query).await
    }

    async fn initiate_calendar_oauth(
        &self,
        actor: &Actor,
        provider: &str,
        connection_id: Option<&str>,
    ) -> AppResult<String> {
        oauth::initiate(self.open()?, actor, provider, connection_id).await
    }

    async fn preview_calendar_sync(
        &self,
        actor: &Actor,
        connection_id: &str,
        calendar_id: Option<&str>,
        direction: Option<&str>,
    ) -> AppResult<SyncPreview> {
        preview::preview(self.open()?, actor, connection_id, calendar_id, direction).await
    }

    async fn list_remote_calendars(
        &self,
        actor: &Actor,
        connection_id: &str,
    ) -> AppResult<Vec<RemoteCalendarView>> {
        actions::list_calendars(self.open()?, actor, connection_id).await
    }

    async fn update_calendar_provider(
        &self,
        actor: &Actor,
        connection_id: &str,
        calendar_id: Option<&str>,
        direction: Option<&str>,
    ) -> AppResult<()> {
        actions::update(self.open()?, actor, connection_id, calendar_id, direction).await
    }

    async fn delete_calendar_provider(
        &self,
        actor: &Actor,
        connection_id: &str,
        remove_copies: bool,
    ) -> AppResult<()> {
        actions::delete(self.open()?, actor, connection_id, remove_copies).await
    }

    async fn sync_calendar_provider(&self, actor: &Actor, connection_id: &str) -> AppResult<()> {
        actions::sync_now(self.open()?, actor, connection_id).await
    }

    async fn pause_calendar_provider(
        &self,
        actor: &Actor,
        connection_id: &str,
        action: &str,
        hours: &str,
    ) -> AppResult<()> {
        manage::rest(self.open()?, actor, connection_id, (action, hours)).await
    }

    async fn search(&self, actor: &Actor, wanted: &Wanted) -> AppResult<Found> {
        // Enterprise run as Community adds nothing, and says nothing of what it leaves out.
        match self.open() {
            Ok(engine) => search::search(engine, actor, wanted).await,
            Err(_) => Ok(Found::default()),
        }
    }

    async fn get_calendar_connection(
        &self,
        actor: &Actor,
        connection_id: &str,
    ) -> AppResult<ConnectionDetailView> {
        detail::detail(self.open()?, actor, connection_id).await
    }

    async fn list_calendar_activity(
        &self,
        actor: &Actor,
        query: &ActivityQuery,
    ) -> AppResult<ActivityPageView> {
        runs::list(self.open()?, actor, query).await
    }

    async fn get_calendar_health(&self, actor: &Actor) -> AppResult<HealthView> {
        health::health(self.open()?, actor).await
    }

    async fn export_calendar_activity(
        &self,
        actor: &Actor,
        query: &ActivityQuery,
    ) -> AppResult<Lines> {
        runs::file(self.open()?, actor, query).await
    }

    async fn export_calendar_connections(
        &self,
        actor: &Actor,
        query: &CoverageQuery,
    ) -> AppResult<Lines> {
        coverage::file(self.open()?, actor, query).await
    }

    async fn manage_calendar_connections(
        &self,
        actor: &Actor,
        wish: &ManageConnections,
    ) -> AppResult<ManagedConnections> {
        manage::many(self.open()?, actor, wish).await
    }

    async fn update_calendar_rules(
        &self,
        actor: &Actor,
        connection_id: &str,
        rules: &CalendarRulesView,
    ) -> AppResult<()> {
        questions::update_rules(self.open()?, actor, connection_id, rules).await
    }

    async fn answer_calendar_question(
        &self,
        actor: &Actor,
        connection_id: &str,
        question_id: &str,
        part: &str,
        choice: &str,
    ) -> AppResult<()> {
        let choice = (part, choice);
        questions::answer(self.open()?, actor, connection_id, question_id, choice).await
    }

    async fn get_calendar_conflict(
        &self,
        actor: &Actor,
        conflict_id: &str,
    ) -> AppResult<ConflictView> {
        chooser::view(self.open()?, actor, conflict_id).await
    }

    async fn preview_calendar_conflict(
        &self,
        actor: &Actor,
        conflict_id: &str,
        answer: &ConflictAnswer,
    ) -> AppResult<ConflictPreviewView> {
        chooser::preview(self.open()?, actor, conflict_id, answer).await
    }

    async fn resolve_calendar_conflict(
        &self,
        actor: &Actor,
        conflict_id: &str,
        answer: &ConflictAnswer,
    ) -> AppResult<()> {
        chooser::answer(self.open()?, actor, conflict_id, answer).await
    }

    async fn list_own_calendar_conflicts(
        &self,
        actor: &Actor,
        query: &OwnConflictsQuery,
    ) -> AppResult<OwnConflictsView> {
        many::view(self.open()?, actor, query).await
    }

    async fn answer_calendar_conflicts(
        &self,
        actor: &Actor,
        answer: &ConflictsAnswer,
    ) -> AppResult<ConflictsAnswered> {
        many::answer(self.open()?, actor, answer).await
    }

    async fn list_calendar_conflicts(
        &self,
        actor: &Actor,
        page: &str,
    ) -> AppResult<ConflictInboxView> {
        inbox::inbox(self.open()?, actor, page).await
    }

    async fn get_google_client(&self, actor: &Actor) -> AppResult<GoogleClientView> {
        views::google_client(self.open()?, actor).await
    }

    async fn save_google_client(
        &self,
        actor: &Actor,
        client_id: &str,
        client_secret: &str,
    ) -> AppResult<()> {
        actions::save_google_client(self.open()?, actor, client_id, client_secret).await
    }

    fn job_kinds(&self) -> &'static [&'static str] {
        if self.engine.edition.calendar_available() {
            &KINDS
        } else {
            &[]
        }
    }

    async fn run_job(&self, job: &ClaimedJob) -> FinishJob {
        let Ok(id) = job.key.parse::<ConnectionId>() else {
            return FinishJob::Dead {
                error: "malformed_key".to_owned(),
            };
        };
        match job.kind.as_str() {
            sync::JOB => self.sync(job, id).await,
            subscribe::JOB => match subscribe::run(&self.engine, job.tenant_id, id).await {
                Ok(Some(at)) => FinishJob::Again(at),
                Ok(None) => FinishJob::Done,
                Err(stop) => self.aside(job, id, &stop).await,
            },
            disconnect::JOB => {
                match disconnect::run(&self.engine, job.tenant_id, id, &job.payload).await {
                    Ok(()) => FinishJob::Done,
                    Err(stop) => self.aside(job, id, &stop).await,
                }
            }
            _ => FinishJob::Dead {
                error: "unknown_kind".to_owned(),
            },
        }
    }

    async fn start(&self) -> AppResult<()> {
        let services = self.open()?;
        let mut unit = services.store.read(Scope::System).await.map_err(internal)?;
        let tenants = unit.list_tenants().await.map_err(internal)?;
        let queued = unit.job_stats().await.map_err(internal)?.queued;
        drop(unit);
        // All are looked at soon, since Community may have changed the schedule meanwhile; the more there are, the more they
        // are spread, so that a restart is no stampede.
        let spread = Duration::milliseconds(queued.saturating_mul(2)).clamp(SOON, WITH_PUSH);
        let now = services.now();
        for tenant in tenants {
            let mut unit = services.begin(tenant.tenant_id).await?;
            let people = unit.list_users(tenant.tenant_id).await.map_err(internal)?;
            let rows = calendar(unit.as_mut()).map_err(internal)?;
            let connections = rows
                .list_connections(tenant.tenant_id)
                .await
                .map_err(internal)?;
            let mut jobs = Vec::new();
            for mut row in connections {
                let owner = people.iter().find(|user| user.user_id == row.user_id);
                if owner.is_some_and(|user| !user.is_active) {
                    disconnect::begin_for_leaver(services, unit.as_mut(), &mut row)
                        .await
                        .map_err(internal)?;
                    continue;
                }
                if let Some(until) = row.pause.as_ref().and_then(|pause| pause.until) {
                    let (tenant_id, id) = (row.tenant_id, row.connection_id);
                    jobs.push(sync::job(tenant_id, id, "start", until));
                } else if sync::may_sync(&row) {
                    let share = rand::random_range(0..1000);
                    let soon = now + spread * share / 1000;
                    let (tenant_id, id) = (row.tenant_id, row.connection_id);
                    jobs.push(sync::job(tenant_id, id, "poll", soon));
                    jobs.push(subscribe::job(tenant_id, id, soon));
                }
            }
            unit.enqueue_jobs(&jobs, now).await.map_err(internal)?;
            unit.save().await.map_err(internal)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calendar_that_rests_is_looked_at_less_often() {
        for (quiet, pause) in [
            (0, 1),
            (9, 1),
            (20, 2),
            (60, 6),
            (100, 10),
            (60 * 24 * 30, 10),
        ] {
            let looked = without_push(Duration::minutes(quiet));
            assert_eq!(looked, Duration::minutes(pause), "{quiet} minutes");
        }
        assert_eq!(without_push(Duration::minutes(-5)), Duration::minutes(1));
    }
}
