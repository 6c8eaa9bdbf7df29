//! A calendar in memory that misbehaves by a seed: answers get lost, requests fail, deltas repeat and come apart, and its
//! owner edits in between.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use daybind_domain::ids::MappingId;
use daybind_domain::recurrence::End;
use daybind_domain::schedule::{EntryContent, ShowAs, When};
use daybind_ee_calendar::engine::{Engine, ProviderSource, Stop};
use daybind_ee_calendar::event::canonical;
use daybind_ee_calendar::merge::Field;
use daybind_ee_calendar::provider::{
    About, Account, CalendarProvider, Continues, CopyKey, DeltaFrom, DeltaPage, LostSubscription,
    Original, Part, ProviderError, ProviderResult, RemoteCalendar, RemoteEvent, RemoteState,
    SubscribeRequest, Subscribed,
};
use daybind_ee_storage::Connection;
use daybind_services::recurrence::{days_between, first_day, has_day, occurrence, when_on};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// What a content says in a field.
pub fn says(content: &EntryContent, field: &str) -> String {
    match field {
        "title" => content.title.clone(),
        "notes" => content.notes.clone(),
        "shows" => content.shows.as_str().to_owned(),
        _ => content.private.to_string(),
    }
}

/// Somebody writes a word, or turns round what has two values.
pub fn edit(content: &mut EntryContent, field: &str, word: &str) {
    match field {
        "title" => word.clone_into(&mut content.title),
        "notes" => word.clone_into(&mut content.notes),
        "shows" if content.shows == ShowAs::Busy => content.shows = ShowAs::Free,
        "shows" => content.shows = ShowAs::Busy,
        _ => content.private = !content.private,
    }
}

/// An event, alive or remembered as deleted.
#[derive(Debug, Clone)]
pub struct Event {
    pub copy_of: MappingId,
    pub content: EntryContent,
    /// What its owner wrote, by field, since both sides last agreed.
    pub human: BTreeMap<&'static str, String>,
    pub deleted: bool,
    /// The series it is an occurrence of, and the time its rule gave it when it was set apart.
    pub part: Option<(String, DateTime<Utc>)>,
    /// The series that it goes on with, and the first of that one's times that are its own.
    half_of: Option<(String, DateTime<Utc>)>,
    etag: u64,
}

fn start(content: &EntryContent) -> DateTime<Utc> {
    match &content.when {
        When::Timed { start, .. } => *start,
        When::AllDay { .. } => panic!("these calendars hold timed events"),
    }
}

fn day(content: &EntryContent, at: DateTime<Utc>) -> NaiveDate {
    let When::Timed { zone, .. } = &content.when else {
        panic!("these calendars hold timed events");
    };
    at.with_timezone(&zone.parse::<chrono_tz::Tz>().unwrap())
        .date_naive()
}

/// What is compared of a content, besides its rule: start, title, and the rest.
pub fn shown(at: DateTime<Utc>, content: &EntryContent) -> (DateTime<Utc>, String, String) {
    let rest = ["notes", "shows", "private"].map(|field| says(content, field));
    (at, content.title.clone(), rest.join(", "))
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
            edit(&mut event.content, field, value);
            event.human.insert(field, says(&event.content, field));
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

    /// Series that are there.
    pub fn series(&self) -> Vec<String> {
        let mut alive = self.alive();
        alive.retain(|id| self.events[id].content.repeats.is_some());
        alive
    }

    /// Google names an occurrence by its time, Microsoft by its day.
    fn part_id(&self, series: &str, at: DateTime<Utc>) -> String {
        if self.google {
            format!("{series}_{}", at.format("%Y%m%dT%H%M%S"))
        } else {
            format!("{series}_{}", day(&self.events[series].content, at))
        }
    }

    /// An occurrence as its series has it, if it has one then.
    fn plain(&self, series: &str, at: DateTime<Utc>) -> Option<Event> {
        let master = self.events.get(series).filter(|event| !event.deleted)?;
        let day = day(&master.content, at);
        let rule = master.content.repeats.as_ref()?;
        let content = occurrence(&master.content, day);
        let fits = start(&content) == at && has_day(rule, first_day(&master.content.when), day);
        fits.then(|| Event {
            content,
            part: Some((series.to_owned(), at)),
            ..master.clone()
        })
    }

    /// What is stored under an id, or the plain occurrence it names.
    fn lookup(&self, id: &str) -> Option<Event> {
        if let Some(event) = self.events.get(id) {
            return Some(event.clone());
        }
        let (series, name) = id.rsplit_once('_')?;
        let master = self.events.get(series)?;
        let at = match NaiveDateTime::parse_from_str(name, "%Y%m%dT%H%M%S") {
            Ok(at) => at.and_utc(),
            Err(_) => {
                let When::Timed { start, .. } = when_on(&master.content.when, name.parse().ok()?)
                else {
                    return None;
                };
                start
            }
        };
        self.plain(series, at)
    }

    /// Changes an event, or sets an occurrence apart. A series whose time or rule is rewritten forgets its exceptions.
    pub fn write(&mut self, id: &str, with: impl FnOnce(&mut EntryContent)) {
        let Some(mut event) = self.lookup(id).filter(|event| !event.deleted) else {
            return;
        };
        let before = event.content.clone();
        with(&mut event.content);
        // Of an occurrence it cannot be said alone.
        if event.part.is_some() {
            event.content.private = before.private;
        }
        let now = event.content.clone();
        self.events.insert(id.to_owned(), event);
        self.touch(id);
        if before.repeats.is_some() && (before.when != now.when || before.repeats != now.repeats) {
            self.forget_exceptions(id, before.when != now.when);
        }
    }

    fn parts(&self, series: &str) -> Vec<String> {
        let parts = self.events.iter().filter(|(_, event)| {
            let part = event.part.as_ref();
            part.is_some_and(|(of, _)| of == series)
        });
        parts.map(|(id, _)| id.clone()).collect()
    }

    /// Google goes on telling of occurrences at times that are left; the others are plain again.
    fn forget_exceptions(&mut self, series: &str, moved: bool) {
        for id in self.parts(series) {
            if self.google && moved {
                if let Some(event) = self.events.get_mut(&id) {
                    event.deleted = true;
                }
                self.touch(&id);
            } else {
                self.events.remove(&id);
            }
        }
    }

    /// Takes an event away, or an occurrence out of its series.
    pub fn remove(&mut self, id: &str) {
        let Some(mut event) = self.lookup(id).filter(|event| !event.deleted) else {
            return;
        };
        let series = event.content.repeats.is_some();
        event.deleted = true;
        self.events.insert(id.to_owned(), event);
        self.touch(id);
        if series {
            self.forget_exceptions(id, true);
        }
    }

    /// Its owner splits a series at an occurrence: it ends before that one, and another series goes on, without what was set
    /// apart there.
    pub fn split(&mut self, occurrence_id: &str, word: Option<&str>) {
        let Some((series, at)) = self.lookup(occurrence_id).and_then(|event| event.part) else {
            return;
        };
        let Some(old) = self.events.get(&series).filter(|event| !event.deleted) else {
            return;
        };
        let (mut short, mut new) = (old.clone(), old.clone());
        let first = start(&old.content);
        let (Some(rule), true) = (old.content.repeats.clone(), first < at) else {
            return;
        };
        let cut = day(&old.content, at);
        new.content = EntryContent {
            repeats: Some(rule.clone()),
            ..occurrence(&old.content, cut)
        };
        let before = days_between(&old.content, first, at).len();
        if let (End::Count(count), Some(rule)) = (rule.end, new.content.repeats.as_mut()) {
            rule.end = End::Count(count - u32::try_from(before).unwrap());
        }
        if let Some(rule) = short.content.repeats.as_mut() {
            rule.end = End::Until(cut.pred_opt().unwrap());
        }
        if let Some(word) = word {
            word.clone_into(&mut new.content.title);
        }
        let root = series.split("_R").next().unwrap_or(&series).to_owned();
        let id = if self.google {
            format!("{root}_R{}", at.format("%Y%m%dT%H%M%S"))
        } else {
            format!("half{}", self.last)
        };
        if self.events.contains_key(&id) {
            // Split there before, and deleted since: calendars do not give an id twice.
            return;
        }
        new.half_of = Some((if self.google { root } else { series.clone() }, at));
        for part in self.parts(&series) {
            let later = self.events[&part]
                .part
                .as_ref()
                .is_some_and(|(_, time)| *time >= at);
            if !later {
                continue;
            }
            if self.google {
                if let Some(event) = self.events.get_mut(&part) {
                    event.deleted = true;
                }
                self.touch(&part);
            } else {
                self.events.remove(&part);
            }
        }
        SPLITS.fetch_add(1, Ordering::Relaxed);
        self.events.insert(series.clone(), short);
        self.touch(&series);
        self.events.insert(id.clone(), new);
        self.touch(&id);
    }

    /// The id of the occurrence that a series has so many days after its first one, if it has one then.
    pub fn nth(&self, series: &str, later: u64) -> Option<String> {
        let master = self.events.get(series).filter(|event| !event.deleted)?;
        let day = first_day(&master.content.when) + chrono::Days::new(later);
        let at = start(&occurrence(&master.content, day));
        self.plain(series, at)?;
        Some(self.part_id(series, at))
    }

    /// Everything the calendar shows between two instants: start, title, notes.
    pub fn view(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Vec<(DateTime<Utc>, String, String)> {
        let shown = |content: &EntryContent| shown(start(content), content);
        let mut found = Vec::new();
        for (id, event) in self.events.iter().filter(|(_, event)| !event.deleted) {
            if event.content.repeats.is_none() {
                let content = EntryContent {
                    private: self.is_private(event),
                    ..event.content.clone()
                };
                found.push(shown(&content));
                continue;
            }
            for day in days_between(&event.content, from, to) {
                let plain = occurrence(&event.content, day);
                if !self.events.contains_key(&self.part_id(id, start(&plain))) {
                    found.push(shown(&plain));
                }
            }
        }
        found.retain(|(at, ..)| *at >= from && *at < to);
        found.sort();
        found
    }

    pub fn copies(&self, of: MappingId) -> Vec<&Event> {
        let alive = self.events.values().filter(|event| !event.deleted);
        alive.filter(|event| event.copy_of == of).collect()
    }

    /// An occurrence is as private as its series.
    fn is_private(&self, event: &Event) -> bool {
        let series = event.part.as_ref().map(|(series, _)| series);
        let series = series.and_then(|series| self.events.get(series));
        series.unwrap_or(event).content.private
    }

    fn shown(&self, id: &str, in_delta: bool) -> RemoteEvent {
        let Some(event) = self.lookup(id) else {
            let mut gone = RemoteEvent::deleted(id);
            if in_delta && !self.google {
                gone.state = RemoteState::LeftView;
            }
            return gone;
        };
        let content = EntryContent {
            private: self.is_private(&event),
            ..canonical(&event.content)
        };
        let lost = event.deleted && in_delta && !self.google;
        let goes_on = self.google && event.part.is_none();
        RemoteEvent {
            id: id.to_owned(),
            etag: Some(event.etag.to_string()),
            ical_uid: None,
            state: match (event.deleted, in_delta && !self.google) {
                (false, _) => RemoteState::Present(content),
                (true, true) => RemoteState::LeftView,
                (true, false) => RemoteState::Deleted,
            },
            // What left Microsoft's view is an id and nothing else.
            part: event.part.filter(|_| !lost).map(|(series, at)| Part {
                series,
                original: Some(Original::At(at)),
            }),
            without: Vec::new(),
            about: About {
                // Told by ids, which halves have of their own.
                copy_of: event.half_of.is_none().then_some(event.copy_of),
                continues: event.half_of.filter(|_| goes_on).map(|(series, at)| {
                    let original = Some(Original::At(at));
                    Continues { series, original }
                }),
                ..About::default()
            },
        }
    }

    /// Whether a full pass lists it: Google's tells deleted occurrences of series that are there.
    fn lists(&self, id: &str) -> bool {
        let Some(event) = self.events.get(id) else {
            return false;
        };
        let of = event
            .part
            .as_ref()
            .and_then(|(series, _)| self.events.get(series));
        !event.deleted || (self.google && of.is_some_and(|series| !series.deleted))
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

/// How many events were read while the page after theirs was asked for already.
pub static AHEAD: AtomicU64 = AtomicU64::new(0);

/// How many series were split.
pub static SPLITS: AtomicU64 = AtomicU64::new(0);

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
        _: &Engine,
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
            ids.retain(|id| !state.hidden && state.lists(id));
        }
        if !state.google {
            // Plain occurrences are shown along with a series, and exceptions that were forgotten are plain again.
            let plain: Vec<String> = ids
                .iter()
                .filter(|id| state.series().contains(id))
                .flat_map(|id| (0..3).filter_map(|later| state.nth(id, later)))
                .filter(|id| !state.events.contains_key(id))
                .collect();
            ids.extend(plain);
            ids.sort_unstable();
            ids.dedup();
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
        let (calendar, mine) = (Arc::clone(&self.0), state.calls);
        Ok(DeltaPage {
            events: Box::new(events.into_iter().map(move |event| {
                if more && calendar.lock().unwrap().calls > mine {
                    AHEAD.fetch_add(1, Ordering::Relaxed);
                }
                Ok(event)
            })),
            next: more.then(|| format!("{start}:{end}:{}", at + 1)),
            cursor: (!more).then(|| format!("{}:{end}", state.epoch)),
        })
    }

    async fn find_occurrence(
        &self,
        _: &str,
        series: &str,
        original: Original,
    ) -> ProviderResult<Option<RemoteEvent>> {
        let mut state = self.state();
        state.fails()?;
        let Original::At(at) = original else {
            return Ok(None);
        };
        if state.plain(series, at).is_none() {
            return Ok(None);
        }
        let id = state.part_id(series, at);
        let event = state.shown(&id, false);
        Ok(Some(event).filter(|event| state.google || event.state != RemoteState::Deleted))
    }

    async fn revive(
        &self,
        _: &str,
        id: &str,
        content: &EntryContent,
    ) -> ProviderResult<RemoteEvent> {
        let mut state = self.state();
        state.fails()?;
        let google = state.google;
        let Some(event) = state.events.get_mut(id).filter(|_| google) else {
            return Err(ProviderError::Gone);
        };
        event.deleted = false;
        event.content = content.clone();
        state.writes += 1;
        state.touch(id);
        state.loses()?;
        Ok(state.shown(id, false))
    }

    async fn exceptions(&self, _: &str, series: &str) -> ProviderResult<Vec<RemoteEvent>> {
        let mut state = self.state();
        if state.google {
            return Ok(Vec::new());
        }
        state.fails()?;
        Ok(state
            .parts(series)
            .iter()
            .map(|id| state.shown(id, false))
            .collect())
    }

    async fn continuations(&self, _: &str, series: &str) -> ProviderResult<Vec<RemoteEvent>> {
        let mut state = self.state();
        if state.google {
            return Ok(Vec::new());
        }
        state.fails()?;
        let Some(of) = state.events.get(series).map(|event| event.copy_of) else {
            return Ok(Vec::new());
        };
        let mut found = state.series();
        found.retain(|id| state.events[id].copy_of == of);
        Ok(found.iter().map(|id| state.shown(id, false)).collect())
    }

    async fn get(&self, _: &str, id: &str) -> ProviderResult<RemoteEvent> {
        let mut state = self.state();
        state.fails()?;
        let gone = state.lookup(id).is_none_or(|event| event.deleted);
        if gone && (!state.google || !state.events.contains_key(id)) {
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
            part: None,
            half_of: None,
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
        let event = state.lookup(id).ok_or(ProviderError::NotFound)?;
        if event.deleted {
            return Err(ProviderError::NotFound);
        }
        if etag.is_some_and(|etag| etag != event.etag.to_string()) {
            return Err(ProviderError::PreconditionFailed);
        }
        assert!(
            event.part.is_none() || !fields.contains(&Field::Private),
            "an occurrence's privacy would become its series'"
        );
        state.write(id, |there| {
            for field in fields {
                field.copy(content, there);
            }
        });
        state.writes += 1;
        state.loses()?;
        Ok(state.shown(id, false))
    }

    async fn delete(&self, _: &str, id: &str, etag: Option<&str>) -> ProviderResult<()> {
        let mut state = self.state();
        state.fails()?;
        let Some(event) = state.lookup(id).filter(|event| !event.deleted) else {
            return Ok(());
        };
        if etag.is_some_and(|etag| etag != event.etag.to_string()) {
            return Err(ProviderError::PreconditionFailed);
        }
        state.remove(id);
        state.writes += 1;
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

    async fn unsubscribe_lost(&self, _: &str, _: &LostSubscription<'_>) -> ProviderResult<()> {
        Ok(())
    }
}
