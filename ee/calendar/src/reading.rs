//! What a calendar tells: the pages of a delta, with a look at whatever a delta leaves open. Writes nothing.

use std::collections::{BTreeMap, HashMap, HashSet};

use daybind_domain::schedule::EntryContent;
use daybind_ee_storage::{Connection, Mapping, calendar};

use crate::beside;
use crate::doubts::IN_A_ROW;
use crate::engine::Engine;
use crate::incoming;
use crate::integrate::{ask_provider, base_of};
use crate::provider::{
    CalendarProvider, DeltaFrom, DeltaPage, ProviderError, ProviderResult, RemoteEvent, RemoteState,
};
use crate::sync::is_live;
use crate::tokens::Stop;

/// How many events are read before whoever asks for the next page meanwhile has a turn.
const AT_ONCE: usize = 16;

/// One page's worth, sorted out.
#[derive(Debug, Default)]
pub struct Page {
    /// Events that are there, series among them.
    pub there: Vec<RemoteEvent>,
    /// Those of them that belong to an entry, or may: the same event stands in another calendar of the person.
    pub tied: HashSet<String>,
    /// Events that are gone by the provider's explicit word. All of them come with the last page, so that they can be counted.
    pub gone: Vec<RemoteEvent>,
    /// Occurrences of series, in the order in which they are taken in. All come with the last page, after their series.
    pub occurrences: Vec<RemoteEvent>,
    /// Events that could not be read.
    pub unread: Vec<String>,
    /// Where the next delta begins; on the last page.
    pub cursor: Option<String>,
    /// Something was told, if only of what is no concern of ours; the cursor moves on, so that it is told once.
    pub heard: bool,
    /// There is no more.
    pub last: bool,
}

/// How far a delta was read, and what its later pages may still correct.
pub struct Pass {
    /// Where it began.
    pub from: DeltaFrom,
    page: Option<String>,
    /// The iCalendar UIDs of what entries have in the person's other calendars.
    elsewhere: Option<HashSet<String>>,
    seen: HashSet<String>,
    gone: Vec<RemoteEvent>,
    heard: bool,
    /// Occurrences, by id; what came last counts.
    pub(crate) told: BTreeMap<String, RemoteEvent>,
    /// Series whose exceptions are to be asked for, with what they say where it was told.
    series: BTreeMap<String, Option<EntryContent>>,
    /// Something unknown left the view.
    lost: bool,
    /// Series that end earlier now, with their ties. They wait for the last page, since others may go on with them.
    pub(crate) ending: BTreeMap<String, (Mapping, RemoteEvent)>,
    /// Series that are nobody's yet.
    pub(crate) fresh: Vec<RemoteEvent>,
}

impl Pass {
    /// At its beginning.
    #[must_use]
    pub fn new(from: DeltaFrom) -> Self {
        Self {
            from,
            page: None,
            elsewhere: None,
            seen: HashSet::new(),
            gone: Vec::new(),
            heard: false,
            told: BTreeMap::new(),
            series: BTreeMap::new(),
            lost: false,
            ending: BTreeMap::new(),
            fresh: Vec::new(),
        }
    }

    fn is_full(&self) -> bool {
        matches!(self.from, DeltaFrom::Full { .. })
    }
}

/// Live mappings by their events.
pub(crate) type Known = HashMap<String, Mapping>;

/// Reads one connection's calendar.
pub struct Reader<'a> {
    /// The means.
    pub engine: &'a Engine,
    /// The connection.
    pub connection: &'a Connection,
    /// Its calendar.
    pub calendar: &'a str,
    /// Its provider.
    pub provider: &'a dyn CalendarProvider,
}

impl Reader<'_> {
    /// The next page.
    ///
    /// # Errors
    /// [`Stop`]
    pub async fn page(&self, pass: &mut Pass) -> Result<Page, Stop> {
        let answer = self.ask(&pass.from, pass.page.as_deref()).await?;
        self.sort_out(pass, answer).await
    }

    /// Asks for a page: the first one, or the one that an answer names.
    ///
    /// # Errors
    /// The provider's.
    pub async fn ask(&self, from: &DeltaFrom, page: Option<&str>) -> ProviderResult<DeltaPage> {
        self.provider.delta(self.calendar, from, page).await
    }

    /// Makes a page of an answer.
    ///
    /// # Errors
    /// [`Stop`]
    pub async fn sort_out(&self, pass: &mut Pass, answer: DeltaPage) -> Result<Page, Stop> {
        let last = answer.next.is_none();
        if last && answer.cursor.is_none() {
            return Err(Stop::Provider(ProviderError::Transient("cursor")));
        }
        // The same event may come again, on this page or a later one; what came last counts.
        let mut events = BTreeMap::new();
        for (at, event) in answer.events.enumerate() {
            if at % AT_ONCE == AT_ONCE - 1 {
                tokio::task::yield_now().await;
            }
            let event = event?;
            pass.heard = true;
            pass.seen.insert(event.id.clone());
            pass.gone.retain(|gone| gone.id != event.id);
            pass.told.remove(&event.id);
            pass.ending.remove(&event.id);
            pass.fresh.retain(|fresh| fresh.id != event.id);
            events.insert(event.id.clone(), event);
        }
        let mut unread = Vec::new();
        let mut known = self.known(&events).await?;
        let mut events = self
            .looked_up(events.into_values().collect(), &known, pass, &mut unread)
            .await?;
        if last && pass.is_full() {
            let unseen = self.unseen(&pass.seen, &mut unread).await?;
            for (mapping, event) in unseen {
                known.insert(event.id.clone(), mapping);
                events.push(event);
            }
        }
        let events = set_apart(events, &known, pass);
        let (gone, there): (Vec<_>, Vec<_>) = events
            .into_iter()
            .partition(|event| event.state == RemoteState::Deleted);
        pass.gone.extend(gone);
        let mut there = self.hold_back(there, &known, pass)?;
        let mut tied: HashSet<String> = known.into_keys().collect();
        if last {
            tied.extend(pass.ending.keys().cloned());
            there.extend(self.ending(pass).await?);
        }
        if pass.elsewhere.is_none() && !there.is_empty() {
            pass.elsewhere = Some(self.elsewhere().await?);
        }
        if let Some(elsewhere) = &pass.elsewhere {
            let same = there.iter().filter(|event| {
                beside::sought(event).is_some_and(|(uid, _)| elsewhere.contains(uid))
            });
            tied.extend(same.map(|event| event.id.clone()));
        }
        let mut page = Page {
            there,
            tied,
            unread,
            cursor: answer.cursor,
            heard: pass.heard,
            last,
            ..Page::default()
        };
        if last {
            self.ask_for_exceptions(pass, &mut page.unread).await?;
            page.gone = std::mem::take(&mut pass.gone);
            page.occurrences = std::mem::take(&mut pass.told).into_values().collect();
            page.occurrences.sort_by_cached_key(incoming::order);
        }
        pass.page = answer.next;
        Ok(page)
    }

    async fn mappings(&self) -> Result<Vec<Mapping>, Stop> {
        let (tenant_id, id) = (self.connection.tenant_id, self.connection.connection_id);
        let mut unit = self.engine.read(tenant_id).await?;
        Ok(calendar(unit.as_mut())?
            .list_mappings(tenant_id, id)
            .await?)
    }

    async fn elsewhere(&self) -> Result<HashSet<String>, Stop> {
        let (tenant_id, user_id) = (self.connection.tenant_id, self.connection.user_id);
        let mut unit = self.engine.read(tenant_id).await?;
        let rows = calendar(unit.as_mut())?;
        if rows.list_user_connections(tenant_id, user_id).await?.len() < 2 {
            return Ok(HashSet::new());
        }
        let ties = rows.list_person_mappings(tenant_id, user_id, None).await?;
        let here = self.connection.connection_id;
        let other = ties.into_iter().filter(|tie| tie.connection_id != here);
        Ok(other.filter_map(|tie| tie.external_ical_uid).collect())
    }

    /// The live mappings of a page's events, by event.
    pub(crate) async fn known(
        &self,
        events: &BTreeMap<String, RemoteEvent>,
    ) -> Result<Known, Stop> {
        let (tenant_id, id) = (self.connection.tenant_id, self.connection.connection_id);
        let ids: Vec<&str> = events.keys().map(String::as_str).collect();
        let mut unit = self.engine.read(tenant_id).await?;
        let found = calendar(unit.as_mut())?
            .find_mappings_by_events(tenant_id, id, &ids)
            .await?;
        let live = found.into_iter().filter(is_live);
        Ok(live
            .filter_map(|row| Some((row.external_event_id.clone()?, row)))
            .collect())
    }

    /// Looks at mapped events that left the view: only a look tells whether they were deleted.
    async fn looked_up(
        &self,
        events: Vec<RemoteEvent>,
        known: &Known,
        pass: &mut Pass,
        unread: &mut Vec<String>,
    ) -> Result<Vec<RemoteEvent>, Stop> {
        let mut told = Vec::with_capacity(events.len());
        for event in events {
            if event.state != RemoteState::LeftView {
                told.push(event);
            } else if known.contains_key(&event.id) {
                told.extend(self.look_at(&event.id, unread).await?);
            } else if event.part.is_none() {
                // It may have been an occurrence: only its series tells.
                pass.lost = true;
            }
        }
        Ok(told)
    }

    /// Looks at one event. One that cannot be read does not stop the others: it goes to `unread`.
    async fn look_at(
        &self,
        id: &str,
        unread: &mut Vec<String>,
    ) -> Result<Option<RemoteEvent>, Stop> {
        match ask_provider(self.provider, self.calendar, id).await {
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

    /// After a full pass: asks for every mapped event it did not show. Absence alone deletes nothing.
    async fn unseen(
        &self,
        seen: &HashSet<String>,
        unread: &mut Vec<String>,
    ) -> Result<Vec<(Mapping, RemoteEvent)>, Stop> {
        let mut found = Vec::new();
        for mapping in self.mappings().await?.into_iter().filter(is_live) {
            let event = mapping
                .external_event_id
                .as_ref()
                .filter(|event| !seen.contains(*event));
            if let Some(event) = event {
                let event = self.look_at(event, unread).await?;
                found.extend(event.map(|event| (mapping, event)));
            }
        }
        Ok(found)
    }

    /// Asks for the exceptions of series that changed, where the provider's delta does not tell them all.
    async fn ask_for_exceptions(
        &self,
        pass: &mut Pass,
        unread: &mut Vec<String>,
    ) -> Result<(), Stop> {
        if pass.lost {
            let mappings = self.mappings().await?;
            let series = mappings.into_iter().filter(|row| {
                is_live(row)
                    && row.series_event_id.is_none()
                    && row
                        .base
                        .as_ref()
                        .is_some_and(|base| !base["repeats"].is_null())
            });
            for id in series.filter_map(|row| row.external_event_id) {
                pass.series.entry(id).or_insert(None);
            }
        }
        for (series, says) in std::mem::take(&mut pass.series) {
            let found = self.provider.exceptions(self.calendar, &series).await?;
            for event in found {
                if event.state == RemoteState::Deleted
                    && let Some(id) = self.stands_elsewhere(&event).await?
                {
                    // One that was put back is an event of its own; only a look tells how that one is.
                    if !pass.told.contains_key(&id) {
                        let seen = self.look_at(&id, unread).await?;
                        pass.told.extend(seen.map(|seen| (id, seen)));
                    }
                    continue;
                }
                pass.told.entry(event.id.clone()).or_insert(event);
            }
            self.look_for_forgotten(pass, &series, says.as_ref())
                .await?;
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
}

/// Sets the occurrences apart, and notes the series whose exceptions must be asked for: those that changed, and in a full
/// pass, which tells nothing of what is gone, all of them.
fn set_apart(events: Vec<RemoteEvent>, known: &Known, pass: &mut Pass) -> Vec<RemoteEvent> {
    let mut others = Vec::with_capacity(events.len());
    for event in events {
        let mapping = known.get(&event.id);
        let tied = mapping.is_some_and(|mapping| mapping.series_event_id.is_some());
        if tied || event.part.is_some() {
            pass.told.insert(event.id.clone(), event);
            continue;
        }
        if let RemoteState::Present(content) = &event.state
            && content.repeats.is_some()
        {
            let news = mapping.is_none_or(|mapping| mapping.external_etag != event.etag);
            if news || pass.is_full() {
                pass.series.insert(event.id.clone(), Some(content.clone()));
            }
            for gone in incoming::without(&event) {
                pass.told.insert(gone.id.clone(), gone);
            }
        }
        others.push(event);
    }
    others
}
