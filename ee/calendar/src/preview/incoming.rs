//! What comes in, worked out on a [`Plan`].

use chrono::{DateTime, Utc};
use daybind_domain::recurrence::OccurrenceOf;
use daybind_domain::schedule::{EntryContent, EntryStatus};
use daybind_ee_storage::Mapping;
use daybind_services::recurrence::occurrence;
use daybind_services::series::{continuing, rewording};
use daybind_storage::{Entry, StorageResult};

use crate::admit::Import;
use crate::beside::{Place, place, taken};
use crate::event::canonical;
use crate::incoming::day_of;
use crate::integrate::{
    answered_base, base_of, deletion, flow, imported, is_over, of_occurrence, rules, settle,
    words_of,
};
use crate::merge::{Deletion, Field, Flow, brakes, decide, differing};
use crate::provider::{Original, RemoteEvent, RemoteState};
use crate::pull::losses;
use crate::reading::Page;
use crate::split;
use crate::sync::{is_live, wanted};

use super::plan::{Plan, Side, Step, forget};

impl Plan {
    /// What a page brings in.
    ///
    /// # Errors
    /// `Inconsistent` when what is noted about an entry cannot be read.
    pub fn take_in(&mut self, page: &Page) -> StorageResult<()> {
        let lost = losses(page, &self.mappings).events;
        let live = self.mappings.iter().filter(|row| is_live(row)).count();
        let answered = self.answered("accept_in", lost) || self.answered("put_back", lost);
        if Flow::parse(&self.connection.direction).comes_in() && brakes(lost, live) && !answered {
            self.brake = Some((true, lost));
        }
        for event in page.there.iter().chain(&page.gone) {
            match self.by_event.get(&event.id).copied() {
                Some(at) if is_live(&self.mappings[at]) => self.event(at, event)?,
                Some(_) => {}
                None if self.stands_elsewhere(event)? || self.goes_on(event)? => {}
                None => self.import(event),
            }
        }
        for event in &page.occurrences {
            self.occurrence(event)?;
        }
        Ok(())
    }

    /// An event that was looked for by its UID.
    ///
    /// # Errors
    /// See [`Self::take_in`].
    pub fn found(&mut self, event: &RemoteEvent) -> StorageResult<()> {
        if !self.by_event.contains_key(&event.id) {
            self.stands_elsewhere(event)?;
        }
        Ok(())
    }

    /// What an event means for its entry.
    ///
    /// # Errors
    /// See [`Self::take_in`].
    pub fn event(&mut self, at: usize, event: &RemoteEvent) -> StorageResult<()> {
        let entry = self.due(at);
        if self.mappings[at].beside.is_some() {
            if event.state == RemoteState::Deleted {
                forget(&mut self.mappings[at]);
            }
            return Ok(());
        }
        if is_over(&self.connection, &self.mappings[at], event) {
            self.let_go(at, entry);
            return Ok(());
        }
        let known = event.etag.is_some() && event.etag == self.mappings[at].external_etag;
        match &event.state {
            RemoteState::Deleted => self.deleted(at, entry),
            RemoteState::LeftView => {}
            RemoteState::Present(content) if known => {
                self.there.insert(at, content.clone());
            }
            RemoteState::Unsupported(_) if known => {}
            RemoteState::Unsupported(fault) => {
                mark_asked(&mut self.mappings[at], event);
                if let Some(entry) = entry {
                    let id = Some(entry.entry_id);
                    self.step(
                        id,
                        &entry.content,
                        Side::None,
                        "skipped",
                        Some(fault.word()),
                    );
                }
            }
            RemoteState::Present(content) => {
                self.mappings[at].external_etag.clone_from(&event.etag);
                self.there.insert(at, content.clone());
                let Some(entry) = entry else {
                    return Ok(());
                };
                split::doubt(&self.connection, &mut self.mappings[at], event)?;
                if event.about.perhaps_split && split::is_taken_back(&self.connection) {
                    let (id, why) = (Some(entry.entry_id), Some("perhaps_split"));
                    self.step(id, &entry.content, Side::None, "skipped", why);
                }
                let remote = words_of(&self.mappings[at], content);
                self.changed(at, entry, &remote, event.about.changed_at)?;
            }
        }
        Ok(())
    }

    fn changed(
        &mut self,
        at: usize,
        mut entry: Entry,
        remote: &EntryContent,
        remote_at: Option<DateTime<Utc>>,
    ) -> StorageResult<()> {
        let mapping = &mut self.mappings[at];
        let local = canonical(&entry.content);
        let base = answered_base(mapping, remote)?;
        let remote = &of_occurrence(mapping, &entry, base.as_ref(), remote);
        let rules = rules(&self.connection, mapping, &entry, remote_at);
        let outcome = decide(base.as_ref(), &local, remote, &rules);
        let (seen, asked) = (entry.version, mapping.state == "conflict");
        let fields = differing(&local, &outcome.local);
        let was = entry.clone();
        if outcome.apply {
            entry.content = EntryContent {
                status: entry.content.status,
                ..outcome.local.clone()
            };
            entry.version += 1;
            entry.updated_at = self.now;
        }
        settle(mapping, &outcome, remote, (seen, entry.version));
        let id = entry.entry_id;
        if !outcome.conflicts.is_empty() && !asked {
            let content = entry.content.clone();
            self.step(
                Some(id),
                &content,
                Side::None,
                "conflict",
                Some("both_changed"),
            );
            if let Some(step) = self.steps.last_mut() {
                step.fields.clone_from(&outcome.conflicts);
            }
        }
        if outcome.apply {
            self.steps.push(Step {
                entry: Some(id),
                content: entry.content.clone(),
                side: Side::Schedule,
                action: "changed",
                reason: None,
                fields: fields.clone(),
            });
            if was.content.repeats.is_some() {
                let rows = self.occurrences_of(id);
                for mut row in rewording(rows, &was, &entry, self.now) {
                    row.version += 1;
                    row.updated_at = self.now;
                    self.entries.insert(row.entry_id, row);
                }
            }
            self.entries.insert(id, entry);
            if flow(&self.connection, &self.mappings[at]).goes_out() {
                self.series_moved(id, &fields);
            }
        }
        Ok(())
    }

    fn deleted(&mut self, at: usize, entry: Option<Entry>) {
        let Some(mut entry) = entry else {
            forget(&mut self.mappings[at]);
            return;
        };
        if self.hand_over(at) {
            forget(&mut self.mappings[at]);
            return;
        }
        let user = self.connection.user_id;
        let others = entry.assignees.iter().any(|other| *other != user);
        let busy = self.mappings[at].origin == "busy";
        let (action, reason) = match deletion(&self.connection, &self.mappings[at], others) {
            Deletion::TakeOff => {
                entry.assignees.retain(|other| *other != user);
                ("changed", "taken_off")
            }
            Deletion::Ask | Deletion::Cancel if busy => {
                entry.deleted_at = Some(self.now);
                ("removed", "event_deleted")
            }
            Deletion::Cancel => {
                entry.content.status = EntryStatus::Cancelled;
                ("changed", "cancelled")
            }
            Deletion::PutBack => {
                forget(&mut self.mappings[at]);
                return;
            }
            Deletion::Ask => {
                let mapping = &mut self.mappings[at];
                let asked = mapping.state == "conflict";
                mapping.state = "conflict".to_owned();
                mapping.entry_version = entry.version;
                mapping.external_etag = None;
                if !asked {
                    let (id, why) = (Some(entry.entry_id), Some("event_deleted"));
                    self.step(id, &entry.content, Side::None, "conflict", why);
                }
                return;
            }
        };
        forget(&mut self.mappings[at]);
        let id = Some(entry.entry_id);
        self.step(id, &entry.content, Side::Schedule, action, Some(reason));
        let series = entry.content.repeats.is_some().then(|| entry.clone());
        self.entries.insert(entry.entry_id, entry);
        if let Some(series) = series {
            self.occurrences_go_along(&series);
        }
    }

    fn let_go(&mut self, at: usize, entry: Option<Entry>) {
        if entry.is_some() && self.hand_over(at) {
            return;
        }
        forget(&mut self.mappings[at]);
        if let Some(event) = self.mappings[at].external_event_id.take() {
            self.by_event.remove(&event);
        }
        let Some(mut entry) = entry else {
            return;
        };
        let action = if entry.assignees.len() > 1 {
            let user = self.connection.user_id;
            entry.assignees.retain(|other| *other != user);
            "changed"
        } else {
            entry.deleted_at = Some(self.now);
            "removed"
        };
        let (id, why) = (Some(entry.entry_id), Some("not_brought_in"));
        self.step(id, &entry.content, Side::Schedule, action, why);
        let series = entry.content.repeats.is_some().then(|| entry.clone());
        self.entries.insert(entry.entry_id, entry);
        if let Some(series) = series {
            self.occurrences_go_along(&series);
        }
    }

    fn occurrences_go_along(&mut self, series: &Entry) {
        for mut row in self.occurrences_of(series.entry_id) {
            if let Some(at) = self.by_entry.get(&row.entry_id) {
                forget(&mut self.mappings[*at]);
            }
            if !wanted(&self.connection, &row) {
                continue;
            }
            let user = self.connection.user_id;
            if series.deleted_at.is_some() {
                row.deleted_at = series.deleted_at;
            } else if series.content.status == EntryStatus::Cancelled || row.assignees.len() == 1 {
                row.content.status = EntryStatus::Cancelled;
            } else {
                row.assignees.retain(|other| *other != user);
            }
            let (id, why) = (Some(row.entry_id), Some("series_gone"));
            self.step(id, &row.content, Side::Schedule, "changed", why);
            self.entries.insert(row.entry_id, row);
        }
    }

    /// Whether another event of the person speaks from now on for what this one spoke for.
    fn hand_over(&mut self, at: usize) -> bool {
        let passed = self.elsewhere.has_heir(&self.mappings[at]);
        if passed {
            self.mappings[at].beside = Some("known".to_owned());
            let entry = self.mappings[at].entry_id;
            self.forget_occurrences(entry);
        }
        passed
    }

    /// Whether an event is the following half of a series that was split there.
    fn goes_on(&mut self, event: &RemoteEvent) -> StorageResult<bool> {
        let comes_in = Flow::parse(&self.connection.direction).comes_in();
        let RemoteState::Present(content) = &event.state else {
            return Ok(false);
        };
        let taken_back = split::is_taken_back(&self.connection);
        let half = split::half(self.mappings.iter(), event)?.filter(|_| comes_in || taken_back);
        let Some(half) = half else {
            return Ok(false);
        };
        let old = self.entries.get(&half.of.entry_id).cloned();
        let old = old.filter(|old| wanted(&self.connection, old) && old.content.repeats.is_some());
        let Some(old) = old else {
            return Ok(false);
        };
        if taken_back {
            let (id, why) = (Some(old.entry_id), Some("split"));
            self.step(id, content, Side::Calendar, "removed", why);
            return Ok(true);
        }
        let content = EntryContent {
            status: old.content.status,
            ..words_of(&half.of, content)
        };
        let mut new = self.new_entry(content, None);
        new.assignees.clone_from(&old.assignees);
        let base = canonical(&new.content);
        let at = self.tie(&new, Some(event.id.clone()), &half.of.origin, &base);
        self.mappings[at].external_etag.clone_from(&event.etag);
        self.step(None, &new.content, Side::Schedule, "created", None);
        let rows = self.occurrences_of(old.entry_id);
        for mut row in continuing(rows, &old, &new, half.day, self.now) {
            row.version += 1;
            row.updated_at = self.now;
            let tied = self.by_entry.get(&row.entry_id).copied();
            if let Some(tied) = tied.filter(|_| row.occurrence_of.is_some()) {
                let tie = &mut self.mappings[tied];
                if tie.series_event_id.is_some() {
                    tie.series_event_id = Some(event.id.clone());
                }
            }
            self.entries.insert(row.entry_id, row);
        }
        let id = new.entry_id;
        self.entries.insert(id, new);
        if flow(&self.connection, &self.mappings[at]).goes_out() {
            self.series_moved(id, &[Field::When]);
        }
        Ok(true)
    }

    /// Whether an event belongs to an entry that has one in another calendar of the person.
    fn stands_elsewhere(&mut self, event: &RemoteEvent) -> StorageResult<bool> {
        let here = self.connection.connection_id;
        for speaker in self.elsewhere.speakers(event, here)? {
            let id = speaker.entry_id;
            let entry = self.entries.get(&id).or_else(|| self.elsewhere.entry(id));
            let Some(entry) = entry.cloned() else {
                continue;
            };
            let known = self.by_entry.get(&id).copied();
            if !wanted(&self.connection, &entry)
                || known.is_some_and(|at| taken(&self.mappings[at]))
            {
                continue;
            }
            let place = place(imported(&self.connection, event), &speaker.origin);
            let (beside, origin) = place.stored();
            let base = canonical(&entry.content);
            if known.is_some() {
                self.forget_occurrences(id);
            }
            let copy = known.is_some_and(|at| self.mappings[at].state != "removed");
            self.entries.insert(id, entry.clone());
            let at = self.tie(&entry, Some(event.id.clone()), origin, &base);
            let mapping = &mut self.mappings[at];
            mapping.external_etag.clone_from(&event.etag);
            mapping.beside = beside.map(str::to_owned);
            mapping.copy_left = copy;
            if let Some(old) = known {
                // The one tie there is says both: the row it had is not looked at again.
                forget(&mut self.mappings[old]);
                self.mappings[old].beside = Some("known".to_owned());
            }
            let why = Some("same_event");
            self.step(Some(id), &entry.content, Side::None, "skipped", why);
            if let Place::Speaks { content, .. } = place {
                self.there.insert(at, content.clone());
                self.changed(at, entry, &content, event.about.changed_at)?;
            }
            return Ok(true);
        }
        Ok(false)
    }

    fn import(&mut self, event: &RemoteEvent) {
        let RemoteState::Present(content) = &event.state else {
            return;
        };
        match imported(&self.connection, event) {
            Import::Skip(reason) => {
                let content = content.clone();
                self.step(None, &content, Side::None, "skipped", Some(reason));
            }
            Import::Bring { content, origin } => {
                let entry = self.new_entry(content.clone(), None);
                let at = self.tie(&entry, Some(event.id.clone()), origin, &content);
                self.mappings[at].external_etag.clone_from(&event.etag);
                self.step(None, &content, Side::Schedule, "created", None);
                self.entries.insert(entry.entry_id, entry);
            }
        }
    }

    fn occurrence(&mut self, event: &RemoteEvent) -> StorageResult<()> {
        let tied = self.by_event.get(&event.id).copied();
        let part = event.part.as_ref();
        let of = part.map(|part| part.series.clone());
        let Some(of) = of.or_else(|| self.mappings[tied?].series_event_id.clone()) else {
            return Ok(());
        };
        let series = self.by_event.get(&of).copied().filter(|at| {
            let mapping = &self.mappings[*at];
            is_live(mapping) && mapping.state != "conflict" && mapping.beside.is_none()
        });
        let Some(series) = series else {
            return Ok(());
        };
        let there = base_of(&self.mappings[series])?.filter(|base| base.repeats.is_some());
        let entry = self.entries.get(&self.mappings[series].entry_id);
        let entry = entry
            .filter(|entry| entry.content.repeats.is_some())
            .cloned();
        let Some((there, entry)) = there.zip(entry) else {
            return Ok(());
        };
        let row = tied
            .and_then(|at| self.entries.get(&self.mappings[at].entry_id))
            .cloned();
        let named = part.and_then(|part| part.original);
        let own = || Some(Original::Day(row.as_ref()?.occurrence_of?.day));
        let Some(day) = named.or_else(own).and_then(|at| day_of(&there, at)) else {
            return Ok(());
        };
        let of = OccurrenceOf {
            series: entry.entry_id,
            day,
        };
        let row = row.or_else(|| {
            let mut rows = self.occurrences_of(entry.entry_id).into_iter();
            rows.find(|row| row.occurrence_of == Some(of))
        });
        let by_row = row
            .as_ref()
            .and_then(|row| self.by_entry.get(&row.entry_id));
        if let Some(at) = tied.or(by_row.copied()) {
            let due = row.is_some_and(|row| wanted(&self.connection, &row));
            return self.tied(at, series, event, due);
        }
        let plain = canonical(&occurrence(&there, day));
        let gone = event.state == RemoteState::Deleted;
        let remote = match &event.state {
            RemoteState::Present(content) => Some(EntryContent {
                private: plain.private,
                ..words_of(&self.mappings[series], content)
            }),
            _ => None,
        };
        let differs = remote
            .as_ref()
            .is_some_and(|remote| !differing(remote, &plain).is_empty());
        if !gone && !differs {
            return Ok(());
        }
        let row = match row {
            Some(row) => row,
            None if !wanted(&self.connection, &entry) => return Ok(()),
            None => {
                let mut row = self.new_entry(occurrence(&entry.content, day), Some(of));
                row.assignees.clone_from(&entry.assignees);
                self.entries.insert(row.entry_id, row.clone());
                row
            }
        };
        if !wanted(&self.connection, &row) {
            return Ok(());
        }
        let origin = self.mappings[series].origin.clone();
        let at = self.tie(&row, Some(event.id.clone()), &origin, &plain);
        self.mappings[at].series_event_id = self.mappings[series].external_event_id.clone();
        self.mappings[at].external_etag.clone_from(&event.etag);
        match remote {
            Some(remote) => {
                self.there.insert(at, remote.clone());
                self.changed(at, row, &remote, event.about.changed_at)
            }
            None => {
                self.deleted(at, Some(row));
                Ok(())
            }
        }
    }

    fn tied(
        &mut self,
        at: usize,
        series: usize,
        event: &RemoteEvent,
        due: bool,
    ) -> StorageResult<()> {
        let gone = event.state == RemoteState::Deleted;
        let home = self.mappings[series].external_event_id.clone();
        let mapping = &mut self.mappings[at];
        let out = flow(&self.connection, mapping).goes_out();
        match mapping.state.as_str() {
            "removing" => {}
            "creating" if out => {}
            "removed" if gone || due || !out => {}
            "removed" => {
                mapping.state = "removing".to_owned();
                mapping.external_event_id = Some(event.id.clone());
                mapping.series_event_id = home;
            }
            _ if gone && mapping.external_event_id.as_ref() != Some(&event.id) => {}
            _ => {
                if mapping.external_event_id.as_ref() != Some(&event.id) {
                    mapping.external_event_id = Some(event.id.clone());
                    mapping.external_etag = None;
                }
                return self.event(at, event);
            }
        }
        Ok(())
    }
}

fn mark_asked(mapping: &mut Mapping, event: &RemoteEvent) {
    mapping.state = "conflict".to_owned();
    mapping.external_etag.clone_from(&event.etag);
}
