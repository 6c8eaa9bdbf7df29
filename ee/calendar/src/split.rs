//! A series that its owner split in the calendar ("this and following"): it ends earlier there, and another one goes on. That
//! one is the following half of the entry's series, with what it had: who does the work, and what differs on single days.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use chrono_tz::Tz;
use daybind_domain::ids::{EntryId, MappingId};
use daybind_domain::recurrence::End;
use daybind_domain::schedule::{EntryContent, When};
use daybind_ee_storage::{Connection, Mapping, calendar};
use daybind_services::recurrence::{first_day, has_day, when_on};
use daybind_services::series::continued;
use daybind_storage::{Entry, NewEntry, StorageResult, UnitOfWork};

use crate::activity::Noted;
use crate::event::canonical;
use crate::integrate::{Inbound, base_of, flow, meeting_of, set_base, words_of};
use crate::merge::{Flow, differing};
use crate::occurrences::look_again;
use crate::provider::{Continues, Original, ProviderError, RemoteEvent, RemoteState};
use crate::reading::Page;
use crate::sync::{Lane, is_live, wanted};
use crate::tokens::Stop;
use crate::zones;

/// What a series goes on with.
#[derive(Debug, Clone)]
pub struct Half {
    /// The tie of the series that was split.
    pub of: Mapping,
    /// What both sides last agreed it says.
    pub there: EntryContent,
    /// The first of its days that are the new series' affair.
    pub day: NaiveDate,
}

/// Which of a connection's series an event goes on with: of those that came of the series it names, the last that begins
/// before it.
///
/// # Errors
/// `Inconsistent` when a base cannot be read.
pub fn half<'m>(
    ties: impl Iterator<Item = &'m Mapping>,
    event: &RemoteEvent,
) -> StorageResult<Option<Half>> {
    let (Some(split), RemoteState::Present(content)) = (&event.about.continues, &event.state)
    else {
        return Ok(None);
    };
    let mut found: Option<Half> = None;
    for tie in ties {
        let same = tie.external_event_id.as_ref().is_some_and(|id| {
            let rest = id.strip_prefix(&split.series);
            *id != event.id && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("_R"))
        });
        if !same || !is_live(tie) || tie.beside.is_some() || tie.series_event_id.is_some() {
            continue;
        }
        let Some(there) = base_of(tie)?.filter(|base| base.repeats.is_some()) else {
            continue;
        };
        let (first, day) = (first_day(&there.when), begins(&there, split, content));
        let later = found
            .as_ref()
            .is_none_or(|half| first_day(&half.there.when) < first);
        if first < day && later {
            let of = tie.clone();
            found = Some(Half { of, there, day });
        }
    }
    Ok(found)
}

/// Whether a series ends earlier in the calendar than was agreed, and is the same otherwise: it may have been split.
///
/// # Errors
/// `Inconsistent` when the base cannot be read.
pub fn ends_earlier(mapping: &Mapping, event: &RemoteEvent) -> StorageResult<bool> {
    let RemoteState::Present(content) = &event.state else {
        return Ok(false);
    };
    let news = event.etag.is_none() || event.etag != mapping.external_etag;
    let speaks = mapping.beside.is_none() && mapping.series_event_id.is_none();
    let Some(End::Until(last)) = content.repeats.as_ref().map(|rule| rule.end) else {
        return Ok(false);
    };
    if !news || !speaks {
        return Ok(false);
    }
    let base = base_of(mapping)?.and_then(|base| base.repeats);
    Ok(base.is_some_and(|rule| match rule.end {
        End::Never | End::Count(_) => true,
        End::Until(was) => last < was,
    }))
}

/// Whether an event that is nobody's may be what a series that ends earlier now goes on with: a series that begins on one of the
/// days it had, and has its title or its time.
///
/// # Errors
/// `Inconsistent` when the base cannot be read.
pub fn fits(mapping: &Mapping, short: &RemoteEvent, other: &RemoteEvent) -> StorageResult<bool> {
    let (RemoteState::Present(short), RemoteState::Present(new)) = (&short.state, &other.state)
    else {
        return Ok(false);
    };
    let about = &other.about;
    if new.repeats.is_none() || about.guest || about.copy_of.is_some() {
        return Ok(false);
    }
    let Some(base) = base_of(mapping)? else {
        return Ok(false);
    };
    let (Some(was), Some(is)) = (&base.repeats, &short.repeats) else {
        return Ok(false);
    };
    let (first, day) = (first_day(&base.when), first_day(&new.when));
    let cut_off = has_day(was, first, day) && !has_day(is, first_day(&short.when), day);
    let there = EntryContent {
        repeats: None,
        ..new.clone()
    };
    let then = EntryContent {
        when: when_on(&base.when, day),
        ..there.clone()
    };
    let alike = new.title == base.title || differing(&then, &there).is_empty();
    Ok(cut_off && alike)
}

/// A series that may have been split is agreed about no more: shorter there and as it was here, the question is which. Not where
/// the schedule alone says what is so.
///
/// # Errors
/// `Inconsistent` when the base cannot be read.
pub fn doubt(
    connection: &Connection,
    mapping: &mut Mapping,
    event: &RemoteEvent,
) -> StorageResult<()> {
    if event.about.perhaps_split
        && Flow::parse(&connection.direction).comes_in()
        && let Some(base) = base_of(mapping)?
    {
        let repeats = None;
        set_base(mapping, Some(&EntryContent { repeats, ..base }));
    }
    Ok(())
}

/// The day by the old series' rule on which the new one begins.
fn begins(there: &EntryContent, split: &Continues, content: &EntryContent) -> NaiveDate {
    match (split.original, &there.when) {
        (Some(Original::Day(day)), _) => day,
        (Some(Original::At(at)), When::Timed { zone, .. }) => {
            let zone = zones::zone(zone).unwrap_or(Tz::UTC);
            at.with_timezone(&zone).date_naive()
        }
        (Some(Original::At(at)), When::AllDay { .. }) => at.date_naive(),
        (None, _) => first_day(&content.when),
    }
}

/// The tie of the new series.
#[must_use]
pub fn tie(half: &Half, mapping_id: MappingId, entry_id: EntryId, event: &RemoteEvent) -> Mapping {
    Mapping {
        mapping_id,
        entry_id,
        external_event_id: Some(event.id.clone()),
        external_etag: event.etag.clone(),
        external_ical_uid: event.ical_uid.clone(),
        meeting_url: meeting_of(&half.of.origin, event),
        state: "synced".to_owned(),
        generation: 0,
        sent: None,
        entry_version: 1,
        error: None,
        attempts: 0,
        ..half.of.clone()
    }
}

/// Whether a connection writes over what its calendar's owner splits: then the following half there goes, because the
/// series goes on as the schedule says.
#[must_use]
pub fn is_taken_back(connection: &Connection) -> bool {
    Flow::parse(&connection.direction) == Flow::Out
}

impl Lane<'_> {
    /// Removes the following halves that a page tells of, where the schedule does not follow. Before the page is committed, so
    /// that one that could not be removed is told again.
    ///
    /// # Errors
    /// [`Stop`]
    pub async fn take_back(&self, page: &Page) -> Result<(), Stop> {
        let goes_on = |event: &&RemoteEvent| event.about.continues.is_some();
        let told: Vec<_> = page.there.iter().filter(goes_on).collect();
        if told.is_empty() || !is_taken_back(&self.connection) {
            return Ok(());
        }
        let ties = self.mappings().await?;
        for event in told {
            let tied = ties
                .iter()
                .any(|tie| tie.external_event_id.as_ref() == Some(&event.id));
            if let Some(half) = half(ties.iter(), event)?.filter(|_| !tied) {
                self.remove_half(&half, event).await?;
            }
        }
        Ok(())
    }

    async fn remove_half(&self, half: &Half, event: &RemoteEvent) -> Result<(), Stop> {
        let (engine, tenant_id) = (self.engine, self.connection.tenant_id);
        let mut unit = engine.begin(tenant_id).await?;
        let old = unit.find_entry(tenant_id, half.of.entry_id).await?;
        let series =
            old.is_some_and(|old| wanted(&self.connection, &old) && old.content.repeats.is_some());
        // The lane is still ours, and the connection as it was.
        self.commit(unit, BTreeSet::new()).await?;
        if !series {
            return Ok(());
        }
        engine.point("call.before_send").await;
        let removed = match self.provider.delete(&self.calendar, &event.id, None).await {
            Ok(()) => true,
            // It stays, and the others are not held up.
            Err(ProviderError::Permanent(_)) => false,
            Err(other) => return Err(other.into()),
        };
        engine.point("call.after_response").await;
        let noted = Noted {
            entry: Some(half.of.entry_id),
            event: Some(&event.id),
            side: if removed { "calendar" } else { "none" },
            action: if removed { "removed" } else { "skipped" },
            actor: "schedule",
            before: match &event.state {
                RemoteState::Present(content) => Some(content),
                _ => None,
            },
            reason: Some(if removed { "split" } else { "perhaps_split" }),
            ..Noted::default()
        };
        let mut unit = engine.begin(tenant_id).await?;
        let id = engine.next_id();
        self.run
            .note(unit.as_mut(), id, noted, engine.now())
            .await?;
        self.commit(unit, BTreeSet::new()).await
    }
}

impl Inbound<'_> {
    /// Takes an event in as the following half of a series. Whether it is one.
    ///
    /// # Errors
    /// A storage error; the caller rolls back and the job runs again.
    pub async fn goes_on(
        &mut self,
        unit: &mut dyn UnitOfWork,
        event: &RemoteEvent,
    ) -> StorageResult<bool> {
        let comes_in = Flow::parse(&self.connection.direction).comes_in();
        let RemoteState::Present(content) = &event.state else {
            return Ok(false);
        };
        if event.about.continues.is_none() || !comes_in {
            return Ok(false);
        }
        let (tenant_id, id) = (self.connection.tenant_id, self.connection.connection_id);
        let ties = calendar(unit)?.list_mappings(tenant_id, id).await?;
        let Some(half) = half(ties.iter(), event)? else {
            return Ok(false);
        };
        let old = unit.find_entry(tenant_id, half.of.entry_id).await?;
        let old = old.filter(|old| wanted(self.connection, old) && old.content.repeats.is_some());
        let Some(old) = old else {
            return Ok(false);
        };
        let content = EntryContent {
            status: old.content.status,
            ..words_of(&half.of, content)
        };
        let added = NewEntry {
            tenant_id,
            entry_id: EntryId(self.engine.next_id()),
            content: content.clone(),
            occurrence_of: None,
            assignees: old.assignees.clone(),
            created_by: self.connection.user_id,
        };
        unit.add_entry(&added, self.now).await?;
        let new = Entry {
            entry_id: added.entry_id,
            content,
            version: 1,
            updated_at: self.now,
            ..old.clone()
        };
        let mut mapping = tie(&half, self.engine.next_id().into(), new.entry_id, event);
        mapping.created_at = self.now;
        mapping.updated_at = self.now;
        set_base(&mut mapping, Some(&canonical(&new.content)));
        calendar(unit)?.add_mapping(&mapping).await?;
        let mut people = continued(unit, &old, &new, half.day, self.now).await?;
        people.extend(&new.assignees);
        self.poke(unit, &people).await?;
        self.move_ties(unit, &mapping).await?;
        let noted = Noted {
            action: "created",
            after: Some(&new.content),
            reason: Some("split"),
            ..Self::about(&mapping, "schedule")
        };
        self.note(unit, noted).await?;
        Ok(true)
    }

    /// The events of occurrences that belong to the new series now are its occurrences'.
    async fn move_ties(&self, unit: &mut dyn UnitOfWork, series: &Mapping) -> StorageResult<()> {
        let (tenant_id, id) = (series.tenant_id, series.connection_id);
        for row in unit.list_occurrences(tenant_id, &[series.entry_id]).await? {
            let rows = calendar(unit)?;
            let found = rows.find_mapping(tenant_id, id, row.entry_id).await?;
            if let Some(mut tie) = found.filter(|tie| tie.series_event_id.is_some()) {
                tie.series_event_id.clone_from(&series.external_event_id);
                tie.updated_at = self.now;
                rows.update_mapping(&tie).await?;
            }
        }
        if flow(self.connection, series).goes_out() {
            look_again(unit, series, self.now).await?;
        }
        Ok(())
    }
}
