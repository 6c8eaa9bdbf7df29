//! The lane job: pulls what changed outside, then pushes what changed here. Safe to repeat and to kill at any point.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Duration, Utc};
use daybind_domain::ids::{ConnectionId, EntryId, TenantId, UserId};
use daybind_domain::schedule::EntryStatus;
use daybind_ee_storage::{Connection, Mapping, calendar};
use daybind_services::Services;
use daybind_storage::{Entry, NewJob, UnitOfWork};

use crate::integrate::{ask_provider, integrate};
use crate::oauth::is_ending;
use crate::provider::{CalendarProvider, DeltaFrom, ProviderError, RemoteEvent, RemoteState};
use crate::push::Push;
use crate::tokens::{Stop, change, connect};

/// The job that syncs one connection; its key is the connection's id.
pub const JOB: &str = "calendar.sync";
/// How far back entries and events are looked at.
const PAST: Duration = Duration::days(30);
/// How far ahead.
const FUTURE: Duration = Duration::days(365);
/// A cursor whose window ends sooner than that is replaced by a full pass.
const WINDOW_SLACK: Duration = Duration::days(300);

/// One connection at work.
pub struct Lane<'a> {
    /// The shared means.
    pub services: &'a Services,
    /// The connection as last read.
    pub connection: Connection,
    /// The chosen calendar.
    pub calendar: String,
    /// The provider, with a fresh token.
    pub provider: Box<dyn CalendarProvider>,
}

/// Queues a sync.
///
/// # Errors
/// A storage error.
pub async fn enqueue(
    unit: &mut dyn UnitOfWork,
    tenant_id: TenantId,
    connection_id: ConnectionId,
    now: DateTime<Utc>,
) -> daybind_storage::StorageResult<()> {
    let job = NewJob {
        tenant_id,
        kind: JOB,
        key: connection_id.to_string(),
        payload: serde_json::Value::Null,
        run_at: now,
        max_attempts: 12,
    };
    unit.enqueue_job(&job, now).await
}

/// Queues a sync of everybody's connections but one (the one the change came through).
///
/// # Errors
/// A storage error.
pub async fn poke(
    unit: &mut dyn UnitOfWork,
    tenant_id: TenantId,
    people: &[UserId],
    except: Option<ConnectionId>,
    now: DateTime<Utc>,
) -> daybind_storage::StorageResult<()> {
    for user in people {
        let connections = calendar(unit)?
            .list_user_connections(tenant_id, *user)
            .await?;
        for connection in connections {
            if Some(connection.connection_id) != except && may_sync(&connection) {
                enqueue(unit, tenant_id, connection.connection_id, now).await?;
            }
        }
    }
    Ok(())
}

/// Whether a connection is in a state to be synced.
#[must_use]
pub fn may_sync(connection: &Connection) -> bool {
    connection.calendar_id.is_some()
        && matches!(connection.status.as_str(), "connected" | "error")
        && !is_ending(connection)
}

/// Whether schedule changes go out.
#[must_use]
pub fn goes_out(connection: &Connection) -> bool {
    connection.direction != "from_external"
}

/// Whether calendar changes come in.
#[must_use]
pub fn comes_in(connection: &Connection) -> bool {
    connection.direction != "to_external"
}

/// Syncs one connection once.
///
/// # Errors
/// [`Stop`]; what was committed before stays valid.
pub async fn run(services: &Services, tenant_id: TenantId, id: ConnectionId) -> Result<(), Stop> {
    let mut unit = services.read(tenant_id).await?;
    let found = calendar(unit.as_mut())?
        .find_connection(tenant_id, id)
        .await?;
    drop(unit);
    let mut connection = found.filter(may_sync).ok_or(Stop::Idle)?;
    let mut forced = false;
    loop {
        let provider = connect(services, &mut connection, forced).await?;
        let calendar = connection.calendar_id.clone().ok_or(Stop::Idle)?;
        let mut lane = Lane {
            services,
            connection: connection.clone(),
            calendar,
            provider,
        };
        match lane.pass().await {
            // A token may be revoked before its time: one fresh one is tried.
            Err(Stop::Provider(ProviderError::Unauthorized)) if !forced => forced = true,
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
        let now = self.services.now();
        let (tenant_id, id) = (self.connection.tenant_id, self.connection.connection_id);
        change(self.services, tenant_id, id, |row| {
            row.last_sync_at = Some(now);
            row.last_error = None;
            if row.status == "error" {
                row.status = "connected".to_owned();
                row.status_reason = None;
            }
        })
        .await?;
        Ok(())
    }

    fn window(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        let now = self.services.now();
        (now - PAST, now + FUTURE)
    }

    async fn pull(&mut self) -> Result<(), Stop> {
        let now = self.services.now();
        let fresh = self
            .connection
            .cursor_window_end
            .is_some_and(|end| end > now + WINDOW_SLACK);
        if let Some(cursor) = self.connection.cursor.clone().filter(|_| fresh) {
            match self.pull_from(&DeltaFrom::Since(cursor)).await {
                Err(Stop::Provider(ProviderError::Gone)) => {
                    tracing::info!(connection = %self.connection.connection_id, "cursor lost; reading everything again");
                }
                other => return other,
            }
        }
        let (from, to) = self.window();
        self.pull_from(&DeltaFrom::Full { from, to }).await
    }

    /// Applies all pages, each in a transaction; the last one carries the cursor.
    async fn pull_from(&mut self, from: &DeltaFrom) -> Result<(), Stop> {
        let mut page = None;
        let mut seen = HashSet::new();
        loop {
            let answer = self
                .provider
                .delta(&self.calendar, from, page.as_deref())
                .await?;
            let last = answer.next.is_none();
            if last && answer.cursor.is_none() {
                return Err(Stop::Provider(ProviderError::Transient("cursor")));
            }
            seen.extend(answer.events.iter().map(|event| event.id.clone()));
            let mut events = self.looked_up(answer.events).await?;
            if last && matches!(from, DeltaFrom::Full { .. }) {
                events.extend(self.unseen(&seen).await?);
            }
            self.apply(events, from, answer.cursor).await?;
            if last {
                return Ok(());
            }
            page = answer.next;
        }
    }

    /// Looks at mapped events that left the view: only a look tells whether they were deleted.
    async fn looked_up(&self, events: Vec<RemoteEvent>) -> Result<Vec<RemoteEvent>, Stop> {
        let mut known = Vec::with_capacity(events.len());
        for event in events {
            if event.state == RemoteState::LeftView {
                if self.is_mapped(&event.id).await? {
                    known.push(
                        ask_provider(self.provider.as_ref(), &self.calendar, &event.id).await?,
                    );
                }
            } else {
                known.push(event);
            }
        }
        Ok(known)
    }

    async fn is_mapped(&self, event_id: &str) -> Result<bool, Stop> {
        let (tenant_id, id) = (self.connection.tenant_id, self.connection.connection_id);
        let mut unit = self.services.read(tenant_id).await?;
        let found = calendar(unit.as_mut())?
            .find_mapping_by_event(tenant_id, id, event_id)
            .await?;
        Ok(found.is_some_and(|mapping| is_live(&mapping)))
    }

    /// After a full pass: asks for every mapped event it did not show. Absence alone deletes nothing.
    async fn unseen(&self, seen: &HashSet<String>) -> Result<Vec<RemoteEvent>, Stop> {
        let (tenant_id, id) = (self.connection.tenant_id, self.connection.connection_id);
        let mut unit = self.services.read(tenant_id).await?;
        let mappings = calendar(unit.as_mut())?
            .list_mappings(tenant_id, id)
            .await?;
        drop(unit);
        let mut found = Vec::new();
        for mapping in mappings.iter().filter(|mapping| is_live(mapping)) {
            let event = mapping
                .external_event_id
                .as_ref()
                .filter(|event| !seen.contains(*event));
            if let Some(event) = event {
                found.push(ask_provider(self.provider.as_ref(), &self.calendar, event).await?);
            }
        }
        Ok(found)
    }

    async fn apply(
        &mut self,
        events: Vec<RemoteEvent>,
        from: &DeltaFrom,
        cursor: Option<String>,
    ) -> Result<(), Stop> {
        let (tenant_id, id) = (self.connection.tenant_id, self.connection.connection_id);
        let now = self.services.now();
        let mut unit = self.services.begin(tenant_id).await?;
        let mut connection = calendar(unit.as_mut())?
            .find_connection(tenant_id, id)
            .await?
            .filter(may_sync)
            .ok_or(Stop::Idle)?;
        if connection.generation != self.connection.generation {
            return Err(Stop::Idle);
        }
        let mut poked = false;
        for event in &events {
            let mapping = calendar(unit.as_mut())?
                .find_mapping_by_event(tenant_id, id, &event.id)
                .await?;
            if let Some(mut mapping) = mapping.filter(is_live) {
                poked |= integrate(unit.as_mut(), &connection, &mut mapping, event, now).await?;
            }
        }
        if let Some(cursor) = cursor {
            connection.cursor = Some(cursor);
            if let DeltaFrom::Full { from, to } = from {
                connection.cursor_window_start = Some(*from);
                connection.cursor_window_end = Some(*to);
            }
            connection.updated_at = now;
            calendar(unit.as_mut())?
                .update_connection(&connection)
                .await?;
            connection.version += 1;
        }
        unit.save().await?;
        self.connection = connection;
        if poked {
            self.services.wake.notify_waiters();
        }
        Ok(())
    }

    async fn push(&mut self) -> Result<(), Stop> {
        let (tenant_id, id) = (self.connection.tenant_id, self.connection.connection_id);
        let (from, to) = self.window();
        let mut unit = self.services.read(tenant_id).await?;
        let listed = unit
            .list_entries(tenant_id, from, to, Some(self.connection.user_id))
            .await?;
        let mappings = calendar(unit.as_mut())?
            .list_mappings(tenant_id, id)
            .await?;
        let mut entries: HashMap<EntryId, Entry> = listed
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
        drop(unit);
        let mapped: HashSet<EntryId> = mappings.iter().map(|mapping| mapping.entry_id).collect();
        let push = Push { lane: self };
        for mapping in mappings {
            let entry = entries
                .get(&mapping.entry_id)
                .filter(|entry| wanted(&push.lane.connection, entry));
            push.reconcile(mapping, entry).await?;
        }
        if goes_out(&push.lane.connection) {
            for entry in entries.values() {
                if !mapped.contains(&entry.entry_id) && wanted(&push.lane.connection, entry) {
                    push.create_new(entry).await?;
                }
            }
        }
        Ok(())
    }
}

/// Whether the entry belongs into the connection's calendar: it exists, is not called off, and is its owner's.
#[must_use]
pub fn wanted(connection: &Connection, entry: &Entry) -> bool {
    entry.deleted_at.is_none()
        && entry.content.status != EntryStatus::Cancelled
        && entry.assignees.contains(&connection.user_id)
}

/// Whether the mapping still ties an entry to an event.
fn is_live(mapping: &Mapping) -> bool {
    !matches!(mapping.state.as_str(), "removing" | "removed")
}
