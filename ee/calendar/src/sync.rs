//! The lane job: pulls what changed outside, then pushes what changed here. Safe to repeat and to kill at any point.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use chrono::{DateTime, Duration, Utc};
use daybind_domain::ids::{ConnectionId, EntryId, TenantId, UserId};
use daybind_domain::schedule::EntryStatus;
use daybind_ee_storage::{Connection, Failing, Mapping, Notified, calendar};
use daybind_services::jobs;
use daybind_storage::{ClaimedJob, Entry, NewJob, StorageError, StorageResult, UnitOfWork, User};

use crate::activity::Run;
use crate::disconnect;
use crate::doubts::Doubts;
use crate::engine::Engine;
use crate::merge::{Flow, brakes};
use crate::oauth::is_end;
use crate::provider::{CalendarProvider, ProviderError};
use crate::push::{Push, Task};
use crate::removals;
use crate::retry::held;
use crate::tokens::Stop;

/// The job that syncs one connection; its key is the connection's id.
pub const JOB: &str = "calendar.sync";
/// A calendar about which notifications come thick and fast is read once in so long.
pub const BREATH: Duration = Duration::seconds(1);
/// How often a quiet connection's last sync is noted.
const QUIET: Duration = Duration::minutes(15);

/// One connection at work.
pub struct Lane<'a> {
    /// The means.
    pub engine: &'a Engine,
    /// The job that holds the lane.
    pub job: &'a ClaimedJob,
    /// The connection as last read.
    pub connection: Connection,
    /// The chosen calendar.
    pub calendar: String,
    /// The provider, with a fresh token.
    pub provider: Box<dyn CalendarProvider>,
    /// What it does.
    pub run: &'a Run,
    /// It has read the whole calendar.
    pub full: bool,
}

/// A sync; `cause` is what the activity will say.
#[must_use]
pub fn job(
    tenant_id: TenantId,
    connection_id: ConnectionId,
    cause: &str,
    now: DateTime<Utc>,
) -> NewJob {
    NewJob {
        tenant_id,
        kind: JOB,
        key: connection_id.to_string(),
        payload: serde_json::json!({ "cause": cause }),
        run_at: now,
        // The connection itself says when to try again; it is never given up.
        max_attempts: i32::MAX,
    }
}

/// Queues a sync ([`job`]).
///
/// # Errors
/// A storage error.
pub async fn enqueue(
    unit: &mut dyn UnitOfWork,
    tenant_id: TenantId,
    connection_id: ConnectionId,
    cause: &str,
    now: DateTime<Utc>,
) -> StorageResult<()> {
    unit.enqueue_job(&job(tenant_id, connection_id, cause, now), now)
        .await
}

/// The span of time that a connection looks at: the first instant, and the first one after it.
#[must_use]
pub fn window(connection: &Connection, now: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
    let settings = &connection.settings;
    (
        now - Duration::days(settings.window_past_days.into()),
        now + Duration::days(settings.window_future_days.into()),
    )
}

/// The connections of these people that can be synced, in the order in which their jobs are to be locked.
///
/// # Errors
/// A storage error.
pub async fn connections_of(
    unit: &mut dyn UnitOfWork,
    tenant_id: TenantId,
    people: &[UserId],
) -> StorageResult<BTreeSet<ConnectionId>> {
    let mut found = BTreeSet::new();
    for user in people {
        let connections = calendar(unit)?
            .list_user_connections(tenant_id, *user)
            .await?;
        found.extend(
            connections
                .iter()
                .filter(|connection| may_sync(connection))
                .map(|connection| connection.connection_id),
        );
    }
    Ok(found)
}

/// Queues a sync of everybody's connections.
///
/// # Errors
/// A storage error.
pub async fn poke(
    unit: &mut dyn UnitOfWork,
    tenant_id: TenantId,
    people: &[UserId],
    cause: &str,
    now: DateTime<Utc>,
) -> StorageResult<()> {
    for id in connections_of(unit, tenant_id, people).await? {
        enqueue(unit, tenant_id, id, cause, now).await?;
    }
    Ok(())
}

/// Whether a connection is in a state to be synced.
#[must_use]
pub fn may_sync(connection: &Connection) -> bool {
    connection.calendar_id.is_some()
        && connection.pause.is_none()
        && may_sync_as(&connection.status, connection.status_reason.as_deref())
}

/// The same, of the connection of a subscription.
#[must_use]
pub fn may_sync_now(notified: &Notified) -> bool {
    notified.calendar_id.is_some()
        && !notified.paused
        && may_sync_as(&notified.status, notified.status_reason.as_deref())
}

fn may_sync_as(status: &str, reason: Option<&str>) -> bool {
    matches!(status, "connected" | "error") && !is_end(reason)
}

/// Whether the entry belongs into the connection's calendar: it exists, is not called off, and is its owner's.
#[must_use]
pub fn wanted(connection: &Connection, entry: &Entry) -> bool {
    entry.deleted_at.is_none()
        && entry.content.status != EntryStatus::Cancelled
        && entry.assignees.contains(&connection.user_id)
}

/// Whether the entry stands for an occurrence of a series.
fn is_part(entry: &Entry) -> bool {
    entry.occurrence_of.is_some()
}

/// Whether the mapping still ties an entry to an event.
#[must_use]
pub fn is_live(mapping: &Mapping) -> bool {
    !matches!(mapping.state.as_str(), "removing" | "removed")
}

/// A connection to be synced, and its owner.
///
/// # Errors
/// [`Stop::Idle`] when it is gone; the database's.
pub async fn find(
    engine: &Engine,
    tenant_id: TenantId,
    id: ConnectionId,
) -> Result<(Connection, Option<User>), Stop> {
    let mut unit = engine.read(tenant_id).await?;
    let found = calendar(unit.as_mut())?
        .find_connection(tenant_id, id)
        .await?
        .ok_or(Stop::Idle)?;
    let owner = unit.find_user(tenant_id, found.user_id).await?;
    Ok((found, owner))
}

/// Syncs one connection once.
///
/// # Errors
/// [`Stop`]; what was committed before stays valid.
pub async fn run(
    engine: &Engine,
    job: &ClaimedJob,
    (mut connection, owner): (Connection, Option<User>),
    run: &Run,
) -> Result<(), Stop> {
    engine.point("run.claimed").await;
    if !may_sync(&connection) {
        return Err(Stop::Idle);
    }
    if owner.is_some_and(|user| !user.is_active) {
        let mut unit = engine.begin(job.tenant_id).await?;
        let all = calendar(unit.as_mut())?
            .list_user_connections(job.tenant_id, connection.user_id)
            .await?;
        // Those that do not sync, too.
        for mut row in all {
            disconnect::begin_for_leaver(engine, unit.as_mut(), &mut row).await?;
        }
        unit.save().await?;
        engine.wake.notify_waiters();
        return Err(Stop::Idle);
    }
    if let Some(until) = held(&connection, engine.now()) {
        return Err(Stop::Held(until));
    }
    let mut fresh = false;
    loop {
        let provider = engine.connect(&mut connection, fresh).await?;
        let calendar = connection.calendar_id.clone().ok_or(Stop::Idle)?;
        let mut lane = Lane {
            engine,
            job,
            connection: connection.clone(),
            calendar,
            provider,
            run,
            full: false,
        };
        match lane.pass().await {
            // A token may be revoked before its time: one fresh one is tried.
            Err(Stop::Provider(ProviderError::Unauthorized)) if !fresh => fresh = true,
            Err(Stop::Provider(ProviderError::Unauthorized)) => {
                return Err(Stop::Reconnect("unauthorized"));
            }
            other => return other,
        }
    }
}

impl Lane<'_> {
    async fn pass(&mut self) -> Result<(), Stop> {
        self.pull().await?;
        self.push().await?;
        self.end().await
    }

    /// Whether the connection still syncs, with the account it had when the run began.
    pub fn is_as_begun(&self, row: &Connection) -> bool {
        may_sync(row) && row.generation == self.connection.generation
    }

    /// Commits, if the lane is still ours: a worker that was taken for dead finds its lease gone and keeps nothing, and so
    /// does one whose connection ends, is paused or was reconnected meanwhile.
    ///
    /// Jobs are locked last and in the order of their keys, so that lanes which poke each other never deadlock.
    ///
    /// # Errors
    /// [`Stop::Fenced`], [`Stop::Idle`], or the database's.
    pub async fn commit(
        &self,
        mut unit: Box<dyn UnitOfWork>,
        mut pokes: BTreeSet<ConnectionId>,
    ) -> Result<(), Stop> {
        let (tenant_id, now) = (self.connection.tenant_id, self.engine.now());
        let current = calendar(unit.as_mut())?
            .find_connection(tenant_id, self.connection.connection_id)
            .await?;
        if !current.is_some_and(|row| self.is_as_begun(&row)) {
            return Err(Stop::Idle);
        }
        let others = !pokes.is_empty();
        pokes.insert(self.connection.connection_id);
        for id in pokes {
            if id == self.connection.connection_id {
                match unit.extend_lease(self.job, now + jobs::lease()).await {
                    Err(StorageError::NotFound) => return Err(Stop::Fenced),
                    other => other?,
                }
            } else {
                enqueue(unit.as_mut(), tenant_id, id, "schedule", now).await?;
            }
        }
        unit.save().await?;
        if others {
            self.engine.wake.notify_waiters();
        }
        Ok(())
    }

    /// Notes how the pass went. A pass with nothing to do writes nothing, but for a sign of life now and then.
    async fn end(&self) -> Result<(), Stop> {
        let now = self.engine.now();
        let seen = &self.connection;
        let asked = matches!(self.run.cause.as_str(), "person" | "start");
        let quiet = seen.last_error.is_none()
            && seen.status == "connected"
            && seen.brake.is_none()
            && seen.failing == Failing::default()
            && seen.last_sync_at.is_some_and(|at| at > now - QUIET);
        if quiet && !asked && !self.run.has_noted() {
            return Ok(());
        }
        let mut unit = self.engine.begin(seen.tenant_id).await?;
        let rows = calendar(unit.as_mut())?;
        let mut row = rows
            .find_connection(seen.tenant_id, seen.connection_id)
            .await?
            .ok_or(Stop::Idle)?;
        row.last_sync_at = Some(now);
        row.last_error = None;
        row.failing = Failing {
            // Another job may have been asked to leave the provider alone meanwhile.
            held_until: held(&row, now),
            ..Failing::default()
        };
        // The run went through, so whatever was answered was for it.
        row.brake = None;
        row.brake_count = 0;
        row.brake_occurrences = 0;
        if row.status == "error" {
            row.status = "connected".to_owned();
            row.status_reason = None;
        }
        row.updated_at = now;
        rows.update_connection(&row).await?;
        if asked || self.run.has_noted() {
            let reason = (!self.run.had_effect()).then_some("nothing_changed");
            self.run.end(unit.as_mut(), "done", reason, now).await?;
        }
        self.engine.point("run.before_commit").await;
        self.commit(unit, BTreeSet::new()).await?;
        self.engine.point("run.after_commit").await;
        Ok(())
    }

    /// The connection's mappings as they are now.
    ///
    /// # Errors
    /// [`Stop::Storage`]
    pub async fn mappings(&self) -> Result<Vec<Mapping>, Stop> {
        let (tenant_id, id) = (self.connection.tenant_id, self.connection.connection_id);
        let mut unit = self.engine.read(tenant_id).await?;
        Ok(calendar(unit.as_mut())?
            .list_mappings(tenant_id, id)
            .await?)
    }

    /// Whether the owner gave this answer, to a question about no fewer deletions.
    pub fn answered(&self, answer: &str, deletions: usize) -> bool {
        let asked = usize::try_from(self.connection.brake_count).unwrap_or(0);
        self.connection.brake.as_deref() == Some(answer) && deletions <= asked
    }

    /// Stops before the calendar loses much at once, unless the owner has said that it shall.
    fn brake_outgoing(
        &self,
        mappings: &[Mapping],
        entries: &BTreeMap<EntryId, Entry>,
        parts: Vec<Entry>,
    ) -> Result<(), Stop> {
        let mut all = entries.clone();
        for part in parts {
            all.entry(part.entry_id).or_insert(part);
        }
        let push = Push { lane: self };
        let task = |mapping: &Mapping, entry: Option<&Entry>| push.task(mapping, entry);
        let count = removals::outgoing(&self.connection, mappings, &all, task);
        let live = mappings.iter().filter(|row| is_live(row)).count();
        if brakes(count.events, live) && !self.answered("accept_out", count.events) {
            return Err(Stop::Brake {
                incoming: false,
                count,
            });
        }
        Ok(())
    }

    async fn push(&mut self) -> Result<(), Stop> {
        let tenant_id = self.connection.tenant_id;
        let (from, to) = window(&self.connection, self.engine.now());
        let mappings = self.mappings().await?;
        let mut unit = self.engine.read(tenant_id).await?;
        let listed = unit
            .list_entries(tenant_id, from, to, Some(self.connection.user_id))
            .await?;
        let mut entries: BTreeMap<EntryId, Entry> = listed
            .into_iter()
            .map(|entry| (entry.entry_id, entry))
            .collect();
        for mapping in mappings.iter().filter(|mapping| mapping.state != "removed") {
            if !entries.contains_key(&mapping.entry_id)
                && let Some(entry) = unit.find_entry(tenant_id, mapping.entry_id).await?
            {
                entries.insert(entry.entry_id, entry);
            }
        }
        let series: Vec<EntryId> = entries
            .values()
            .filter(|entry| entry.content.repeats.is_some())
            .map(|entry| entry.entry_id)
            .collect();
        let parts = if series.is_empty() {
            Vec::new()
        } else {
            unit.list_occurrences(tenant_id, &series).await?
        };
        drop(unit);
        self.brake_outgoing(&mappings, &entries, parts)?;
        // Occurrences come after their series, whose events they belong to.
        let (parts, mappings): (Vec<_>, Vec<_>) = mappings.into_iter().partition(|mapping| {
            let entry = entries.get(&mapping.entry_id);
            mapping.series_event_id.is_some() || entry.is_some_and(is_part)
        });
        let mapped: HashSet<EntryId> = mappings.iter().map(|mapping| mapping.entry_id).collect();
        let push = Push { lane: self };
        let tasks: Vec<(Task, Mapping, Option<&Entry>)> = mappings
            .into_iter()
            .filter_map(|mapping| {
                let entry = entries
                    .get(&mapping.entry_id)
                    .filter(|entry| wanted(&push.lane.connection, entry));
                let task = push.task(&mapping, entry);
                (task != Task::Nothing).then_some((task, mapping, entry))
            })
            .collect();
        let mut doubts = Doubts::default();
        for (task, mapping, entry) in tasks {
            let about = (mapping.entry_id, entry.map(|entry| entry.version));
            let done = push.reconcile(task, mapping, entry, None).await;
            // An earlier try may have made it: what its owner did to its occurrences since then was passed over.
            let again = matches!(task, Task::Create | Task::Retry)
                && done.is_ok()
                && entry.is_some_and(|entry| entry.content.repeats.is_some());
            doubts.weigh(&push, about, done).await?;
            if again {
                push.lane.read_again().await?;
            }
        }
        if Flow::parse(&push.lane.connection.direction).goes_out() {
            for entry in entries.values().filter(|entry| !is_part(entry)) {
                if !mapped.contains(&entry.entry_id) && wanted(&push.lane.connection, entry) {
                    let about = (entry.entry_id, Some(entry.version));
                    let done = push.create_new(entry, None).await;
                    doubts.weigh(&push, about, done).await?;
                }
            }
        }
        let series = entries
            .values()
            .any(|entry| entry.content.repeats.is_some() || is_part(entry));
        if series || !parts.is_empty() {
            push.occurrences(&entries, &mut doubts).await?;
        }
        doubts.settle(&push).await
    }
}
