//! One event in several calendars of one person: an invitation sent to two of their addresses, a calendar that two accounts
//! show. It is one entry. One of the events speaks for it, the others stand beside it: nothing is read from them and nothing
//! written to them. When the one that speaks goes, one of the others takes its place.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use daybind_domain::ids::{ConnectionId, EntryId};
use daybind_domain::schedule::EntryContent;
use daybind_ee_storage::{Connection, Mapping, calendar};
use daybind_storage::{Entry, StorageResult, UnitOfWork};

use crate::activity::Noted;
use crate::admit::Import;
use crate::conflicts;
use crate::event::canonical;
use crate::integrate::{Inbound, base_of, imported, meeting_of, set_base};
use crate::provider::{RemoteEvent, RemoteState};
use crate::sync::{connections_of, is_live, wanted};

/// What another event of an entry is to it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time, taken apart at once"
)]
pub enum Place {
    /// It is only known.
    Known,
    /// It takes the place of the one that speaks when that one goes; its origin.
    Heir(&'static str),
    /// It says more than the one that spoke so far, and speaks from now on.
    Speaks {
        /// What it brings in.
        content: EntryContent,
        /// Its origin.
        origin: &'static str,
    },
}

impl Place {
    /// As it is stored: `beside` and `origin`.
    #[must_use]
    pub fn stored(&self) -> (Option<&'static str>, &'static str) {
        match self {
            // Never written to and never removed, like a block.
            Self::Known => (Some("known"), "busy"),
            Self::Heir(origin) => (Some("heir"), origin),
            Self::Speaks { origin, .. } => (None, origin),
        }
    }
}

/// Who says more: a block says only when, a guest's event is not written to, and an entry's own copy is the entry itself.
fn rank(origin: &str) -> u8 {
    match origin {
        "busy" => 0,
        "guest" => 1,
        "calendar" => 2,
        _ => 3,
    }
}

/// What becomes of an event which, were it alone, would be imported like this, beside one of that origin. The same whichever
/// of them is seen first.
#[must_use]
pub fn place(import: Import, speaker: &str) -> Place {
    match import {
        Import::Skip(_) => Place::Known,
        Import::Bring { content, origin } if rank(origin) > rank(speaker) => {
            Place::Speaks { content, origin }
        }
        Import::Bring { origin, .. } => Place::Heir(origin),
    }
}

/// The iCalendar UID by which an event is looked for in other calendars; none for what can be no other event of an entry:
/// occurrences, our own copies, what is gone or cannot be read.
#[must_use]
pub fn sought(event: &RemoteEvent) -> Option<(&str, &EntryContent)> {
    let RemoteState::Present(content) = &event.state else {
        return None;
    };
    let own = event.part.is_some() || event.about.copy_of.is_some();
    let uid = event.ical_uid.as_deref().filter(|_| !own)?;
    Some((uid, content))
}

/// Those of a person's ties with an event's UID that it may stand beside, most likely first: a series that was split has
/// several events with one UID.
///
/// # Errors
/// `Inconsistent` when a base cannot be read.
pub fn speakers<'m>(
    ties: &'m [Mapping],
    here: ConnectionId,
    content: &EntryContent,
) -> StorageResult<Vec<&'m Mapping>> {
    let mut found = Vec::new();
    for tie in ties {
        let speaks = tie.beside.is_none() && tie.external_event_id.is_some() && is_live(tie);
        if !speaks || tie.connection_id == here {
            continue;
        }
        let base = base_of(tie)?;
        if base
            .as_ref()
            .is_none_or(|base| base.repeats.is_some() == content.repeats.is_some())
        {
            let elsewhen = base.is_none_or(|base| base.when != content.when);
            found.push((elsewhen, tie));
        }
    }
    found.sort_by_key(|(elsewhen, _)| *elsewhen);
    Ok(found.into_iter().map(|(_, tie)| tie).collect())
}

/// The UID of an event that speaks for an entry which came from it.
#[must_use]
pub fn brought_in(tie: &Mapping) -> Option<&str> {
    let speaks = tie.beside.is_none() && tie.origin != "schedule" && is_live(tie);
    let uid = tie.external_ical_uid.as_deref();
    uid.filter(|_| speaks && tie.series_event_id.is_none())
}

/// Whether an entry has another event in this calendar that is no copy of it.
#[must_use]
pub fn taken(here: &Mapping) -> bool {
    is_live(here) && (here.beside.is_some() || here.origin != "schedule")
}

/// Whether one tie may take the place of another: work is not followed by a block without words.
#[must_use]
pub fn inherits(heir: &Mapping, speaker: &Mapping) -> bool {
    heir.beside.as_deref() == Some("heir")
        && is_live(heir)
        && speaker.origin != "schedule"
        && (heir.origin != "busy" || speaker.origin == "busy")
}

/// Has another event of the same person speak for an entry from now on, whose connection is to be queued then. `None` when
/// there is none. The caller stores what becomes of `speaker`.
///
/// # Errors
/// A storage error.
pub async fn hand_over(
    unit: &mut dyn UnitOfWork,
    connection: &Connection,
    speaker: &Mapping,
    entry: &Entry,
    now: DateTime<Utc>,
) -> StorageResult<Option<ConnectionId>> {
    if speaker.beside.is_some() || entry.occurrence_of.is_some() {
        return Ok(None);
    }
    let tenant_id = speaker.tenant_id;
    let ties = calendar(unit)?
        .list_entry_mappings(tenant_id, entry.entry_id)
        .await?;
    if !ties.iter().any(|tie| inherits(tie, speaker)) {
        return Ok(None);
    }
    let mine = connections_of(unit, tenant_id, &[connection.user_id]).await?;
    let heir = ties.into_iter().find(|tie| {
        inherits(tie, speaker)
            && tie.connection_id != speaker.connection_id
            && mine.contains(&tie.connection_id)
    });
    let Some(mut heir) = heir else {
        return Ok(None);
    };
    heir.beside = None;
    // What it says has to be looked at: it was left alone until now.
    heir.state = "failed".to_owned();
    heir.error = None;
    heir.attempts = 0;
    heir.external_etag = None;
    heir.entry_version = entry.version;
    heir.updated_at = now;
    set_base(&mut heir, Some(&canonical(&entry.content)));
    let rows = calendar(unit)?;
    rows.update_mapping(&heir).await?;
    rows.stand_beside(&heir).await?;
    forget_occurrences(unit, speaker, now).await?;
    Ok(Some(heir.connection_id))
}

/// Before a connection is erased: others of the same person speak for what it brought in. Those to be queued.
///
/// # Errors
/// A storage error.
pub async fn bequeath(
    unit: &mut dyn UnitOfWork,
    connection: &Connection,
    now: DateTime<Utc>,
) -> StorageResult<BTreeSet<ConnectionId>> {
    let (tenant_id, id) = (connection.tenant_id, connection.connection_id);
    let rows = calendar(unit)?;
    rows.lock_person(tenant_id, connection.user_id).await?;
    let mut heirs = BTreeSet::new();
    for tie in rows.list_mappings(tenant_id, id).await? {
        if tie.origin == "schedule" || tie.series_event_id.is_some() || !is_live(&tie) {
            continue;
        }
        let entry = unit.find_entry(tenant_id, tie.entry_id).await?;
        if let Some(entry) = entry.filter(|entry| wanted(connection, entry)) {
            heirs.extend(hand_over(unit, connection, &tie, &entry, now).await?);
        }
    }
    Ok(heirs)
}

/// The events of a series' occurrences in a tie's calendar are its affair no more.
async fn forget_occurrences(
    unit: &mut dyn UnitOfWork,
    series: &Mapping,
    now: DateTime<Utc>,
) -> StorageResult<()> {
    let (tenant_id, id) = (series.tenant_id, series.connection_id);
    for row in unit.list_occurrences(tenant_id, &[series.entry_id]).await? {
        let rows = calendar(unit)?;
        let found = rows.find_mapping(tenant_id, id, row.entry_id).await?;
        if let Some(mut tie) = found.filter(is_live) {
            tie.state = "removed".to_owned();
            tie.error = None;
            tie.updated_at = now;
            rows.update_mapping(&tie).await?;
            conflicts::settle(unit, &tie, "event_gone", now).await?;
        }
    }
    Ok(())
}

impl Inbound<'_> {
    /// Ties an event to the entry that another event of the same person with the same UID speaks for. Whether there is one;
    /// if not, the event is imported like any other.
    ///
    /// # Errors
    /// A storage error; the caller rolls back and the job runs again.
    pub async fn stands_elsewhere(
        &mut self,
        unit: &mut dyn UnitOfWork,
        event: &RemoteEvent,
    ) -> StorageResult<bool> {
        let Some((uid, content)) = sought(event) else {
            return Ok(false);
        };
        let (tenant_id, here) = (self.connection.tenant_id, self.connection.connection_id);
        let ties = calendar(unit)?
            .list_person_mappings(tenant_id, self.connection.user_id, Some(uid))
            .await?;
        for speaker in speakers(&ties, here, content)? {
            let entry = unit.find_entry(tenant_id, speaker.entry_id).await?;
            let Some(entry) = entry.filter(|entry| wanted(self.connection, entry)) else {
                continue;
            };
            let known = calendar(unit)?
                .find_mapping(tenant_id, here, entry.entry_id)
                .await?;
            if known.as_ref().is_some_and(taken) {
                continue;
            }
            self.join(unit, event, speaker, entry, known).await?;
            return Ok(true);
        }
        Ok(false)
    }

    /// Ties an event to an entry that has one in another calendar; `known` is what the entry had in this one, a copy.
    async fn join(
        &mut self,
        unit: &mut dyn UnitOfWork,
        event: &RemoteEvent,
        speaker: &Mapping,
        entry: Entry,
        known: Option<Mapping>,
    ) -> StorageResult<()> {
        let place = place(imported(self.connection, event), &speaker.origin);
        let (beside, origin) = place.stored();
        let blank = Mapping {
            mapping_id: self.engine.next_id().into(),
            connection_id: self.connection.connection_id,
            generation: 0,
            created_at: self.now,
            copy_left: false,
            answers: 0,
            ..speaker.clone()
        };
        let is_new = known.is_none();
        let was = known.unwrap_or(blank);
        if !is_new {
            forget_occurrences(unit, &was, self.now).await?;
            conflicts::settle(unit, &was, "event_gone", self.now).await?;
        }
        let mut mapping = Mapping {
            copy_left: !is_new && was.state != "removed",
            beside: beside.map(str::to_owned),
            origin: origin.to_owned(),
            external_event_id: Some(event.id.clone()),
            external_etag: event.etag.clone(),
            external_ical_uid: event.ical_uid.clone(),
            meeting_url: None,
            series_event_id: None,
            state: "synced".to_owned(),
            sent: None,
            error: None,
            attempts: 0,
            entry_version: entry.version,
            updated_at: self.now,
            ..was
        };
        set_base(&mut mapping, Some(&canonical(&entry.content)));
        let rows = calendar(unit)?;
        if is_new {
            rows.add_mapping(&mapping).await?;
        } else {
            rows.update_mapping(&mapping).await?;
            rows.stand_beside(&mapping).await?;
        }
        let noted = Noted {
            action: "skipped",
            reason: Some("same_event"),
            after: Some(&entry.content),
            ..Self::about(&mapping, "none")
        };
        self.note(unit, noted).await?;
        if let Place::Speaks { content, .. } = place {
            self.take_over(unit, mapping, speaker, entry, &content, event)
                .await?;
        }
        Ok(())
    }

    /// An event speaks from now on for the entry that another one spoke for, which stands beside it.
    async fn take_over(
        &mut self,
        unit: &mut dyn UnitOfWork,
        mut mapping: Mapping,
        speaker: &Mapping,
        entry: Entry,
        content: &EntryContent,
        event: &RemoteEvent,
    ) -> StorageResult<()> {
        let mut speaker = Mapping {
            beside: Some("heir".to_owned()),
            state: "synced".to_owned(),
            error: None,
            sent: None,
            meeting_url: None,
            updated_at: self.now,
            ..speaker.clone()
        };
        speaker.external_etag = None;
        let rows = calendar(unit)?;
        rows.update_mapping(&speaker).await?;
        rows.stand_beside(&speaker).await?;
        forget_occurrences(unit, &speaker, self.now).await?;
        conflicts::settle(unit, &speaker, "event_gone", self.now).await?;
        mapping.meeting_url = meeting_of(&mapping.origin, event);
        let at = event.about.changed_at;
        self.changed(unit, &mut mapping, entry, content, at).await
    }

    /// What an event that stands beside another one means: nothing, unless it is gone, or the rule of its connection makes
    /// something else of it.
    ///
    /// # Errors
    /// A storage error; the caller rolls back and the job runs again.
    pub async fn beside(
        &mut self,
        unit: &mut dyn UnitOfWork,
        mapping: &mut Mapping,
        entry: Option<Entry>,
        event: &RemoteEvent,
    ) -> StorageResult<()> {
        if event.state == RemoteState::Deleted {
            self.forget(unit, mapping).await?;
            let noted = Noted {
                action: "skipped",
                reason: Some("same_event_gone"),
                ..Self::about(mapping, "none")
            };
            return self.note(unit, noted).await;
        }
        let (Some((uid, _)), Some(entry)) = (sought(event), entry) else {
            return Ok(());
        };
        let ties = calendar(unit)?
            .list_person_mappings(mapping.tenant_id, self.connection.user_id, Some(uid))
            .await?;
        let speaker = ties
            .iter()
            .find(|tie| tie.entry_id == mapping.entry_id && tie.beside.is_none());
        let import = imported(self.connection, event);
        let place = match (speaker, import) {
            (Some(speaker), import) => place(import, &speaker.origin),
            // Nobody speaks any more.
            (None, Import::Bring { content, origin }) => Place::Speaks { content, origin },
            (None, Import::Skip(_)) => Place::Known,
        };
        let (beside, origin) = place.stored();
        if beside == mapping.beside.as_deref() && origin == mapping.origin {
            return Ok(());
        }
        mapping.beside = beside.map(str::to_owned);
        origin.clone_into(&mut mapping.origin);
        mapping.entry_version = entry.version;
        set_base(mapping, Some(&canonical(&entry.content)));
        let rows = calendar(unit)?;
        rows.update_mapping(mapping).await?;
        rows.stand_beside(mapping).await?;
        match (place, speaker) {
            (Place::Speaks { content, .. }, Some(speaker)) => {
                self.take_over(unit, mapping.clone(), speaker, entry, &content, event)
                    .await
            }
            (Place::Speaks { content, .. }, None) => {
                let at = event.about.changed_at;
                self.changed(unit, mapping, entry, &content, at).await
            }
            _ => Ok(()),
        }
    }

    /// The event that speaks is gone (or, with `there`, comes in no more): whether another one speaks from now on.
    pub(crate) async fn handed_over(
        &mut self,
        unit: &mut dyn UnitOfWork,
        mapping: &mut Mapping,
        entry: &Entry,
        there: bool,
    ) -> StorageResult<bool> {
        let heir = hand_over(unit, self.connection, mapping, entry, self.now).await?;
        let Some(heir) = heir else {
            return Ok(false);
        };
        self.pokes.insert(heir);
        mapping.beside = Some("known".to_owned());
        "busy".clone_into(&mut mapping.origin);
        calendar(unit)?.stand_beside(mapping).await?;
        if there {
            mapping.meeting_url = None;
            calendar(unit)?.update_mapping(mapping).await?;
        } else {
            self.forget(unit, mapping).await?;
        }
        let noted = Noted {
            action: "skipped",
            reason: Some("same_event"),
            after: Some(&entry.content),
            ..Self::about(mapping, "none")
        };
        self.note(unit, noted).await?;
        Ok(true)
    }
}

/// The entries of a person that events in their other calendars speak for, for those who work a run out beforehand.
#[derive(Debug, Default)]
pub struct Elsewhere {
    ties: Vec<Mapping>,
    /// Those of their entries that a run does not look at otherwise.
    entries: BTreeMap<EntryId, Entry>,
}

impl Elsewhere {
    /// Of a person's ties those of other connections.
    #[must_use]
    pub fn new(ties: Vec<Mapping>, here: ConnectionId) -> Self {
        let other = ties.into_iter().filter(|tie| tie.connection_id != here);
        Self {
            ties: other.collect(),
            entries: BTreeMap::new(),
        }
    }

    /// The entries of what another event could stand beside.
    #[must_use]
    pub fn ids(&self) -> Vec<EntryId> {
        let known = self.ties.iter();
        known
            .filter(|tie| tie.external_ical_uid.is_some() && tie.beside.is_none())
            .map(|tie| tie.entry_id)
            .collect()
    }

    /// One of them.
    pub fn add(&mut self, entry: Entry) {
        self.entries.insert(entry.entry_id, entry);
    }

    /// One of those that were added.
    #[must_use]
    pub fn entry(&self, id: EntryId) -> Option<&Entry> {
        self.entries.get(&id)
    }

    /// The UID of the event that an entry came from.
    #[must_use]
    pub fn uid(&self, entry: EntryId) -> Option<&str> {
        let mut ties = self.ties.iter();
        ties.find(|tie| tie.entry_id == entry && brought_in(tie).is_some())
            .and_then(brought_in)
    }

    /// Those an event may stand beside.
    ///
    /// # Errors
    /// See [`speakers`].
    pub fn speakers(&self, event: &RemoteEvent, here: ConnectionId) -> StorageResult<Vec<Mapping>> {
        let Some((uid, content)) = sought(event) else {
            return Ok(Vec::new());
        };
        let same = |tie: &&Mapping| tie.external_ical_uid.as_deref() == Some(uid);
        let ties: Vec<Mapping> = self.ties.iter().filter(same).cloned().collect();
        Ok(speakers(&ties, here, content)?
            .into_iter()
            .cloned()
            .collect())
    }

    /// Whether another event would take the place of a tie's.
    #[must_use]
    pub fn has_heir(&self, speaker: &Mapping) -> bool {
        speaker.beside.is_none()
            && self
                .ties
                .iter()
                .any(|tie| tie.entry_id == speaker.entry_id && inherits(tie, speaker))
    }
}
