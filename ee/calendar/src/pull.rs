//! The first half of a run: reads what changed outside, page by page, and takes it in.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use chrono::{DateTime, Duration, Utc};
use daybind_ee_storage::{Mapping, calendar};
use daybind_storage::{StorageError, StorageResult, UnitOfWork};

use crate::doubts::{IN_A_ROW, NO_ANSWER, UNREADABLE};
use crate::incoming;
use crate::integrate::{Inbound, ask_provider, base_of};
use crate::merge::{Flow, brakes};
use crate::provider::{DeltaFrom, ProviderError, RemoteEvent, RemoteState};
use crate::sync::{Lane, enqueue, is_live, may_sync};
use crate::tokens::Stop;

/// A cursor whose window has moved on by more than this share of its length ahead is replaced by a full pass.
const WINDOW_SLACK: i32 = 6;
/// How long an unchanged cursor is left as it is.
const CURSOR_AGE: Duration = Duration::hours(12);

/// Occurrences of series that a pull was told of, and what it must ask for besides.
#[derive(Default)]
struct Parts {
    /// By id; what came last counts.
    told: BTreeMap<String, RemoteEvent>,
    /// Series whose exceptions are to be asked for.
    series: BTreeSet<String>,
    /// Something unknown left the view.
    lost: bool,
    /// Something was told, if only of what is no concern of ours; the cursor moves on, so that it is told once.
    heard: bool,
}

/// Marks an entry whose event could not be taken in.
async fn unread(
    unit: &mut dyn UnitOfWork,
    mut mapping: Mapping,
    why: &str,
    now: DateTime<Utc>,
) -> StorageResult<()> {
    mapping.state = "failed".to_owned();
    mapping.error = Some(why.to_owned());
    mapping.updated_at = now;
    calendar(unit)?.update_mapping(&mapping).await
}

impl Lane<'_> {
    /// Reads what changed since the cursor, or everything where there is none (any more).
    ///
    /// # Errors
    /// [`Stop`]; pages that were committed stay.
    pub async fn pull(&mut self) -> Result<(), Stop> {
        let ahead = self.connection.settings.window_future_days;
        let enough = self.engine.now() + Duration::days((ahead - ahead / WINDOW_SLACK).into());
        let fresh = self
            .connection
            .cursor_window_end
            .is_some_and(|end| end > enough);
        if let Some(cursor) = self.connection.cursor.clone().filter(|_| fresh) {
            match self.pull_from(&DeltaFrom::Since(cursor)).await {
                // 410 is the word for it; 400 is what a cursor gets that is no cursor (any more).
                Err(Stop::Provider(ProviderError::Gone | ProviderError::Permanent(400))) => {
                    tracing::info!(connection = %self.connection.connection_id, "cursor lost; reading everything again");
                }
                other => return other,
            }
        }
        let (from, to) = self.window();
        self.pull_from(&DeltaFrom::Full { from, to }).await
    }

    /// Applies all pages, each in a transaction; the last one carries the cursor and the deletions, which are counted
    /// first: more of them than usual wait for the owner's word.
    async fn pull_from(&mut self, from: &DeltaFrom) -> Result<(), Stop> {
        let mut page = None;
        let mut seen = HashSet::new();
        let mut deleted: Vec<RemoteEvent> = Vec::new();
        let mut parts = Parts::default();
        loop {
            let answer = self
                .provider
                .delta(&self.calendar, from, page.as_deref())
                .await?;
            parts.heard |= !answer.events.is_empty();
            let last = answer.next.is_none();
            if last && answer.cursor.is_none() {
                return Err(Stop::Provider(ProviderError::Transient("cursor")));
            }
            // The same event may come again, on this page or a later one; what came last counts.
            let mut events = BTreeMap::new();
            for event in answer.events {
                seen.insert(event.id.clone());
                deleted.retain(|gone| gone.id != event.id);
                parts.told.remove(&event.id);
                events.insert(event.id.clone(), event);
            }
            let events = events.into_values().collect();
            let mut events = self.looked_up(events, &mut parts).await?;
            if last && matches!(from, DeltaFrom::Full { .. }) {
                events.extend(self.unseen(&seen).await?);
            }
            // Occurrences come after their series, whichever page that is on.
            let full = matches!(from, DeltaFrom::Full { .. });
            let events = self.set_apart(events, full, &mut parts).await?;
            let (gone, mut there): (Vec<_>, Vec<_>) = events
                .into_iter()
                .partition(|event| event.state == RemoteState::Deleted);
            deleted.extend(gone);
            if last {
                self.ask_for_exceptions(&mut parts).await?;
                self.brake_incoming(&deleted, &parts).await?;
                there.append(&mut deleted);
            }
            let occurrences = if last {
                std::mem::take(&mut parts)
            } else {
                Parts::default()
            };
            self.apply(there, occurrences, from, answer.cursor).await?;
            if last {
                return Ok(());
            }
            page = answer.next;
        }
    }

    /// Has the next run, which follows at once, read everything.
    ///
    /// # Errors
    /// [`Stop`]
    pub async fn read_again(&self) -> Result<(), Stop> {
        let (tenant_id, id) = (self.connection.tenant_id, self.connection.connection_id);
        let now = self.engine.now();
        let mut unit = self.engine.begin(tenant_id).await?;
        let rows = calendar(unit.as_mut())?;
        let Some(mut row) = rows.find_connection(tenant_id, id).await? else {
            return Err(Stop::Idle);
        };
        row.cursor = None;
        row.updated_at = now;
        rows.update_connection(&row).await?;
        enqueue(unit.as_mut(), tenant_id, id, "retry", now).await?;
        self.commit(unit, BTreeSet::new()).await
    }

    /// Looks at mapped events that left the view: only a look tells whether they were deleted.
    async fn looked_up(
        &self,
        events: Vec<RemoteEvent>,
        parts: &mut Parts,
    ) -> Result<Vec<RemoteEvent>, Stop> {
        let mut known = Vec::with_capacity(events.len());
        let mut unread = Vec::new();
        for event in events {
            if event.state == RemoteState::LeftView {
                if self.is_mapped(&event.id).await? {
                    known.extend(self.look_at(&event.id, &mut unread).await?);
                } else if event.part.is_none() {
                    // It may have been an occurrence: only its series tells.
                    parts.lost = true;
                }
            } else {
                known.push(event);
            }
        }
        self.note_unread(unread).await?;
        Ok(known)
    }

    /// Looks at one event. One that cannot be read does not stop the others: it goes to `unread`.
    async fn look_at(
        &self,
        id: &str,
        unread: &mut Vec<String>,
    ) -> Result<Option<RemoteEvent>, Stop> {
        match ask_provider(self.provider.as_ref(), &self.calendar, id).await {
            Err(error @ (ProviderError::Permanent(_) | ProviderError::Transient(_))) => {
                unread.push(id.to_owned());
                if unread.len() >= IN_A_ROW {
                    return Err(error.into());
                }
                Ok(None)
            }
            other => Ok(Some(other?)),
        }
    }

    /// Events that could not be read: the push that follows looks at them again, and so does every later one.
    async fn note_unread(&self, events: Vec<String>) -> Result<(), Stop> {
        let (tenant_id, id) = (self.connection.tenant_id, self.connection.connection_id);
        for event in events {
            let mut unit = self.engine.begin(tenant_id).await?;
            let rows = calendar(unit.as_mut())?;
            let found = rows.find_mapping_by_event(tenant_id, id, &event).await?;
            if let Some(mapping) = found.filter(is_live) {
                unread(unit.as_mut(), mapping, NO_ANSWER, self.engine.now()).await?;
                self.commit(unit, BTreeSet::new()).await?;
            }
        }
        Ok(())
    }

    /// Sets the occurrences apart, and notes the series whose exceptions must be asked for: those that changed, and in a
    /// full pass, which tells nothing of what is gone, all of them.
    async fn set_apart(
        &self,
        events: Vec<RemoteEvent>,
        full: bool,
        parts: &mut Parts,
    ) -> Result<Vec<RemoteEvent>, Stop> {
        let (tenant_id, id) = (self.connection.tenant_id, self.connection.connection_id);
        let mut others = Vec::with_capacity(events.len());
        let mut unit = self.engine.read(tenant_id).await?;
        for event in events {
            let mapping = calendar(unit.as_mut())?
                .find_mapping_by_event(tenant_id, id, &event.id)
                .await?
                .filter(is_live);
            let tied = mapping
                .as_ref()
                .is_some_and(|mapping| mapping.series_event_id.is_some());
            if tied || event.part.is_some() {
                parts.told.insert(event.id.clone(), event);
                continue;
            }
            if matches!(&event.state, RemoteState::Present(content) if content.repeats.is_some()) {
                let news = mapping.is_none_or(|mapping| mapping.external_etag != event.etag);
                if news || full {
                    parts.series.insert(event.id.clone());
                }
                for gone in incoming::without(&event) {
                    parts.told.insert(gone.id.clone(), gone);
                }
            }
            others.push(event);
        }
        Ok(others)
    }

    /// Asks for the exceptions of series that changed, where the provider's delta does not tell them all.
    async fn ask_for_exceptions(&self, parts: &mut Parts) -> Result<(), Stop> {
        if parts.lost {
            let mappings = self.mappings().await?;
            let series = mappings.into_iter().filter(|row| {
                is_live(row)
                    && row.series_event_id.is_none()
                    && row
                        .base
                        .as_ref()
                        .is_some_and(|base| !base["repeats"].is_null())
            });
            parts
                .series
                .extend(series.filter_map(|row| row.external_event_id));
        }
        for series in std::mem::take(&mut parts.series) {
            let found = self.provider.exceptions(&self.calendar, &series).await?;
            for event in found {
                if event.state == RemoteState::Deleted
                    && let Some(id) = self.stands_elsewhere(&event).await?
                {
                    // One that was put back is an event of its own; only a look tells how that one is.
                    if !parts.told.contains_key(&id) {
                        let seen = self.look_at(&id, &mut Vec::new()).await?;
                        parts.told.extend(seen.map(|seen| (id, seen)));
                    }
                    continue;
                }
                parts.told.entry(event.id.clone()).or_insert(event);
            }
        }
        Ok(())
    }

    /// The event that an occurrence which is gone from its series has now, if it has another one.
    async fn stands_elsewhere(&self, event: &RemoteEvent) -> Result<Option<String>, Stop> {
        let Some((series, original)) = event
            .part
            .as_ref()
            .and_then(|part| Some((&part.series, part.original?)))
        else {
            return Ok(None);
        };
        let (tenant_id, id) = (self.connection.tenant_id, self.connection.connection_id);
        let mut unit = self.engine.read(tenant_id).await?;
        let tied = calendar(unit.as_mut())?
            .find_mapping_by_event(tenant_id, id, series)
            .await?;
        let Some(tied) = tied else {
            return Ok(None);
        };
        let there = base_of(&tied)?;
        let day = there.and_then(|there| incoming::day_of(&there, original));
        let rows = unit.list_occurrences(tenant_id, &[tied.entry_id]).await?;
        let row = rows
            .iter()
            .find(|row| row.occurrence_of.map(|of| of.day) == day && day.is_some());
        let Some(row) = row else {
            return Ok(None);
        };
        let mapping = calendar(unit.as_mut())?
            .find_mapping(tenant_id, id, row.entry_id)
            .await?;
        Ok(mapping
            .filter(is_live)
            .and_then(|mapping| mapping.external_event_id)
            .filter(|other| *other != event.id))
    }

    async fn is_mapped(&self, event_id: &str) -> Result<bool, Stop> {
        let (tenant_id, id) = (self.connection.tenant_id, self.connection.connection_id);
        let mut unit = self.engine.read(tenant_id).await?;
        let found = calendar(unit.as_mut())?
            .find_mapping_by_event(tenant_id, id, event_id)
            .await?;
        Ok(found.is_some_and(|mapping| is_live(&mapping)))
    }

    /// After a full pass: asks for every mapped event it did not show. Absence alone deletes nothing.
    async fn unseen(&self, seen: &HashSet<String>) -> Result<Vec<RemoteEvent>, Stop> {
        let (mut found, mut unread) = (Vec::new(), Vec::new());
        for mapping in self.mappings().await?.iter().filter(|row| is_live(row)) {
            let event = mapping
                .external_event_id
                .as_ref()
                .filter(|event| !seen.contains(*event));
            if let Some(event) = event {
                found.extend(self.look_at(event, &mut unread).await?);
            }
        }
        self.note_unread(unread).await?;
        Ok(found)
    }

    /// Stops before the schedule loses much at once, unless the owner has said what to do.
    async fn brake_incoming(&self, deleted: &[RemoteEvent], parts: &Parts) -> Result<(), Stop> {
        // What goes with its series is no loss of its own.
        let alone = parts.told.values().filter(|event| {
            let series = event.part.as_ref().map(|part| &part.series);
            event.state == RemoteState::Deleted
                && !deleted.iter().any(|gone| Some(&gone.id) == series)
        });
        let deleted: Vec<&RemoteEvent> = deleted.iter().chain(alone).collect();
        if deleted.len() <= 5 {
            return Ok(());
        }
        let flow = Flow::parse(&self.connection.direction);
        let mappings = self.mappings().await?;
        // What already waits for a decision is no news.
        let live: Vec<_> = mappings.iter().filter(|row| is_live(row)).collect();
        let gone = live.iter().filter(|row| {
            row.state != "conflict"
                && deleted
                    .iter()
                    .any(|event| row.external_event_id.as_ref() == Some(&event.id))
        });
        let gone = gone.count();
        let answered = self.answered("accept_in", gone) || self.answered("put_back", gone);
        if flow.comes_in() && brakes(gone, live.len()) && !answered {
            return Err(Stop::Brake {
                incoming: true,
                count: gone,
            });
        }
        Ok(())
    }

    async fn apply(
        &mut self,
        events: Vec<RemoteEvent>,
        parts: Parts,
        from: &DeltaFrom,
        cursor: Option<String>,
    ) -> Result<(), Stop> {
        let (tenant_id, id) = (self.connection.tenant_id, self.connection.connection_id);
        let now = self.engine.now();
        let full = matches!(from, DeltaFrom::Full { .. });
        let cursor = cursor.filter(|cursor| {
            full || !events.is_empty()
                || parts.heard
                || !parts.told.is_empty()
                || (self.connection.cursor.as_ref() != Some(cursor)
                    && self.connection.updated_at < now - CURSOR_AGE)
        });
        if events.is_empty() && parts.told.is_empty() && cursor.is_none() {
            return Ok(());
        }
        let mut unit = self.engine.begin(tenant_id).await?;
        let rows = calendar(unit.as_mut())?;
        let mut connection = rows
            .find_connection(tenant_id, id)
            .await?
            .filter(may_sync)
            .ok_or(Stop::Idle)?;
        if connection.generation != self.connection.generation {
            return Err(Stop::Idle);
        }
        // Entries are locked in the order of their ids, so that lanes which share some never deadlock.
        let mut known = Vec::new();
        for event in &events {
            let mapping = rows.find_mapping_by_event(tenant_id, id, &event.id).await?;
            known.push((mapping, event));
        }
        known.sort_by_key(|(mapping, _)| mapping.as_ref().map(|mapping| mapping.entry_id));
        let mut inbound = Inbound {
            engine: self.engine,
            connection: &self.connection,
            run: self.run,
            pokes: BTreeSet::new(),
            now,
        };
        for (mapping, event) in known {
            match mapping {
                Some(mut mapping) if is_live(&mapping) => {
                    let before = mapping.clone();
                    match inbound.integrate(unit.as_mut(), &mut mapping, event).await {
                        // What is noted about one entry cannot be read; the others go on.
                        Err(StorageError::Inconsistent { .. }) => {
                            unread(unit.as_mut(), before, UNREADABLE, now).await?;
                        }
                        other => other?,
                    }
                }
                Some(_) => {}
                None => inbound.import(unit.as_mut(), event).await?,
            }
        }
        let mut parts: Vec<RemoteEvent> = parts.told.into_values().collect();
        parts.sort_by_cached_key(incoming::order);
        for event in &parts {
            match inbound.occurrence(unit.as_mut(), event).await {
                Err(StorageError::Inconsistent { .. }) => {
                    tracing::warn!(connection = %id, "an occurrence could not be read");
                }
                other => other?,
            }
        }
        let pokes = inbound.pokes;
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
        self.engine.point("page.before_commit").await;
        self.commit(unit, pokes).await?;
        self.engine.point("page.after_commit").await;
        self.connection = connection;
        Ok(())
    }
}
