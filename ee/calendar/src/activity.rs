//! What a run did, written in the transaction that did it.

use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use chrono::{DateTime, Utc};
use daybind_domain::ids::{ConnectionId, EntryId, TenantId};
use daybind_domain::schedule::EntryContent;
use daybind_ee_storage::{SyncChange, SyncRun, calendar};
use daybind_storage::{StorageResult, UnitOfWork};
use serde_json::Value;
use uuid::Uuid;

/// A run in progress.
#[derive(Debug)]
pub struct Run {
    /// Whose.
    pub tenant_id: TenantId,
    /// Key.
    pub run_id: Uuid,
    /// Of which connection.
    pub connection_id: ConnectionId,
    /// What set it off: `poll`, `notification`, `schedule`, `person`, `start` or `retry`.
    pub cause: String,
    /// When it began.
    pub started_at: DateTime<Utc>,
    since: DateTime<Utc>,
    applied: AtomicI32,
    pushed: AtomicI32,
    left: AtomicI32,
    noted: AtomicBool,
}

/// One thing done, or left alone for a reason.
#[derive(Debug, Default)]
pub struct Noted<'a> {
    /// About which entry.
    pub entry: Option<EntryId>,
    /// About which event.
    pub event: Option<&'a str>,
    /// What was changed: `schedule`, `calendar` or `none`.
    pub side: &'a str,
    /// `created`, `changed`, `removed`, `conflict`, `refused`, `skipped` or `resolved`.
    pub action: &'a str,
    /// Where it came from: `schedule`, `calendar` or `person`.
    pub actor: &'a str,
    /// The content before.
    pub before: Option<&'a EntryContent>,
    /// The content after.
    pub after: Option<&'a EntryContent>,
    /// A short code that says why.
    pub reason: Option<&'a str>,
}

fn stored(content: Option<&EntryContent>) -> Option<Value> {
    content.and_then(|content| serde_json::to_value(content).ok())
}

impl Run {
    /// Begins one.
    #[must_use]
    pub fn begin(
        (tenant_id, connection_id): (TenantId, ConnectionId),
        run_id: Uuid,
        cause: &str,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            since: now,
            tenant_id,
            run_id,
            connection_id,
            cause: cause.to_owned(),
            started_at: now,
            applied: AtomicI32::new(0),
            pushed: AtomicI32::new(0),
            left: AtomicI32::new(0),
            noted: AtomicBool::new(false),
        }
    }

    /// Counts what changed after the connection was first in step.
    #[must_use]
    pub fn in_step_since(mut self, since: Option<DateTime<Utc>>) -> Self {
        self.since = since.unwrap_or(self.since);
        self
    }

    /// Whether it changed anything so far.
    #[must_use]
    pub fn had_effect(&self) -> bool {
        self.applied.load(Ordering::Relaxed) + self.pushed.load(Ordering::Relaxed) > 0
    }

    /// Whether it has noted anything, be it only that something was left alone: then it is on record, too.
    #[must_use]
    pub fn has_noted(&self) -> bool {
        self.noted.load(Ordering::Relaxed)
    }

    /// Measures how old a change was when it reached the other side (`in`: the schedule, `out`: the calendar). What a new
    /// connection finds is no change.
    pub fn fresh(&self, way: &'static str, changed_at: DateTime<Utc>, now: DateTime<Utc>) {
        if changed_at > self.since {
            let age = (now - changed_at).to_std().unwrap_or_default();
            metrics::histogram!("daybind_sync_freshness_seconds", "way" => way).record(age);
        }
    }

    /// Leaves an entry for soon, after so many failures.
    pub fn leave(&self, attempts: i32) {
        self.left.fetch_max(attempts, Ordering::Relaxed);
    }

    /// How often what was left has failed, if anything was.
    #[must_use]
    pub fn left(&self) -> Option<i32> {
        Some(self.left.load(Ordering::Relaxed)).filter(|left| *left > 0)
    }

    /// Notes one thing.
    ///
    /// # Errors
    /// A storage error.
    pub async fn note(
        &self,
        unit: &mut dyn UnitOfWork,
        change_id: Uuid,
        noted: Noted<'_>,
        now: DateTime<Utc>,
    ) -> StorageResult<()> {
        self.noted.store(true, Ordering::Relaxed);
        match noted.side {
            "schedule" => self.applied.fetch_add(1, Ordering::Relaxed),
            "calendar" => self.pushed.fetch_add(1, Ordering::Relaxed),
            _ => 0,
        };
        let change = SyncChange {
            tenant_id: self.tenant_id,
            change_id,
            run_id: self.run_id,
            connection_id: self.connection_id,
            entry_id: noted.entry,
            external_event_id: noted.event.map(str::to_owned),
            side: noted.side.to_owned(),
            action: noted.action.to_owned(),
            actor: noted.actor.to_owned(),
            before: stored(noted.before),
            after: stored(noted.after),
            reason: noted.reason.map(str::to_owned),
            at: now,
        };
        calendar(unit)?.add_change(&change).await
    }

    /// Writes how it ended.
    ///
    /// # Errors
    /// A storage error.
    pub async fn end(
        &self,
        unit: &mut dyn UnitOfWork,
        outcome: &str,
        reason: Option<&str>,
        now: DateTime<Utc>,
    ) -> StorageResult<()> {
        let run = SyncRun {
            tenant_id: self.tenant_id,
            run_id: self.run_id,
            connection_id: self.connection_id,
            cause: self.cause.clone(),
            outcome: outcome.to_owned(),
            reason: reason.map(str::to_owned),
            applied: self.applied.load(Ordering::Relaxed),
            pushed: self.pushed.load(Ordering::Relaxed),
            started_at: self.started_at,
            ended_at: now,
        };
        calendar(unit)?.add_run(&run).await
    }
}
