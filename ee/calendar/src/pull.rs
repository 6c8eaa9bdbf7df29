//! The first half of a run: takes in what changed outside, page by page.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Duration, Utc};
use daybind_ee_storage::{Connection, Mapping, calendar};
use daybind_storage::{StorageError, StorageResult, UnitOfWork};

use crate::admit::Import;
use crate::faults::Fault;
use crate::integrate::{Inbound, imported};
use crate::merge::{Flow, brakes};
use crate::provider::{DeltaFrom, DeltaPage, ProviderError, RemoteEvent, RemoteState};
use crate::reading::{Page, Pass, Reader};
use crate::removals::Deletions;
use crate::sync::{Lane, enqueue, is_live, window};
use crate::tokens::Stop;

/// A cursor whose window has moved on by more than this share of its length ahead is replaced by a full pass.
const WINDOW_SLACK: i32 = 6;
/// How long an unchanged cursor is left as it is.
const CURSOR_AGE: Duration = Duration::hours(12);

/// Marks an entry whose event could not be taken in.
async fn unread(
    unit: &mut dyn UnitOfWork,
    mut mapping: Mapping,
    why: &Fault,
    now: DateTime<Utc>,
) -> StorageResult<()> {
    mapping.state = "failed".to_owned();
    mapping.error = Some(why.code());
    mapping.updated_at = now;
    calendar(unit)?.update_mapping(&mapping).await
}

/// The cursor, unless the window has moved on too far since it was made.
#[must_use]
pub fn usable_cursor(connection: &Connection, now: DateTime<Utc>) -> Option<String> {
    let ahead = connection.settings.window_future_days;
    let enough = now + Duration::days((ahead - ahead / WINDOW_SLACK).into());
    let fresh = connection.cursor_window_end.is_some_and(|end| end > enough);
    connection.cursor.clone().filter(|_| fresh)
}

/// Whether a cursor is none any more: 410 is the word for it, and 400 is what a cursor gets that never was one.
#[must_use]
pub fn cursor_is_lost(stop: &Stop) -> bool {
    matches!(
        stop,
        Stop::Provider(ProviderError::Gone | ProviderError::Permanent(400))
    )
}

/// How many of the tied events are gone that nobody decides about yet. What goes with its series is no loss of its own.
#[must_use]
pub fn losses(page: &Page, mappings: &[Mapping]) -> Deletions {
    let alone = page.occurrences.iter().filter(|event| {
        let series = event.part.as_ref().map(|part| &part.series);
        event.state == RemoteState::Deleted
            && !page.gone.iter().any(|gone| Some(&gone.id) == series)
    });
    let gone: HashSet<&String> = page
        .gone
        .iter()
        .chain(alone)
        .map(|event| &event.id)
        .collect();
    let lost = mappings.iter().filter(|row| {
        is_live(row)
            && row.beside.is_none()
            && row.state != "conflict"
            && row
                .external_event_id
                .as_ref()
                .is_some_and(|id| gone.contains(id))
    });
    lost.fold(Deletions::default(), |sum, row| Deletions {
        events: sum.events + 1,
        occurrences: sum.occurrences + usize::from(row.series_event_id.is_some()),
    })
}

/// A full pass over the connection's window.
#[must_use]
pub fn everything(connection: &Connection, now: DateTime<Utc>) -> DeltaFrom {
    let (from, to) = window(connection, now);
    DeltaFrom::Full { from, to }
}

impl Lane<'_> {
    fn reader(&self) -> Reader<'_> {
        Reader {
            engine: self.engine,
            connection: &self.connection,
            calendar: &self.calendar,
            provider: self.provider.as_ref(),
        }
    }

    /// Reads what changed since the cursor, or everything where there is none (any more).
    ///
    /// # Errors
    /// [`Stop`]; pages that were committed stay.
    pub async fn pull(&mut self) -> Result<(), Stop> {
        let now = self.engine.now();
        if let Some(cursor) = usable_cursor(&self.connection, now) {
            match self.pull_from(DeltaFrom::Since(cursor)).await {
                Err(stop) if cursor_is_lost(&stop) => {
                    tracing::info!(connection = %self.connection.connection_id, "cursor lost; reading everything again");
                }
                other => return other,
            }
        }
        self.pull_from(everything(&self.connection, now)).await
    }

    /// Takes all pages in, each in a transaction, while the provider is asked for the one after it.
    async fn pull_from(&mut self, from: DeltaFrom) -> Result<(), Stop> {
        self.full = matches!(from, DeltaFrom::Full { .. });
        let mut answer = self.reader().ask(&from, None).await?;
        let mut pass = Pass::new(from.clone());
        loop {
            let next = answer.next.clone();
            let reader = self.reader();
            let ahead = async {
                match &next {
                    Some(page) => Some(reader.ask(&from, Some(page)).await),
                    None => None,
                }
            };
            // First things first: what is joined is polled in this order.
            let (ahead, taken_in) = tokio::join!(ahead, self.take_in(&mut pass, answer));
            if let Some(connection) = taken_in? {
                self.connection = connection;
            }
            let Some(ahead) = ahead else {
                return Ok(());
            };
            answer = ahead?;
        }
    }

    /// Takes one page in. The last one carries the cursor and the deletions, which are counted first: more of them than
    /// usual wait for the owner's word.
    async fn take_in(
        &self,
        pass: &mut Pass,
        answer: DeltaPage,
    ) -> Result<Option<Connection>, Stop> {
        let mut page = self.reader().sort_out(pass, answer).await?;
        self.note_unread(std::mem::take(&mut page.unread)).await?;
        self.brake_incoming(&page).await?;
        self.take_back(&page).await?;
        self.apply(page, &pass.from).await
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

    /// Events that could not be read: the push that follows looks at them again, and so does every later one.
    async fn note_unread(&self, events: Vec<String>) -> Result<(), Stop> {
        let (tenant_id, id) = (self.connection.tenant_id, self.connection.connection_id);
        for event in events {
            let mut unit = self.engine.begin(tenant_id).await?;
            let rows = calendar(unit.as_mut())?;
            let found = rows.find_mapping_by_event(tenant_id, id, &event).await?;
            if let Some(mapping) = found.filter(is_live) {
                unread(unit.as_mut(), mapping, &Fault::NoAnswer, self.engine.now()).await?;
                self.commit(unit, BTreeSet::new()).await?;
            }
        }
        Ok(())
    }

    /// Stops before the schedule loses much at once, unless the owner has said what to do.
    async fn brake_incoming(&self, page: &Page) -> Result<(), Stop> {
        if page.gone.is_empty() && page.occurrences.is_empty() {
            return Ok(());
        }
        let mappings = self.mappings().await?;
        let gone = losses(page, &mappings);
        let live = mappings.iter().filter(|row| is_live(row)).count();
        let answered =
            self.answered("accept_in", gone.events) || self.answered("put_back", gone.events);
        if Flow::parse(&self.connection.direction).comes_in()
            && brakes(gone.events, live)
            && !answered
        {
            return Err(Stop::Brake {
                incoming: true,
                count: gone,
            });
        }
        Ok(())
    }

    /// Takes a page in; the connection as it is then, if anything was written.
    async fn apply(&self, page: Page, from: &DeltaFrom) -> Result<Option<Connection>, Stop> {
        let (tenant_id, id) = (self.connection.tenant_id, self.connection.connection_id);
        let now = self.engine.now();
        let full = matches!(from, DeltaFrom::Full { .. });
        let cursor = page.cursor.filter(|cursor| {
            full || page.heard
                || (self.connection.cursor.as_ref() != Some(cursor)
                    && self.connection.updated_at < now - CURSOR_AGE)
        });
        // What is nobody's and stays so costs no transaction: of a full calendar that is nearly everything.
        let ours = |event: &RemoteEvent| {
            page.tied.contains(&event.id)
                || event.about.continues.is_some()
                || matches!(imported(&self.connection, event), Import::Bring { .. })
        };
        let there = page.there.into_iter().filter(ours);
        let events: Vec<RemoteEvent> = there.chain(page.gone).collect();
        if events.is_empty() && page.occurrences.is_empty() && cursor.is_none() {
            return Ok(None);
        }
        let mut unit = self.engine.begin(tenant_id).await?;
        let rows = calendar(unit.as_mut())?;
        rows.lock_person(tenant_id, self.connection.user_id).await?;
        let mut connection = rows
            .find_connection(tenant_id, id)
            .await?
            .filter(|row| self.is_as_begun(row))
            .ok_or(Stop::Idle)?;
        // Entries are locked in the order of their ids, so that lanes which share some never deadlock.
        let ids: Vec<&str> = events.iter().map(|event| event.id.as_str()).collect();
        let mut tied: HashMap<String, Mapping> = rows
            .find_mappings_by_events(tenant_id, id, &ids)
            .await?
            .into_iter()
            .filter_map(|row| Some((row.external_event_id.clone()?, row)))
            .collect();
        let mut known: Vec<(Option<Mapping>, &RemoteEvent)> = events
            .iter()
            .map(|event| (tied.remove(&event.id), event))
            .collect();
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
                            unread(unit.as_mut(), before, &Fault::Unreadable, now).await?;
                        }
                        other => other?,
                    }
                }
                Some(_) => {}
                None => inbound.import(unit.as_mut(), event).await?,
            }
        }
        for event in &page.occurrences {
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
        Ok(Some(connection))
    }
}
