//! The outgoing half of a sync: creates, changes and removes copies. Every intent is committed before its call.

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, Utc};
use daybind_domain::ids::MappingId;
use daybind_domain::schedule::EntryContent;
use daybind_ee_storage::{Connection, Mapping, calendar};
use daybind_storage::{Entry, StorageError, UnitOfWork};

use crate::activity::Noted;
use crate::beside;
use crate::conflicts;
use crate::doubts::ATTEMPTS;
use crate::event::canonical;
use crate::faults::Fault;
use crate::integrate::{
    Inbound, ask_provider, base_of, flow, mark, meeting_of, of_occurrence, rules, set_base,
};
use crate::merge::{Field, decide, differing};
use crate::occurrences::{self, Home};
use crate::provider::{CopyKey, ProviderError, RemoteEvent, RemoteState};
use crate::sync::{Lane, may_sync};
use crate::tokens::Stop;

/// How often an update is merged anew when the event keeps changing under it.
const MERGES: u32 = 4;

/// What a mapping needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Nothing.
    Nothing,
    /// Its copy must go.
    Remove,
    /// The tie is cut; the event, which is not ours, stays.
    Detach,
    /// A copy is made after an earlier one went.
    Again,
    /// A copy that was intended is made.
    Create,
    /// A refused copy is tried again.
    Retry,
    /// The copy is brought up to date.
    Update,
    /// A copy made before the entry's own event was found must go.
    Clear,
}

/// What a mapping needs; `entry` is `None` when the entry does not belong into this calendar any more. `rests` leaves what
/// failed again and again alone for now.
#[must_use]
pub fn task(
    connection: &Connection,
    mapping: &Mapping,
    entry: Option<&Entry>,
    rests: bool,
) -> Task {
    let flow = flow(connection, mapping);
    // Events that were brought in are removed only where changes travel back to them.
    let ours = mapping.origin == "schedule" || flow.goes_out();
    match (mapping.state.as_str(), entry) {
        _ if rests => Task::Nothing,
        _ if mapping.copy_left => Task::Clear,
        ("removed", _) if mapping.beside.is_some() => Task::Nothing,
        (_, Some(_)) if mapping.beside.is_some() => Task::Nothing,
        (_, None) if mapping.beside.is_some() => Task::Detach,
        ("removed", None) => Task::Nothing,
        ("removing", _) => Task::Remove,
        (_, None) if ours => Task::Remove,
        (_, None) => Task::Detach,
        // One that could not be read is looked at again whichever way changes travel.
        ("failed", Some(_)) if mapping.external_event_id.is_some() => Task::Update,
        _ if !flow.goes_out() => Task::Nothing,
        ("removed", Some(_)) => Task::Again,
        ("creating", Some(_)) => Task::Create,
        ("failed", Some(_)) => Task::Retry,
        (_, Some(entry)) if mapping.entry_version == entry.version => Task::Nothing,
        _ => Task::Update,
    }
}

/// Whether a mapping that failed again and again is left alone for now: until its entry changes, or a pause has passed that
/// grows from half an hour to a day.
#[must_use]
pub fn rests(mapping: &Mapping, entry: Option<&Entry>, now: DateTime<Utc>) -> bool {
    let tried = match (mapping.state.as_str(), entry) {
        ("removing", _) => true,
        (_, None) => false,
        (_, Some(entry)) => entry.version == mapping.entry_version,
    };
    let more = u32::try_from(mapping.attempts - ATTEMPTS).ok();
    tried
        && more.is_some_and(|more| {
            let pause = Duration::minutes(30 << more.min(6)).min(Duration::days(1));
            mapping.updated_at + pause > now
        })
}

/// Pushes through one lane.
pub struct Push<'a, 'b> {
    /// The lane.
    pub lane: &'a Lane<'b>,
}

fn key_of(mapping: &Mapping) -> CopyKey {
    CopyKey {
        mapping_id: mapping.mapping_id,
        generation: mapping.generation,
    }
}

impl Push<'_, '_> {
    /// What a mapping needs in this run. What rests is tried all the same when its owner asks.
    #[must_use]
    pub fn task(&self, mapping: &Mapping, entry: Option<&Entry>) -> Task {
        let lane = self.lane;
        let rests = lane.run.cause != "person" && rests(mapping, entry, lane.engine.now());
        task(&lane.connection, mapping, entry, rests)
    }

    /// Does what a mapping needs; `home` is the series that the event of an occurrence belongs to.
    ///
    /// # Errors
    /// [`Stop`]; [`is_about_the_entry`](crate::doubts::is_about_the_entry) tells which concern this entry alone.
    pub async fn reconcile(
        &self,
        task: Task,
        mut mapping: Mapping,
        entry: Option<&Entry>,
        home: Option<&Home>,
    ) -> Result<(), Stop> {
        let done = match (task, entry) {
            (Task::Nothing, _) => return Ok(()),
            (Task::Clear, _) => self.clear(&mut mapping).await,
            (Task::Detach, _) => {
                mapping.state = "removed".to_owned();
                mapping.error = None;
                mapping.meeting_url = None;
                self.store(&mapping, None).await
            }
            (Task::Again, Some(entry)) => {
                mapping.generation += 1;
                mapping.external_event_id = None;
                mapping.external_etag = None;
                mapping.sent = None;
                mapping.meeting_url = None;
                mapping.external_ical_uid = None;
                mapping.origin = "schedule".to_owned();
                mapping.series_event_id = home.map(|home| home.event.clone());
                self.intend(&mut mapping, entry);
                self.store(&mapping, None).await?;
                self.create(&mut mapping, home).await
            }
            (Task::Create, Some(_)) => self.create(&mut mapping, home).await,
            (Task::Retry, Some(entry)) => self.retry(&mut mapping, entry, home).await,
            (Task::Update, Some(entry)) => self.update(&mut mapping, entry, home).await,
            (Task::Remove, _) | (_, None) => self.remove(&mut mapping, home).await,
        };
        if let (Ok(()), Some(entry)) = (&done, entry) {
            let lane = self.lane;
            lane.run.fresh("out", entry.updated_at, lane.engine.now());
        }
        done
    }

    /// Takes away the copy that stood for the entry before its own event was found.
    async fn clear(&self, mapping: &mut Mapping) -> Result<(), Stop> {
        let lane = self.lane;
        let copy = lane
            .provider
            .find_copy(&lane.calendar, key_of(mapping))
            .await?;
        let copy = copy.filter(|copy| copy.state != RemoteState::Deleted);
        if let Some(copy) = &copy {
            lane.engine.point("call.before_send").await;
            lane.provider.delete(&lane.calendar, &copy.id, None).await?;
            lane.engine.point("call.after_response").await;
        }
        mapping.copy_left = false;
        mark(mapping, &[]);
        let engine = lane.engine;
        let mut unit = engine.begin(mapping.tenant_id).await?;
        let rows = calendar(unit.as_mut())?;
        rows.update_mapping(mapping).await?;
        rows.stand_beside(mapping).await?;
        if let Some(copy) = &copy {
            let noted = Noted {
                event: Some(&copy.id),
                reason: Some("same_event"),
                ..about(mapping, "calendar", "removed")
            };
            lane.run
                .note(unit.as_mut(), engine.next_id(), noted, engine.now())
                .await?;
        }
        self.commit(unit).await
    }

    /// The calendar cannot say how the entry repeats: it stays whole here and as it was there, until it is changed.
    async fn unsayable(&self, mapping: &mut Mapping, fault: &Fault) -> Result<(), Stop> {
        mapping.state = "failed".to_owned();
        mapping.error = Some(fault.code());
        mapping.attempts = mapping.attempts.saturating_add(1).max(ATTEMPTS);
        let noted = Noted {
            reason: Some(if *fault == Fault::NoClock {
                "zone"
            } else {
                "repetition"
            }),
            ..about(mapping, "none", "refused")
        };
        self.store(mapping, Some(noted)).await
    }

    /// Maps an entry for the first time and makes its copy.
    ///
    /// # Errors
    /// See [`Self::reconcile`].
    pub async fn create_new(&self, entry: &Entry, home: Option<&Home>) -> Result<(), Stop> {
        if home.is_none() && self.stands_here(entry).await? {
            return Ok(());
        }
        let mut mapping = self.blank(entry, home);
        self.intend(&mut mapping, entry);
        if self.add(&mapping).await? {
            self.reconcile(Task::Create, mapping, Some(entry), home)
                .await?;
        }
        Ok(())
    }

    /// Whether what was brought in from another calendar of the person stands in this one too, where it was passed over when it
    /// came: then it is tied, and no copy is made beside it.
    async fn stands_here(&self, entry: &Entry) -> Result<bool, Stop> {
        let lane = self.lane;
        let (tenant_id, user_id) = (entry.tenant_id, lane.connection.user_id);
        let mut unit = lane.engine.read(tenant_id).await?;
        let rows = calendar(unit.as_mut())?;
        let ties = rows.list_entry_mappings(tenant_id, entry.entry_id).await?;
        let Some(uid) = ties.iter().find_map(beside::brought_in) else {
            return Ok(false);
        };
        let ties = rows
            .list_person_mappings(tenant_id, user_id, Some(uid))
            .await?;
        drop(unit);
        if !ties.iter().any(|tie| tie.entry_id == entry.entry_id) {
            return Ok(false);
        }
        let found = lane.provider.find_same(&lane.calendar, uid).await?;
        for event in found {
            let mut unit = lane.engine.begin(tenant_id).await?;
            let rows = calendar(unit.as_mut())?;
            rows.lock_person(tenant_id, user_id).await?;
            let id = lane.connection.connection_id;
            if rows
                .find_mapping_by_event(tenant_id, id, &event.id)
                .await?
                .is_some()
            {
                continue;
            }
            let mut inbound = Inbound {
                engine: lane.engine,
                connection: &lane.connection,
                run: lane.run,
                pokes: BTreeSet::new(),
                now: lane.engine.now(),
            };
            if inbound.stands_elsewhere(unit.as_mut(), &event).await? {
                let pokes = inbound.pokes;
                lane.engine.point("map.before_commit").await;
                lane.commit(unit, pokes).await?;
                lane.engine.point("map.after_commit").await;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes an occurrence out of its series in the calendar that is not (any more) this technician's.
    ///
    /// # Errors
    /// See [`Self::reconcile`].
    pub async fn cancel_new(&self, entry: &Entry, home: &Home) -> Result<(), Stop> {
        let mut mapping = self.blank(entry, Some(home));
        mapping.state = "removing".to_owned();
        if self.add(&mapping).await? {
            self.reconcile(Task::Remove, mapping, None, Some(home))
                .await?;
        }
        Ok(())
    }

    fn blank(&self, entry: &Entry, home: Option<&Home>) -> Mapping {
        let now = self.lane.engine.now();
        Mapping {
            tenant_id: entry.tenant_id,
            mapping_id: MappingId(self.lane.engine.next_id()),
            connection_id: self.lane.connection.connection_id,
            entry_id: entry.entry_id,
            external_event_id: None,
            external_etag: None,
            external_ical_uid: None,
            series_event_id: home.map(|home| home.event.clone()),
            meeting_url: None,
            beside: None,
            copy_left: false,
            answers: 0,
            state: "creating".to_owned(),
            origin: "schedule".to_owned(),
            generation: 0,
            base: None,
            sent: None,
            entry_version: entry.version,
            error: None,
            attempts: 0,
            created_at: now,
            updated_at: now,
        }
    }

    /// Whether the mapping was added; another worker may have been faster, and the next run sees its row.
    async fn add(&self, mapping: &Mapping) -> Result<bool, Stop> {
        let mut unit = self.lane.engine.begin(mapping.tenant_id).await?;
        let rows = calendar(unit.as_mut())?;
        let connection = rows
            .find_connection(mapping.tenant_id, mapping.connection_id)
            .await?;
        if !connection.is_some_and(|connection| may_sync(&connection)) {
            return Err(Stop::Idle);
        }
        match rows.add_mapping(mapping).await {
            Err(StorageError::Duplicate(_)) => return Ok(false),
            other => other?,
        }
        self.commit(unit).await?;
        Ok(true)
    }

    /// Makes a copy that was refused. An earlier try may have made it all the same, saying what the entry said then.
    async fn retry(
        &self,
        mapping: &mut Mapping,
        entry: &Entry,
        home: Option<&Home>,
    ) -> Result<(), Stop> {
        let lane = self.lane;
        let found = lane.provider.find_copy(&lane.calendar, key_of(mapping));
        if let Some(event) = found.await? {
            mapping.external_event_id = Some(event.id.clone());
            mapping.external_ical_uid.clone_from(&event.ical_uid);
            mark(mapping, &[]);
            return self.take_in(mapping, &event).await;
        }
        self.intend(mapping, entry);
        self.create(mapping, home).await
    }

    /// What the copy shall say; kept as the base so that a repeated create says the same.
    fn intend(&self, mapping: &mut Mapping, entry: &Entry) {
        mapping.state = "creating".to_owned();
        mapping.error = None;
        mapping.entry_version = entry.version;
        set_base(mapping, Some(&canonical(&entry.content)));
    }

    async fn commit(&self, unit: Box<dyn UnitOfWork>) -> Result<(), Stop> {
        self.lane.engine.point("map.before_commit").await;
        self.lane.commit(unit, BTreeSet::new()).await?;
        self.lane.engine.point("map.after_commit").await;
        Ok(())
    }

    /// Notes what is about to be written. A series whose time or rule is rewritten loses its exceptions in the calendar, so
    /// its occurrences are looked at again after it, whatever becomes of the call.
    async fn store_intent(
        &self,
        mapping: &Mapping,
        entry: &Entry,
        fields: &[Field],
    ) -> Result<(), Stop> {
        let rewritten = fields
            .iter()
            .any(|field| matches!(field, Field::When | Field::Repeat));
        if !rewritten || entry.occurrence_of.is_some() {
            return self.store(mapping, None).await;
        }
        let engine = self.lane.engine;
        let mut unit = engine.begin(mapping.tenant_id).await?;
        let mut row = mapping.clone();
        row.updated_at = engine.now();
        calendar(unit.as_mut())?.update_mapping(&row).await?;
        occurrences::look_again(unit.as_mut(), &row, engine.now()).await?;
        self.commit(unit).await
    }

    /// Stores a mapping, and what is to be recorded about it.
    ///
    /// # Errors
    /// [`Stop`]
    pub async fn store(&self, mapping: &Mapping, noted: Option<Noted<'_>>) -> Result<(), Stop> {
        let engine = self.lane.engine;
        let mut unit = engine.begin(mapping.tenant_id).await?;
        let mut row = mapping.clone();
        row.updated_at = engine.now();
        calendar(unit.as_mut())?.update_mapping(&row).await?;
        if let Some(noted) = noted {
            self.lane
                .run
                .note(unit.as_mut(), engine.next_id(), noted, engine.now())
                .await?;
        }
        self.commit(unit).await
    }

    async fn create(&self, mapping: &mut Mapping, home: Option<&Home>) -> Result<(), Stop> {
        let lane = self.lane;
        let Some(content) = base_of(mapping)? else {
            return Err(Stop::Storage(StorageError::Inconsistent {
                table: "calendar_event_mappings",
                column: "base",
            }));
        };
        if let Err(fault) = lane.provider.carries(&content) {
            return self.unsayable(mapping, &fault).await;
        }
        if let Some(home) = home
            && let Some(event) = self.create_within(mapping, home, &content).await?
        {
            // One that stood beside its series until the series was rewritten goes.
            let beside = lane.provider.find_copy(&lane.calendar, key_of(mapping));
            let beside = beside.await?;
            if let Some(beside) = beside.filter(|copy| copy.state != RemoteState::Deleted) {
                lane.provider
                    .delete(&lane.calendar, &beside.id, None)
                    .await?;
            }
            return self.created(mapping, &content, event).await;
        }
        let key = key_of(mapping);
        lane.engine.point("call.before_send").await;
        let event = match lane.provider.create(&lane.calendar, key, &content).await {
            // Made before, and the answer was lost: that one is ours.
            Err(ProviderError::Conflict) => lane
                .provider
                .find_copy(&lane.calendar, key)
                .await?
                .ok_or(ProviderError::Transient("duplicate"))?,
            other => other?,
        };
        lane.engine.point("call.after_response").await;
        self.created(mapping, &content, event).await
    }

    /// Gives the occurrence of a series that is there already its own values; `None` where the calendar has none to give
    /// them to.
    async fn create_within(
        &self,
        mapping: &mut Mapping,
        home: &Home,
        content: &EntryContent,
    ) -> Result<Option<RemoteEvent>, Stop> {
        let lane = self.lane;
        let found = lane
            .provider
            .find_occurrence(&lane.calendar, &home.event, home.original)
            .await?;
        let Some(event) = found else {
            return Ok(None);
        };
        let there = match &event.state {
            RemoteState::Deleted => {
                lane.engine.point("call.before_send").await;
                let back = lane
                    .provider
                    .revive(&lane.calendar, &event.id, content)
                    .await;
                lane.engine.point("call.after_response").await;
                return match back {
                    Err(ProviderError::NotFound | ProviderError::Gone) => Ok(None),
                    other => Ok(Some(other?)),
                };
            }
            RemoteState::Present(there) => EntryContent {
                private: content.private,
                ..there.clone()
            },
            RemoteState::Unsupported(_) | RemoteState::LeftView => return Ok(Some(event)),
        };
        let fields = differing(&there, content);
        if fields.is_empty() {
            return Ok(Some(event));
        }
        let plain = EntryContent {
            private: content.private,
            ..home.plain.clone()
        };
        if !differing(&there, &plain).is_empty() {
            // Somebody gave it values of its own over there: both changed what the series says.
            set_base(mapping, Some(&plain));
            return Ok(Some(event));
        }
        lane.engine.point("call.before_send").await;
        let (id, etag) = (&event.id, event.etag.as_deref());
        let done = lane
            .provider
            .update(&lane.calendar, id, etag, content, &fields)
            .await;
        lane.engine.point("call.after_response").await;
        match done {
            Err(ProviderError::PreconditionFailed) => {
                Err(Stop::Provider(ProviderError::Transient("busy event")))
            }
            other => Ok(Some(other?)),
        }
    }

    /// Takes note of a copy that is there now.
    async fn created(
        &self,
        mapping: &mut Mapping,
        content: &EntryContent,
        event: RemoteEvent,
    ) -> Result<(), Stop> {
        mapping.external_event_id = Some(event.id.clone());
        mapping.external_ical_uid.clone_from(&event.ical_uid);
        mapping.meeting_url = meeting_of(&mapping.origin, &event);
        mark(mapping, &[]);
        if matches!(&event.state, RemoteState::Present(there) if differing(there, content).is_empty())
        {
            mapping.external_etag = event.etag;
            let noted = Noted {
                after: Some(content),
                ..about(mapping, "calendar", "created")
            };
            return self.store(mapping, Some(noted)).await;
        }
        mapping.external_etag = None;
        // Changed or deleted since it was made: as any other change from outside.
        self.take_in(mapping, &event).await
    }

    async fn take_in(&self, mapping: &mut Mapping, event: &RemoteEvent) -> Result<(), Stop> {
        let engine = self.lane.engine;
        if event.state == RemoteState::Deleted {
            return self.missing(mapping).await;
        }
        let mut unit = engine.begin(mapping.tenant_id).await?;
        calendar(unit.as_mut())?
            .lock_person(mapping.tenant_id, self.lane.connection.user_id)
            .await?;
        // `integrate` may find nothing to do; the ids it was called with are kept in any case.
        calendar(unit.as_mut())?.update_mapping(mapping).await?;
        let mut inbound = Inbound {
            engine,
            connection: &self.lane.connection,
            run: self.lane.run,
            pokes: BTreeSet::new(),
            now: engine.now(),
        };
        inbound.integrate(unit.as_mut(), mapping, event).await?;
        let pokes = inbound.pokes;
        engine.point("map.before_commit").await;
        self.lane.commit(unit, pokes).await?;
        engine.point("map.after_commit").await;
        Ok(())
    }

    /// A copy is not found where it should be written to. Whether somebody deleted it or the whole calendar is out of reach
    /// cannot be told from here: the next pull reads the calendar as a whole, and counts what is gone before it believes it.
    async fn missing(&self, mapping: &Mapping) -> Result<(), Stop> {
        self.store(mapping, None).await?;
        if self.lane.full {
            // This run has just read everything, so it went away since then; the cursor is from before.
            return Err(Stop::Provider(ProviderError::Transient("missing copy")));
        }
        self.lane.read_again().await
    }

    async fn update(
        &self,
        mapping: &mut Mapping,
        entry: &Entry,
        home: Option<&Home>,
    ) -> Result<(), Stop> {
        let lane = self.lane;
        let Some(id) = mapping.external_event_id.clone() else {
            return self.create(mapping, home).await;
        };
        let mut entry = entry.clone();
        // While in conflict (or after a failure) the base does not tell what the event says.
        let mut look = mapping.state != "synced";
        for _ in 0..MERGES {
            if look {
                let event = ask_provider(lane.provider.as_ref(), &lane.calendar, &id).await?;
                let there = match &event.state {
                    RemoteState::Present(there) => there.clone(),
                    _ => return self.take_in(mapping, &event).await,
                };
                if event.etag != mapping.external_etag {
                    self.take_in(mapping, &event).await?;
                    let Some(current) = self.current(&entry).await? else {
                        return Ok(());
                    };
                    entry = current;
                    if mapping.entry_version == entry.version {
                        return Ok(());
                    }
                }
                if !flow(&lane.connection, mapping).goes_out() {
                    mark(mapping, &[]);
                    return self.store(mapping, None).await;
                }
                match self.write(mapping, &entry, &id, &there).await {
                    Err(Stop::Provider(ProviderError::PreconditionFailed)) => continue,
                    other => return other,
                }
            }
            let Some(base) = base_of(mapping)? else {
                look = true;
                continue;
            };
            match self.write(mapping, &entry, &id, &base).await {
                Err(Stop::Provider(
                    ProviderError::PreconditionFailed
                    | ProviderError::NotFound
                    | ProviderError::Gone,
                )) => {
                    look = true;
                }
                other => return other,
            }
        }
        Err(Stop::Provider(ProviderError::Transient("busy event")))
    }

    /// Merges the entry with what the event says (`there`) and writes what the event lacks.
    async fn write(
        &self,
        mapping: &mut Mapping,
        entry: &Entry,
        id: &str,
        there: &EntryContent,
    ) -> Result<(), Stop> {
        let lane = self.lane;
        let local = canonical(&entry.content);
        let rules = rules(&lane.connection, mapping, entry, None);
        let base = base_of(mapping)?;
        let there = &of_occurrence(mapping, entry, base.as_ref(), there);
        let outcome = decide(base.as_ref(), &local, there, &rules);
        let target = &outcome.remote;
        let fields = differing(there, target);
        if !fields.is_empty() {
            if let Err(fault) = lane.provider.carries(target) {
                mapping.entry_version = entry.version;
                return self.unsayable(mapping, &fault).await;
            }
            let etag = mapping.external_etag.clone();
            mapping.sent = serde_json::to_value(target).ok();
            self.store_intent(mapping, entry, &fields).await?;
            lane.engine.point("call.before_send").await;
            let event = lane
                .provider
                .update(&lane.calendar, id, etag.as_deref(), target, &fields)
                .await?;
            lane.engine.point("call.after_response").await;
            // Google may leave it out of the answer to a write; whether it is gone, the next read tells.
            mapping.meeting_url =
                meeting_of(&mapping.origin, &event).or(mapping.meeting_url.take());
            mapping.external_etag = event.etag;
            mapping.sent = None;
        }
        mapping.entry_version = entry.version;
        set_base(mapping, Some(&outcome.base));
        let asked = mapping.state == "conflict";
        mark(mapping, &outcome.conflicts);
        let engine = lane.engine;
        let mut unit = engine.begin(mapping.tenant_id).await?;
        // First of all: when its owner has answered meanwhile, nothing of this is kept.
        let mut row = mapping.clone();
        row.updated_at = engine.now();
        calendar(unit.as_mut())?.update_mapping(&row).await?;
        if !outcome.conflicts.is_empty() {
            // What is asked shows what the schedule says now.
            let seen = conflicts::Seen::Changed {
                base: base.as_ref(),
                remote: there,
                remote_at: None,
                fields: &outcome.conflicts,
            };
            conflicts::record(unit.as_mut(), engine, mapping, entry, seen, engine.now()).await?;
        } else if asked {
            conflicts::settle(unit.as_mut(), mapping, "sides_agree", engine.now()).await?;
        }
        if !fields.is_empty() {
            let noted = Noted {
                before: Some(there),
                after: Some(target),
                ..about(mapping, "calendar", "changed")
            };
            lane.run
                .note(unit.as_mut(), engine.next_id(), noted, engine.now())
                .await?;
        }
        self.commit(unit).await
    }

    async fn current(&self, entry: &Entry) -> Result<Option<Entry>, Stop> {
        let mut unit = self.lane.engine.read(entry.tenant_id).await?;
        let current = unit.find_entry(entry.tenant_id, entry.entry_id).await?;
        Ok(current.filter(|entry| crate::sync::wanted(&self.lane.connection, entry)))
    }

    async fn remove(&self, mapping: &mut Mapping, home: Option<&Home>) -> Result<(), Stop> {
        let lane = self.lane;
        let sought = mapping.external_event_id.is_none();
        if let Some(home) = home.filter(|_| sought) {
            let found = lane
                .provider
                .find_occurrence(&lane.calendar, &home.event, home.original)
                .await?
                .filter(|event| event.state != RemoteState::Deleted);
            if let Some(event) = found {
                mapping.external_event_id = Some(event.id);
                mapping.external_etag = event.etag;
            }
        }
        if mapping.state != "removing" {
            mapping.error = None;
            mapping.attempts = 0;
            // A copy whose making was not confirmed may exist all the same.
            if mapping.external_event_id.is_none() {
                let found = lane
                    .provider
                    .find_copy(&lane.calendar, key_of(mapping))
                    .await?;
                mapping.external_event_id = found.map(|event| event.id);
            }
            mapping.state = "removing".to_owned();
            self.store(mapping, None).await?;
        }
        if let Some(id) = mapping.external_event_id.clone() {
            self.delete(mapping, &id).await?;
        }
        mapping.state = "removed".to_owned();
        mapping.error = None;
        mapping.meeting_url = None;
        let noted = about(mapping, "calendar", "removed");
        self.store(mapping, Some(noted)).await
    }

    /// Deletes the version we know; when it was edited meanwhile, the one that is there now, since the schedule alone
    /// says who does what.
    async fn delete(&self, mapping: &mut Mapping, id: &str) -> Result<(), Stop> {
        let lane = self.lane;
        for _ in 0..MERGES {
            let etag = mapping.external_etag.clone();
            lane.engine.point("call.before_send").await;
            match lane
                .provider
                .delete(&lane.calendar, id, etag.as_deref())
                .await
            {
                Err(ProviderError::PreconditionFailed) => {
                    let event = ask_provider(lane.provider.as_ref(), &lane.calendar, id).await?;
                    mapping.external_etag = event.etag;
                }
                other => {
                    other?;
                    lane.engine.point("call.after_response").await;
                    return Ok(());
                }
            }
        }
        Err(Stop::Provider(ProviderError::Transient("busy event")))
    }
}

/// What to record about a mapping: that the schedule did `action` on `side`.
pub fn about<'m>(mapping: &'m Mapping, side: &'m str, action: &'m str) -> Noted<'m> {
    Noted {
        entry: Some(mapping.entry_id),
        event: mapping.external_event_id.as_deref(),
        side,
        action,
        actor: "schedule",
        ..Noted::default()
    }
}
