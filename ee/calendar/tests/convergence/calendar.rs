//! A calendar in memory that misbehaves by a seed: answers get lost, requests fail, deltas repeat and come apart, and its
//! owner edits in between.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use daybind_domain::ids::MappingId;
use daybind_domain::schedule::EntryContent;
use daybind_ee_calendar::engine::{ProviderSource, Stop};
use daybind_ee_calendar::event::canonical;
use daybind_ee_calendar::merge::Field;
use daybind_ee_calendar::provider::{
    About, Account, CalendarProvider, CopyKey, DeltaFrom, DeltaPage, Original, ProviderError,
    ProviderResult, RemoteCalendar, RemoteEvent, RemoteState, SubscribeRequest, Subscribed,
};
use daybind_ee_storage::Connection;
use daybind_services::Services;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// An event, alive or remembered as deleted.
#[derive(Debug, Clone)]
pub struct Event {
    pub copy_of: MappingId,
    pub content: EntryContent,
    /// What its owner wrote, by field, since both sides last agreed.
    pub human: BTreeMap<&'static str, String>,
    pub deleted: bool,
    etag: u64,
}

#[derive(Debug)]
pub struct State {
    pub events: BTreeMap<String, Event>,
    /// Requests in percent that go wrong.
    pub faults: u32,
    /// The calendar is not found.
    pub missing: bool,
    /// Full passes show nothing.
    pub hidden: bool,
    pub writes: u64,
    pub calls: u64,
    changes: Vec<String>,
    epoch: u64,
    last: u64,
    rng: StdRng,
    google: bool,
}

impl State {
    fn touch(&mut self, id: &str) {
        self.last += 1;
        let last = self.last;
        if let Some(event) = self.events.get_mut(id) {
            event.etag = last;
        }
        self.changes.push(id.to_owned());
    }

    /// Makes every cursor worthless.
    pub fn forget_cursors(&mut self) {
        self.epoch += 1;
    }

    pub fn alive(&self) -> Vec<String> {
        let alive = self.events.iter().filter(|(_, event)| !event.deleted);
        alive.map(|(id, _)| id.clone()).collect()
    }

    /// Somebody edits an event, if there is one.
    pub fn edit(&mut self, field: &'static str, value: &str) {
        let alive = self.alive();
        if alive.is_empty() {
            return;
        }
        let id = alive[self.rng.random_range(0..alive.len())].clone();
        if let Some(event) = self.events.get_mut(&id) {
            match field {
                "title" => event.content.title = value.to_owned(),
                _ => event.content.notes = value.to_owned(),
            }
            event.human.insert(field, value.to_owned());
        }
        self.touch(&id);
    }

    /// Somebody deletes an event, if there is one; whose copy it was.
    pub fn delete(&mut self) -> Option<MappingId> {
        let alive = self.alive();
        if alive.is_empty() {
            return None;
        }
        let id = alive[self.rng.random_range(0..alive.len())].clone();
        let event = self.events.get_mut(&id)?;
        event.deleted = true;
        let copy_of = event.copy_of;
        self.touch(&id);
        Some(copy_of)
    }

    pub fn copies(&self, of: MappingId) -> Vec<&Event> {
        let alive = self.events.values().filter(|event| !event.deleted);
        alive.filter(|event| event.copy_of == of).collect()
    }

    fn shown(&self, id: &str, in_delta: bool) -> RemoteEvent {
        let Some(event) = self.events.get(id) else {
            return RemoteEvent::deleted(id);
        };
        RemoteEvent {
            id: id.to_owned(),
            etag: Some(event.etag.to_string()),
            ical_uid: None,
            state: match (event.deleted, in_delta && !self.google) {
                (false, _) => RemoteState::Present(canonical(&event.content)),
                (true, true) => RemoteState::LeftView,
                (true, false) => RemoteState::Deleted,
            },
            part: None,
            without: Vec::new(),
            about: About {
                copy_of: Some(event.copy_of),
                ..About::default()
            },
        }
    }

    /// Whether the request fails before anything happens.
    fn fails(&mut self) -> ProviderResult<()> {
        self.calls += 1;
        if self.missing {
            return Err(ProviderError::NotFound);
        }
        if self.rng.random_range(0..100) < self.faults {
            return Err(match self.rng.random_range(0..3) {
                0 => ProviderError::Throttled { after: None },
                _ => ProviderError::Transient("test"),
            });
        }
        Ok(())
    }

    /// Whether the answer is lost after everything happened.
    fn loses(&mut self) -> ProviderResult<()> {
        if self.rng.random_range(0..100) < self.faults {
            return Err(ProviderError::Transient("lost answer"));
        }
        Ok(())
    }
}

#[derive(Clone)]
pub struct Calendar(Arc<Mutex<State>>);

impl Calendar {
    pub fn new(seed: u64, google: bool) -> Self {
        Self(Arc::new(Mutex::new(State {
            events: BTreeMap::new(),
            faults: 0,
            missing: false,
            hidden: false,
            writes: 0,
            calls: 0,
            changes: Vec::new(),
            epoch: 0,
            last: 0,
            rng: StdRng::seed_from_u64(seed),
            google,
        })))
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

#[async_trait]
impl ProviderSource for Calendar {
    async fn connect(
        &self,
        _: &Services,
        _: &mut Connection,
        _: bool,
    ) -> Result<Box<dyn CalendarProvider>, Stop> {
        Ok(Box::new(self.clone()))
    }
}

fn id_of(key: CopyKey) -> String {
    key.google_id()
}

#[async_trait]
impl CalendarProvider for Calendar {
    async fn account(&self) -> ProviderResult<Account> {
        Err(ProviderError::NotFound)
    }

    async fn calendars(&self) -> ProviderResult<Vec<RemoteCalendar>> {
        Ok(Vec::new())
    }

    async fn delta(
        &self,
        _: &str,
        from: &DeltaFrom,
        page: Option<&str>,
    ) -> ProviderResult<DeltaPage> {
        let mut state = self.state();
        state.fails()?;
        let numbers = |text: &str| -> Vec<u64> { text.split(':').flat_map(str::parse).collect() };
        let now = state.changes.len() as u64;
        let (start, end, at) = match (page.map(numbers), from) {
            (Some(page), _) => (page[0], page[1], page[2]),
            (None, DeltaFrom::Full { .. }) => (0, now, 0),
            (None, DeltaFrom::Since(cursor)) => {
                let cursor = numbers(cursor);
                if cursor[0] != state.epoch {
                    return Err(ProviderError::Gone);
                }
                (cursor[1], now, 0)
            }
        };
        let span = usize::try_from(start).unwrap()..usize::try_from(end).unwrap();
        let mut ids: Vec<String> = state.changes[span].to_vec();
        ids.sort_unstable();
        ids.dedup();
        if matches!(from, DeltaFrom::Full { .. }) {
            ids.retain(|id| !state.hidden && !state.events[id].deleted);
        }
        let first = usize::try_from(at).unwrap();
        let mut events: Vec<_> = ids
            .iter()
            .skip(first * 2)
            .take(2)
            .map(|id| state.shown(id, true))
            .collect();
        if state.rng.random_bool(0.3) {
            // Repeated, in another order.
            events.extend(events.clone());
            events.reverse();
        }
        let more = ids.len() > (first + 1) * 2;
        Ok(DeltaPage {
            events,
            next: more.then(|| format!("{start}:{end}:{}", at + 1)),
            cursor: (!more).then(|| format!("{}:{end}", state.epoch)),
        })
    }

    /// It holds single events.
    async fn find_occurrence(
        &self,
        _: &str,
        _: &str,
        _: Original,
    ) -> ProviderResult<Option<RemoteEvent>> {
        Ok(None)
    }

    async fn get(&self, _: &str, id: &str) -> ProviderResult<RemoteEvent> {
        let mut state = self.state();
        state.fails()?;
        let gone = state.events.get(id).is_none_or(|event| event.deleted);
        if gone && !state.google {
            return Err(ProviderError::NotFound);
        }
        Ok(state.shown(id, false))
    }

    async fn find_copy(&self, _: &str, key: CopyKey) -> ProviderResult<Option<RemoteEvent>> {
        let mut state = self.state();
        state.fails()?;
        let id = id_of(key);
        Ok(state
            .events
            .contains_key(&id)
            .then(|| state.shown(&id, false)))
    }

    async fn create(
        &self,
        _: &str,
        key: CopyKey,
        content: &EntryContent,
    ) -> ProviderResult<RemoteEvent> {
        let mut state = self.state();
        state.fails()?;
        let id = id_of(key);
        if state.events.contains_key(&id) {
            // Graph may also answer with the event it made first.
            return if state.google || state.rng.random_bool(0.5) {
                Err(ProviderError::Conflict)
            } else {
                Ok(state.shown(&id, false))
            };
        }
        let event = Event {
            copy_of: key.mapping_id,
            content: content.clone(),
            human: BTreeMap::new(),
            deleted: false,
            etag: 0,
        };
        state.events.insert(id.clone(), event);
        state.writes += 1;
        state.touch(&id);
        state.loses()?;
        Ok(state.shown(&id, false))
    }

    async fn update(
        &self,
        _: &str,
        id: &str,
        etag: Option<&str>,
        content: &EntryContent,
        fields: &[Field],
    ) -> ProviderResult<RemoteEvent> {
        let mut state = self.state();
        state.fails()?;
        let event = state.events.get_mut(id).ok_or(ProviderError::NotFound)?;
        if event.deleted {
            return Err(ProviderError::NotFound);
        }
        if etag.is_some_and(|etag| etag != event.etag.to_string()) {
            return Err(ProviderError::PreconditionFailed);
        }
        for field in fields {
            field.copy(content, &mut event.content);
        }
        state.writes += 1;
        state.touch(id);
        state.loses()?;
        Ok(state.shown(id, false))
    }

    async fn delete(&self, _: &str, id: &str, etag: Option<&str>) -> ProviderResult<()> {
        let mut state = self.state();
        state.fails()?;
        let Some(event) = state.events.get_mut(id).filter(|event| !event.deleted) else {
            return Ok(());
        };
        if etag.is_some_and(|etag| etag != event.etag.to_string()) {
            return Err(ProviderError::PreconditionFailed);
        }
        event.deleted = true;
        state.writes += 1;
        state.touch(id);
        state.loses()
    }

    async fn subscribe(&self, _: &str, _: &SubscribeRequest) -> ProviderResult<Subscribed> {
        Err(ProviderError::NotFound)
    }

    async fn renew(&self, _: &str, _: DateTime<Utc>) -> ProviderResult<DateTime<Utc>> {
        Err(ProviderError::NotFound)
    }

    async fn unsubscribe(&self, _: &str, _: Option<&str>) -> ProviderResult<()> {
        Ok(())
    }
}
