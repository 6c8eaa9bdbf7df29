//! Occurrences of series on their way in. A plain one is its series' affair; one that differs becomes an entry of its own,
//! and from then on travels both ways.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use daybind_domain::ids::{EntryId, UserId};
use daybind_domain::schedule::{EntryContent, EntryStatus, When};
use daybind_ee_storage::{Connection, Mapping, calendar};
use daybind_services::recurrence::{first_day, has_day, occurrence};
use daybind_services::series::{reworded, standing_for};
use daybind_storage::{Entry, NewEntry, StorageResult, UnitOfWork};

use crate::activity::Noted;
use crate::event::canonical;
use crate::integrate::{Inbound, base_of, flow, meeting_of, set_base, words_of};
use crate::merge::{Field, differing};
use crate::occurrences::{look_again, original};
use crate::provider::{Original, RemoteEvent, RemoteState};
use crate::sync::{is_live, wanted};
use crate::zones;

/// The day by the series' rule that a provider means; none when the series, as it is there, has no occurrence then. Calendars
/// go on naming times that a rewritten series has left.
#[must_use]
pub fn day_of(series: &EntryContent, at: Original) -> Option<NaiveDate> {
    let rule = series.repeats.as_ref()?;
    let day = match (at, &series.when) {
        (Original::Day(day), _) => day,
        (Original::At(at), When::AllDay { .. }) => at.date_naive(),
        (Original::At(at), When::Timed { zone, .. }) => {
            let zone = zones::zone(zone).unwrap_or(Tz::UTC);
            let day = at.with_timezone(&zone).date_naive();
            if original(series, day) != Original::At(at) {
                return None;
            }
            day
        }
    };
    has_day(rule, first_day(&series.when), day).then_some(day)
}

/// A series, its tie to the calendar, and what it says there.
struct Known {
    mapping: Mapping,
    entry: Entry,
    there: EntryContent,
}

impl Inbound<'_> {
    /// Applies an occurrence's event: the provider's own, or what a tie says that it is.
    ///
    /// # Errors
    /// A storage error; the caller rolls back and the job runs again.
    pub async fn occurrence(
        &mut self,
        unit: &mut dyn UnitOfWork,
        event: &RemoteEvent,
    ) -> StorageResult<()> {
        let (tenant_id, id) = (self.connection.tenant_id, self.connection.connection_id);
        // Its series' turn may have changed everything: nothing read before it counts.
        let tied = calendar(unit)?
            .find_mapping_by_event(tenant_id, id, &event.id)
            .await?;
        let part = event.part.as_ref();
        let of = part
            .map(|part| part.series.clone())
            .or_else(|| tied.as_ref()?.series_event_id.clone());
        let Some(of) = of else {
            // It was given up meanwhile.
            return Ok(());
        };
        let Some(series) = self.series(unit, &of).await? else {
            // The fate of the series decided about it, or the series is none of ours.
            return Ok(());
        };
        let row = match &tied {
            Some(mapping) => unit.find_entry(tenant_id, mapping.entry_id).await?,
            None => None,
        };
        let day = match part.and_then(|part| part.original) {
            Some(at) => day_of(&series.there, at),
            None => row
                .as_ref()
                .and_then(|row| row.occurrence_of)
                .and_then(|of| day_of(&series.there, Original::Day(of.day))),
        };
        let Some(day) = day else {
            // A time the series has left: its own occurrences are looked at again instead.
            return Ok(());
        };
        let row = match row {
            Some(row) => Some(row),
            None => unit
                .list_occurrences(tenant_id, &[series.entry.entry_id])
                .await?
                .into_iter()
                .find(|row| row.occurrence_of.is_some_and(|of| of.day == day)),
        };
        let tied = match (tied, &row) {
            (None, Some(row)) => {
                calendar(unit)?
                    .find_mapping(tenant_id, id, row.entry_id)
                    .await?
            }
            (tied, _) => tied,
        };
        self.apply_occurrence(unit, event, &series, day, row, tied)
            .await
    }

    async fn series(&self, unit: &mut dyn UnitOfWork, event: &str) -> StorageResult<Option<Known>> {
        let (tenant_id, id) = (self.connection.tenant_id, self.connection.connection_id);
        let rows = calendar(unit)?;
        let Some(mapping) = rows
            .find_mapping_by_event(tenant_id, id, event)
            .await?
            // While somebody has to decide about the series, what it says there is not known here.
            .filter(|mapping| {
                is_live(mapping) && mapping.state != "conflict" && mapping.beside.is_none()
            })
        else {
            return Ok(None);
        };
        let there = base_of(&mapping)?.filter(|base| base.repeats.is_some());
        let entry = unit.find_entry(tenant_id, mapping.entry_id).await?;
        let entry = entry.filter(|entry| entry.content.repeats.is_some());
        Ok(there.zip(entry).map(|(there, entry)| Known {
            mapping,
            entry,
            there,
        }))
    }

    async fn apply_occurrence(
        &mut self,
        unit: &mut dyn UnitOfWork,
        event: &RemoteEvent,
        series: &Known,
        day: NaiveDate,
        row: Option<Entry>,
        tied: Option<Mapping>,
    ) -> StorageResult<()> {
        if let Some(mut mapping) = tied {
            let due = row.is_some_and(|row| wanted(self.connection, &row));
            return self.tied(unit, event, series, &mut mapping, due).await;
        }
        let plain = canonical(&occurrence(&series.there, day));
        let gone = event.state == RemoteState::Deleted;
        let remote = match &event.state {
            RemoteState::Present(content) => Some(words_of(&series.mapping, content)),
            _ => None,
        };
        // It is as private as its series, whatever is told of it alone.
        let remote = remote.map(|remote| EntryContent {
            private: plain.private,
            ..remote
        });
        let differs = remote
            .as_ref()
            .is_some_and(|remote| !differing(remote, &plain).is_empty());
        if !gone && !differs {
            return Ok(());
        }
        let row = match row {
            Some(row) => row,
            None if !wanted(self.connection, &series.entry) => return Ok(()),
            None => self.stand(unit, &series.entry, day).await?,
        };
        if !wanted(self.connection, &row) {
            // It is called off or somebody else's already; the push that follows says so there.
            return Ok(());
        }
        let mut mapping = self.tie(series, &row, event, &plain);
        calendar(unit)?.add_mapping(&mapping).await?;
        match remote {
            Some(remote) => {
                let at = event.about.changed_at;
                self.changed(unit, &mut mapping, row, &remote, at).await
            }
            None => self.deleted(unit, &mut mapping, Some(row)).await,
        }
    }

    /// An occurrence that has its own entry and its own tie; `due` if the technician is to do it.
    async fn tied(
        &mut self,
        unit: &mut dyn UnitOfWork,
        event: &RemoteEvent,
        series: &Known,
        mapping: &mut Mapping,
        due: bool,
    ) -> StorageResult<()> {
        let gone = event.state == RemoteState::Deleted;
        let out = flow(self.connection, mapping).goes_out();
        match mapping.state.as_str() {
            // The push that follows makes it what the schedule says, and finds what was changed meanwhile.
            "removing" => Ok(()),
            "creating" if out => Ok(()),
            // Called off is called off: one that was restored over there is taken out again.
            "removed" if gone || due || !out => Ok(()),
            "removed" => {
                mapping.state = "removing".to_owned();
                mapping.external_event_id = Some(event.id.clone());
                mapping.external_etag.clone_from(&event.etag);
                mapping.series_event_id = series.mapping.external_event_id.clone();
                mapping.updated_at = self.now;
                calendar(unit)?.update_mapping(mapping).await
            }
            // What is gone from the series is not the event that stands for it now.
            _ if gone && mapping.external_event_id.as_ref() != Some(&event.id) => Ok(()),
            _ => {
                if mapping.external_event_id.as_ref() != Some(&event.id) {
                    mapping.external_event_id = Some(event.id.clone());
                    mapping.external_etag = None;
                }
                self.integrate(unit, mapping, event).await
            }
        }
    }

    /// Gives an occurrence an entry of its own, with what the schedule says about it.
    async fn stand(
        &mut self,
        unit: &mut dyn UnitOfWork,
        series: &Entry,
        day: NaiveDate,
    ) -> StorageResult<Entry> {
        let new = NewEntry {
            entry_id: EntryId(self.engine.next_id()),
            ..standing_for(self.engine, series, day, self.connection.user_id)
        };
        unit.add_entry(&new, self.now).await?;
        self.poke(unit, &new.assignees).await?;
        Ok(Entry {
            tenant_id: new.tenant_id,
            entry_id: new.entry_id,
            content: new.content,
            occurrence_of: new.occurrence_of,
            assignees: new.assignees,
            version: 1,
            deleted_at: None,
            updated_at: self.now,
        })
    }

    fn tie(
        &self,
        series: &Known,
        row: &Entry,
        event: &RemoteEvent,
        plain: &EntryContent,
    ) -> Mapping {
        let mut mapping = Mapping {
            mapping_id: self.engine.next_id().into(),
            entry_id: row.entry_id,
            external_event_id: Some(event.id.clone()),
            external_etag: event.etag.clone(),
            external_ical_uid: event.ical_uid.clone(),
            series_event_id: series.mapping.external_event_id.clone(),
            state: "synced".to_owned(),
            generation: 0,
            sent: None,
            meeting_url: meeting_of(&series.mapping.origin, event),
            entry_version: row.version,
            error: None,
            attempts: 0,
            created_at: self.now,
            updated_at: self.now,
            ..series.mapping.clone()
        };
        set_base(&mut mapping, Some(plain));
        mapping
    }

    /// The series was taken off, called off or removed because its event is gone: its occurrences' events went with it, and
    /// so do their entries.
    pub(crate) async fn occurrences_go_along(
        &mut self,
        unit: &mut dyn UnitOfWork,
        mapping: &Mapping,
        series: &Entry,
    ) -> StorageResult<()> {
        let (tenant_id, id) = (mapping.tenant_id, mapping.connection_id);
        for mut row in unit.list_occurrences(tenant_id, &[series.entry_id]).await? {
            let found = calendar(unit)?
                .find_mapping(tenant_id, id, row.entry_id)
                .await?;
            if let Some(mut mapping) = found.filter(is_live) {
                self.forget(unit, &mut mapping).await?;
            }
            if !wanted(self.connection, &row) {
                continue;
            }
            let (people, before) = (row.assignees.clone(), row.content.clone());
            if series.deleted_at.is_some() {
                row.deleted_at = series.deleted_at;
            } else if series.content.status == EntryStatus::Cancelled || people.len() == 1 {
                row.content.status = EntryStatus::Cancelled;
            } else {
                row.assignees
                    .retain(|user| *user != self.connection.user_id);
            }
            unit.update_entry(&row, self.now).await?;
            self.poke(unit, &people).await?;
            let noted = Noted {
                entry: Some(row.entry_id),
                action: "changed",
                reason: Some("series_gone"),
                before: Some(&before),
                after: Some(&row.content),
                ..Self::about(mapping, "schedule")
            };
            self.note(unit, noted).await?;
        }
        Ok(())
    }

    /// The calendar reworded a series: its occurrences in the schedule follow it, and are looked at again in the calendar,
    /// which forgets its exceptions then.
    pub(crate) async fn series_reworded(
        &mut self,
        unit: &mut dyn UnitOfWork,
        mapping: &Mapping,
        was: &Entry,
        now: &Entry,
    ) -> StorageResult<()> {
        if was.content.repeats.is_none() {
            return Ok(());
        }
        let people = reworded(unit, was, now, self.now).await?;
        self.poke(unit, &people).await?;
        let fields = differing(&canonical(&was.content), &canonical(&now.content));
        let moved = fields
            .iter()
            .any(|field| matches!(field, Field::When | Field::Repeat));
        if moved && flow(self.connection, mapping).goes_out() {
            look_again(unit, mapping, self.now).await?;
        }
        Ok(())
    }
}

/// Takes an occurrence from its technician: others go on with it, and nobody else's is called off.
fn let_go(connection: &Connection, row: &mut Entry) {
    if row.assignees.iter().any(|user| *user != connection.user_id) {
        row.assignees.retain(|user| *user != connection.user_id);
    } else {
        row.content.status = EntryStatus::Cancelled;
    }
}

/// What somebody decided about a series, for its occurrences with values of their own. Returns who is concerned.
///
/// # Errors
/// A storage error.
pub async fn decided(
    unit: &mut dyn UnitOfWork,
    connection: &Connection,
    mapping: &Mapping,
    (was, is): (&EntryContent, &Entry),
    now: DateTime<Utc>,
) -> StorageResult<Vec<UserId>> {
    if was.repeats.is_none() {
        return Ok(Vec::new());
    }
    if is.content.status != EntryStatus::Cancelled {
        let before = Entry {
            content: was.clone(),
            ..is.clone()
        };
        let people = reworded(unit, &before, is, now).await?;
        if flow(connection, mapping).goes_out() {
            look_again(unit, mapping, now).await?;
        }
        return Ok(people);
    }
    let mut people = Vec::new();
    for mut row in unit
        .list_occurrences(mapping.tenant_id, &[is.entry_id])
        .await?
    {
        if wanted(connection, &row) {
            people.extend(&row.assignees);
            let_go(connection, &mut row);
            unit.update_entry(&row, now).await?;
        }
    }
    Ok(people)
}

/// Days of a series without an occurrence, as events that are gone.
#[must_use]
pub fn without(series: &RemoteEvent) -> Vec<RemoteEvent> {
    series
        .without
        .iter()
        .map(|day| RemoteEvent {
            part: Some(crate::provider::Part {
                series: series.id.clone(),
                original: Some(Original::Day(*day)),
            }),
            ..RemoteEvent::deleted(&format!("{}/{day}", series.id))
        })
        .collect()
}

/// In which order occurrences are taken in: by series and day, so that lanes which share some agree on it.
#[must_use]
pub fn order(event: &RemoteEvent) -> (Option<String>, Option<DateTime<Utc>>, String) {
    let part = event.part.as_ref();
    let at = part.and_then(|part| part.original).map(|at| match at {
        Original::At(at) => at,
        Original::Day(day) => day.and_time(chrono::NaiveTime::MIN).and_utc(),
    });
    (part.map(|part| part.series.clone()), at, event.id.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use daybind_domain::schedule::ShowAs;

    /// W9: an occurrence is known by the time its rule gives it; what a provider says about times the series has left (after
    /// it was moved, or its rule changed) means none of its occurrences.
    #[test]
    fn occurrences_are_known_by_their_own_time() {
        let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        let timed = EntryContent {
            title: "Visit".to_owned(),
            notes: String::new(),
            location: String::new(),
            when: When::Timed {
                start: at("2026-10-20T07:00:00Z"),
                end: at("2026-10-20T08:00:00Z"),
                zone: "Europe/Berlin".to_owned(),
            },
            repeats: Some("FREQ=WEEKLY;BYDAY=TU;COUNT=3".parse().unwrap()),
            shows: ShowAs::Busy,
            private: false,
            status: EntryStatus::Scheduled,
        };
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        for (original, found) in [
            (Original::At(at("2026-10-20T07:00:00Z")), Some("2026-10-20")),
            // After the clocks changed.
            (Original::At(at("2026-10-27T08:00:00Z")), Some("2026-10-27")),
            (Original::At(at("2026-10-27T07:00:00Z")), None),
            (Original::At(at("2026-10-28T08:00:00Z")), None),
            (Original::At(at("2026-11-10T08:00:00Z")), None),
            (Original::Day(day("2026-11-03")), Some("2026-11-03")),
            (Original::Day(day("2026-11-04")), None),
        ] {
            assert_eq!(day_of(&timed, original), found.map(day), "{original:?}");
        }
        let whole = EntryContent {
            when: When::AllDay {
                start: day("2026-10-20"),
                end: day("2026-10-21"),
            },
            ..timed.clone()
        };
        for original in [
            Original::Day(day("2026-10-27")),
            Original::At(at("2026-10-27T00:00:00Z")),
        ] {
            assert_eq!(day_of(&whole, original), Some(day("2026-10-27")));
        }
        let single = EntryContent {
            repeats: None,
            ..timed
        };
        assert_eq!(
            day_of(&single, Original::At(at("2026-10-20T07:00:00Z"))),
            None
        );
    }
}
