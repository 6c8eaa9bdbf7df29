//! Occurrences of series on their way out. The event of one that is an entry of its own belongs to the series' event, as long
//! as the technician has both; otherwise it is an event like any other.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use daybind_domain::ids::EntryId;
use daybind_domain::schedule::{EntryContent, When};
use daybind_ee_storage::{Mapping, calendar};
use daybind_services::recurrence::{occurrence, when_on};
use daybind_storage::{Entry, StorageResult, UnitOfWork};

use crate::doubts::Doubts;
use crate::event::canonical;
use crate::integrate::{base_of, flow, set_base};
use crate::merge::Flow;
use crate::provider::Original;
use crate::push::{Push, Task};
use crate::sync::{is_live, wanted};
use crate::tokens::Stop;

/// The series that an occurrence's event belongs to, as the calendar has it.
#[derive(Debug, Clone)]
pub struct Home {
    /// The provider's id of the series.
    pub event: String,
    /// Which occurrence it is there.
    pub original: Original,
    /// What it says there without values of its own.
    pub plain: EntryContent,
}

/// When the rule has the occurrence of a day take place.
#[must_use]
pub fn original(series: &EntryContent, day: NaiveDate) -> Original {
    match when_on(&series.when, day) {
        When::Timed { start, .. } => Original::At(start),
        When::AllDay { start, .. } => Original::Day(start),
    }
}

/// After a series was rewritten its occurrences are made anew: calendars drop their exceptions then, give them other ids, or
/// keep them, and all of it ends in the same.
///
/// # Errors
/// A storage error.
pub async fn look_again(
    unit: &mut dyn UnitOfWork,
    series: &Mapping,
    now: DateTime<Utc>,
) -> StorageResult<()> {
    let (tenant_id, connection) = (series.tenant_id, series.connection_id);
    for row in unit.list_occurrences(tenant_id, &[series.entry_id]).await? {
        let found = calendar(unit)?
            .find_mapping(tenant_id, connection, row.entry_id)
            .await?;
        let Some(mut mapping) = found.filter(|mapping| mapping.series_event_id.is_some()) else {
            continue;
        };
        if mapping.state == "conflict" {
            continue;
        }
        let state = if is_live(&mapping) {
            "creating"
        } else {
            "removing"
        };
        mapping.state = state.to_owned();
        mapping.external_event_id = None;
        mapping.external_etag = None;
        mapping.sent = None;
        mapping.attempts = 0;
        mapping.entry_version = row.version;
        mapping.updated_at = now;
        set_base(&mut mapping, Some(&canonical(&row.content)));
        calendar(unit)?.update_mapping(&mapping).await?;
    }
    Ok(())
}

/// A series' event and what both sides last agreed it says. None when it should be there and is not: its occurrences do not
/// travel without it.
pub type Series = Option<(String, EntryContent)>;

impl Push<'_, '_> {
    /// Brings every occurrence up to date that has values of its own: changed, moved, called off, or somebody else's. Works
    /// on what the series' own turn left, not on what was read before it.
    ///
    /// # Errors
    /// [`Stop`]
    pub async fn occurrences(
        &self,
        known: &BTreeMap<EntryId, Entry>,
        doubts: &mut Doubts,
    ) -> Result<(), Stop> {
        let lane = self.lane;
        let tenant_id = lane.connection.tenant_id;
        let mut mappings: BTreeMap<EntryId, Mapping> = lane
            .mappings()
            .await?
            .into_iter()
            .map(|mapping| (mapping.entry_id, mapping))
            .collect();
        let mut series = BTreeMap::new();
        for entry in known
            .values()
            .filter(|entry| entry.content.repeats.is_some())
        {
            if wanted(&lane.connection, entry) {
                series.insert(entry.entry_id, there(mappings.get(&entry.entry_id))?);
            }
        }
        let ids: Vec<EntryId> = series.keys().copied().collect();
        let mut unit = lane.engine.read(tenant_id).await?;
        let mut rows: BTreeMap<EntryId, Entry> = unit
            .list_occurrences(tenant_id, &ids)
            .await?
            .into_iter()
            .map(|row| (row.entry_id, row))
            .collect();
        for entry in known.values().filter(|entry| entry.occurrence_of.is_some()) {
            rows.entry(entry.entry_id).or_insert_with(|| entry.clone());
        }
        for mapping in mappings
            .values()
            .filter(|row| row.series_event_id.is_some())
        {
            if !rows.contains_key(&mapping.entry_id)
                && let Some(row) = unit.find_entry(tenant_id, mapping.entry_id).await?
            {
                rows.insert(row.entry_id, row);
            }
        }
        drop(unit);
        for row in rows.values() {
            let of = row.occurrence_of;
            let home = match of.and_then(|of| series.get(&of.series)) {
                Some(None) => continue,
                Some(Some((event, content))) => of.map(|of| Home {
                    event: event.clone(),
                    original: original(content, of.day),
                    plain: canonical(&occurrence(content, of.day)),
                }),
                None => None,
            };
            let mapping = mappings.remove(&row.entry_id);
            let done = self.occurrence(mapping, row, home.as_ref()).await;
            doubts
                .weigh(self, (row.entry_id, Some(row.version)), done)
                .await?;
        }
        Ok(())
    }

    async fn occurrence(
        &self,
        mapping: Option<Mapping>,
        row: &Entry,
        home: Option<&Home>,
    ) -> Result<(), Stop> {
        let connection = &self.lane.connection;
        let entry = Some(row).filter(|row| wanted(connection, row));
        let Some(mapping) = mapping else {
            if !Flow::parse(&connection.direction).goes_out() {
                return Ok(());
            }
            return match (entry, home) {
                (Some(entry), home) => self.create_new(entry, home).await,
                (None, Some(home)) => self.cancel_new(row, home).await,
                (None, None) => Ok(()),
            };
        };
        let task = self.task(&mapping, entry);
        let tied = mapping.series_event_id.as_ref() == home.map(|home| &home.event);
        if tied || !flow(connection, &mapping).goes_out() {
            return self.reconcile(task, mapping, entry, home).await;
        }
        self.tie_anew(mapping, row, entry.is_some(), home).await
    }

    /// The event belongs elsewhere from now on: to its series, to another one, or to none.
    async fn tie_anew(
        &self,
        mut mapping: Mapping,
        row: &Entry,
        wanted: bool,
        home: Option<&Home>,
    ) -> Result<(), Stop> {
        let (tenant_id, id) = (mapping.tenant_id, mapping.connection_id);
        if mapping.state != "removed" {
            // What it was goes, if it is still there.
            self.reconcile(Task::Remove, mapping, None, None).await?;
            let mut unit = self.lane.engine.read(tenant_id).await?;
            let current = calendar(unit.as_mut())?
                .find_mapping(tenant_id, id, row.entry_id)
                .await?;
            match current {
                Some(current) if current.state == "removed" => mapping = current,
                _ => return Ok(()),
            }
        }
        match home {
            _ if wanted => self.reconcile(Task::Again, mapping, Some(row), home).await,
            Some(home) => {
                mapping.series_event_id = Some(home.event.clone());
                mapping.external_event_id = None;
                mapping.external_etag = None;
                mapping.state = "removing".to_owned();
                self.reconcile(Task::Remove, mapping, None, Some(home))
                    .await
            }
            None => Ok(()),
        }
    }
}

/// See [`Series`].
///
/// # Errors
/// A base that cannot be read.
pub fn there(mapping: Option<&Mapping>) -> StorageResult<Series> {
    // A write whose answer was lost may have moved the series: where its occurrences are is not known until it is read.
    let known = mapping
        .filter(|mapping| is_live(mapping) && mapping.sent.is_none() && mapping.beside.is_none());
    let Some(mapping) = known else {
        return Ok(None);
    };
    let content = base_of(mapping)?.filter(|base| base.repeats.is_some());
    Ok(mapping.external_event_id.clone().zip(content))
}
