//! Works out a run on copies in memory, with the decisions that the run itself makes. Pure.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use daybind_domain::ids::{EntryId, MappingId};
use daybind_domain::recurrence::OccurrenceOf;
use daybind_domain::schedule::EntryContent;
use daybind_ee_storage::{Connection, Mapping};
use daybind_storage::Entry;
use uuid::Uuid;

use crate::beside::Elsewhere;
use crate::event::canonical;
use crate::faults::Fault;
use crate::integrate::set_base;
use crate::merge::Field;
use crate::sync::{is_live, wanted};

/// Where something would be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Here.
    Schedule,
    /// There.
    Calendar,
    /// Nowhere.
    None,
}

/// One thing the run would do, or leave alone for a reason.
#[derive(Debug, Clone)]
pub struct Step {
    /// About which entry, if it is there yet.
    pub entry: Option<EntryId>,
    /// What it would say then, or says where nothing is done.
    pub content: EntryContent,
    /// Where.
    pub side: Side,
    /// `created`, `changed`, `removed`, `conflict`, `refused` or `skipped`, as the run would record it.
    pub action: &'static str,
    /// A short code that says why.
    pub reason: Option<&'static str>,
    /// What would change.
    pub fields: Vec<Field>,
}

/// Whether the calendar can say how a content repeats; if not, why.
pub type Carries<'a> = dyn Fn(&EntryContent) -> Result<(), Fault> + Send + Sync + 'a;

/// A run in the making.
pub struct Plan {
    pub(super) connection: Connection,
    pub(super) now: DateTime<Utc>,
    pub(super) entries: BTreeMap<EntryId, Entry>,
    pub(super) mappings: Vec<Mapping>,
    /// Mappings by their events, and by their entries.
    pub(super) by_event: HashMap<String, usize>,
    pub(super) by_entry: HashMap<EntryId, usize>,
    /// What speaks for entries in the person's other calendars.
    pub(super) elsewhere: Elsewhere,
    /// What events say that were read.
    pub(super) there: HashMap<usize, EntryContent>,
    /// What would be done, in order.
    pub steps: Vec<Step>,
    /// So many deletions that the run would stop and ask: whether they come in, and how many.
    pub brake: Option<(bool, usize)>,
}

impl Plan {
    /// Before anything is read. `entries` are those of the window, those that mappings name, and the occurrences of both that
    /// have values of their own.
    #[must_use]
    pub fn new(
        connection: Connection,
        mappings: Vec<Mapping>,
        entries: Vec<Entry>,
        elsewhere: Elsewhere,
        now: DateTime<Utc>,
    ) -> Self {
        let by_event = mappings.iter().enumerate().filter_map(|(at, row)| {
            let event = row.external_event_id.clone()?;
            Some((event, at))
        });
        let by_entry = mappings.iter().enumerate();
        Self {
            by_event: by_event.collect(),
            by_entry: by_entry.map(|(at, row)| (row.entry_id, at)).collect(),
            elsewhere,
            there: HashMap::new(),
            steps: Vec::new(),
            brake: None,
            entries: entries
                .into_iter()
                .map(|entry| (entry.entry_id, entry))
                .collect(),
            connection,
            mappings,
            now,
        }
    }

    pub(super) fn step(
        &mut self,
        entry: Option<EntryId>,
        content: &EntryContent,
        side: Side,
        action: &'static str,
        reason: Option<&'static str>,
    ) {
        self.steps.push(Step {
            entry,
            content: content.clone(),
            side,
            action,
            reason,
            fields: Vec::new(),
        });
    }

    pub(super) fn answered(&self, answer: &str, deletions: usize) -> bool {
        let asked = usize::try_from(self.connection.brake_count).unwrap_or(0);
        self.connection.brake.as_deref() == Some(answer) && deletions <= asked
    }

    /// The entry of a mapping, if the technician is to do it.
    pub(super) fn due(&self, at: usize) -> Option<Entry> {
        let entry = self.entries.get(&self.mappings[at].entry_id);
        entry
            .filter(|entry| wanted(&self.connection, entry))
            .cloned()
    }

    /// By day.
    pub(super) fn occurrences_of(&self, series: EntryId) -> Vec<Entry> {
        let rows = self.entries.values();
        let mut rows: Vec<Entry> = rows
            .filter(|row| row.occurrence_of.is_some_and(|of| of.series == series))
            .cloned()
            .collect();
        rows.sort_by_key(|row| row.occurrence_of.map(|of| of.day));
        rows
    }

    /// A series whose time or rule is rewritten loses its exceptions in the calendar; they are made anew.
    pub(super) fn series_moved(&mut self, series: EntryId, fields: &[Field]) {
        let moved = fields
            .iter()
            .any(|field| matches!(field, Field::When | Field::Repeat));
        if !moved {
            return;
        }
        for row in self.occurrences_of(series) {
            let Some(at) = self.by_entry.get(&row.entry_id) else {
                continue;
            };
            let mapping = &mut self.mappings[*at];
            if mapping.series_event_id.is_none() || mapping.state == "conflict" {
                continue;
            }
            let state = if is_live(mapping) {
                "creating"
            } else {
                "removing"
            };
            mapping.state = state.to_owned();
            mapping.external_event_id = None;
            mapping.external_etag = None;
            mapping.entry_version = row.version;
            mapping.attempts = 0;
            set_base(mapping, Some(&canonical(&row.content)));
        }
    }

    pub(super) fn forget_occurrences(&mut self, series: EntryId) {
        for row in self.occurrences_of(series) {
            if let Some(at) = self.by_entry.get(&row.entry_id) {
                forget(&mut self.mappings[*at]);
            }
        }
    }

    pub(super) fn new_entry(&self, content: EntryContent, of: Option<OccurrenceOf>) -> Entry {
        Entry {
            tenant_id: self.connection.tenant_id,
            entry_id: EntryId(Uuid::now_v7()),
            content,
            occurrence_of: of,
            assignees: vec![self.connection.user_id],
            version: 1,
            deleted_at: None,
            updated_at: self.now,
        }
    }

    pub(super) fn tie(
        &mut self,
        entry: &Entry,
        event: Option<String>,
        origin: &str,
        base: &EntryContent,
    ) -> usize {
        let at = self.mappings.len();
        let mut mapping = Mapping {
            tenant_id: entry.tenant_id,
            mapping_id: MappingId(Uuid::now_v7()),
            connection_id: self.connection.connection_id,
            entry_id: entry.entry_id,
            external_event_id: event.clone(),
            external_etag: None,
            external_ical_uid: None,
            series_event_id: None,
            meeting_url: None,
            beside: None,
            copy_left: false,
            answers: 0,
            state: "synced".to_owned(),
            origin: origin.to_owned(),
            generation: 0,
            base: None,
            sent: None,
            entry_version: entry.version,
            error: None,
            attempts: 0,
            created_at: self.now,
            updated_at: self.now,
        };
        set_base(&mut mapping, Some(base));
        self.mappings.push(mapping);
        self.by_entry.insert(entry.entry_id, at);
        self.by_event.extend(event.map(|event| (event, at)));
        at
    }
}

pub(super) fn forget(mapping: &mut Mapping) {
    mapping.state = "removed".to_owned();
    mapping.error = None;
    mapping.sent = None;
}
