//! What goes out, worked out on a [`Plan`].

use daybind_domain::ids::EntryId;
use daybind_domain::schedule::EntryContent;
use daybind_ee_storage::Mapping;
use daybind_services::recurrence::occurrence;
use daybind_storage::{Entry, StorageResult};

use crate::event::canonical;
use crate::integrate::{base_of, flow, mark, of_occurrence, rules, set_base, words_of};
use crate::merge::{Flow, brakes, decide, differing};
use crate::push::{Task, rests, task};
use crate::removals::outgoing;
use crate::sync::{is_live, wanted};

use super::plan::{Carries, Plan, Side, Step, forget};

impl Plan {
    fn task(&self, at: usize) -> Task {
        let (mapping, entry) = (&self.mappings[at], self.due(at));
        let rests = rests(mapping, entry.as_ref(), self.now);
        task(&self.connection, mapping, entry.as_ref(), rests)
    }

    /// Events that the run would look at before it writes, because what they say is not known.
    #[must_use]
    pub fn to_look_at(&self) -> Vec<(usize, String)> {
        let unknown = (0..self.mappings.len()).filter(|at| {
            let state = self.mappings[*at].state.as_str();
            state != "synced" && !self.there.contains_key(at) && self.task(*at) == Task::Update
        });
        let events = unknown.map(|at| (at, self.mappings[at].external_event_id.clone()));
        events
            .filter_map(|(at, event)| Some((at, event?)))
            .collect()
    }

    /// The UIDs of events that the run would look for before it makes copies beside them.
    #[must_use]
    pub fn to_look_for(&self) -> Vec<String> {
        if !Flow::parse(&self.connection.direction).goes_out() {
            return Vec::new();
        }
        let new = self.entries.values().filter(|entry| {
            entry.occurrence_of.is_none()
                && !self.by_entry.contains_key(&entry.entry_id)
                && wanted(&self.connection, entry)
        });
        let uids = new.filter_map(|entry| self.elsewhere.uid(entry.entry_id));
        uids.map(str::to_owned).collect()
    }

    /// What goes out.
    ///
    /// # Errors
    /// See [`Self::take_in`].
    pub fn send(&mut self, carries: &Carries<'_>) -> StorageResult<()> {
        let is_part = |entry: Option<&Entry>| entry.is_some_and(|row| row.occurrence_of.is_some());
        let main: Vec<usize> = (0..self.mappings.len())
            .filter(|at| {
                let mapping = &self.mappings[*at];
                mapping.series_event_id.is_none() && !is_part(self.entries.get(&mapping.entry_id))
            })
            .collect();
        let live = self.mappings.iter().filter(|row| is_live(row)).count();
        let weigh = |mapping: &Mapping, entry: Option<&Entry>| {
            let rests = rests(mapping, entry, self.now);
            task(&self.connection, mapping, entry, rests)
        };
        let count = outgoing(&self.connection, &self.mappings, &self.entries, weigh).events;
        if brakes(count, live) && !self.answered("accept_out", count) && self.brake.is_none() {
            self.brake = Some((false, count));
        }
        for at in main {
            self.reconcile(at, carries)?;
        }
        if Flow::parse(&self.connection.direction).goes_out() {
            let new: Vec<Entry> = self
                .entries
                .values()
                .filter(|entry| {
                    entry.occurrence_of.is_none()
                        && !self.by_entry.contains_key(&entry.entry_id)
                        && wanted(&self.connection, entry)
                })
                .cloned()
                .collect();
            for entry in new {
                self.create_new(&entry, None, carries);
            }
        }
        self.send_occurrences(carries)
    }

    fn create_new(&mut self, entry: &Entry, home: Option<String>, carries: &Carries<'_>) {
        let content = canonical(&entry.content);
        let said = carries(&content);
        let event = said.is_ok().then(|| new_event(entry));
        let at = self.tie(entry, event, "schedule", &content);
        self.mappings[at].series_event_id = home;
        let id = Some(entry.entry_id);
        match said {
            Ok(()) => self.step(id, &entry.content, Side::Calendar, "created", None),
            Err(why) => {
                self.mappings[at].state = "failed".to_owned();
                self.step(id, &entry.content, Side::None, "refused", Some(why.word()));
            }
        }
    }

    fn reconcile(&mut self, at: usize, carries: &Carries<'_>) -> StorageResult<()> {
        let entry = self.due(at);
        match (self.task(at), entry) {
            (Task::Nothing, _) => {}
            (Task::Detach, _) => forget(&mut self.mappings[at]),
            (Task::Clear, entry) => {
                self.mappings[at].copy_left = false;
                let id = self.mappings[at].entry_id;
                if let Some(entry) = entry.or_else(|| self.entries.get(&id).cloned()) {
                    let (id, why) = (Some(id), Some("same_event"));
                    self.step(id, &entry.content, Side::Calendar, "removed", why);
                }
            }
            (Task::Again | Task::Create | Task::Retry, Some(entry)) => {
                let content = canonical(&entry.content);
                let said = carries(&content);
                let mapping = &mut self.mappings[at];
                set_base(mapping, Some(&content));
                mark(mapping, &[]);
                mapping.entry_version = entry.version;
                mapping.external_event_id = said.is_ok().then(|| new_event(&entry));
                let id = Some(entry.entry_id);
                match said {
                    Ok(()) => self.step(id, &entry.content, Side::Calendar, "created", None),
                    Err(why) => {
                        self.step(id, &entry.content, Side::None, "refused", Some(why.word()));
                    }
                }
            }
            (Task::Update, Some(entry)) => self.update(at, &entry, carries)?,
            (Task::Remove, entry) | (_, entry @ None) => {
                let known = entry.or_else(|| {
                    let id = self.mappings[at].entry_id;
                    self.entries.get(&id).cloned()
                });
                forget(&mut self.mappings[at]);
                if let Some(entry) = known {
                    let id = Some(entry.entry_id);
                    self.step(id, &entry.content, Side::Calendar, "removed", None);
                }
            }
        }
        Ok(())
    }

    fn update(&mut self, at: usize, entry: &Entry, carries: &Carries<'_>) -> StorageResult<()> {
        let mapping = &self.mappings[at];
        let base = base_of(mapping)?;
        let read = self.there.get(&at).map(|there| words_of(mapping, there));
        let there = match (mapping.state.as_str(), &base) {
            ("synced", Some(base)) => Some(base.clone()),
            _ => read,
        };
        let Some(there) = there.filter(|_| flow(&self.connection, mapping).goes_out()) else {
            return Ok(());
        };
        let there = of_occurrence(mapping, entry, base.as_ref(), &there);
        let rules = rules(&self.connection, mapping, entry, None);
        let outcome = decide(base.as_ref(), &canonical(&entry.content), &there, &rules);
        let fields = differing(&there, &outcome.remote);
        let id = Some(entry.entry_id);
        let mapping = &mut self.mappings[at];
        mapping.entry_version = entry.version;
        if fields.is_empty() {
            return Ok(());
        }
        if let Err(why) = carries(&outcome.remote) {
            self.step(id, &entry.content, Side::None, "refused", Some(why.word()));
            return Ok(());
        }
        set_base(mapping, Some(&outcome.base));
        mark(mapping, &outcome.conflicts);
        self.steps.push(Step {
            entry: id,
            content: outcome.remote.clone(),
            side: Side::Calendar,
            action: "changed",
            reason: None,
            fields: fields.clone(),
        });
        if entry.occurrence_of.is_none() {
            if let Some(was) = base.filter(|base| base.repeats.is_some()) {
                self.series_written(entry.entry_id, &was, &outcome.base)?;
            }
            self.series_moved(entry.entry_id, &fields);
        }
        Ok(())
    }

    /// An occurrence that says there just what its series says is none with values of its own for the calendar: it says
    /// what the series says after a write to that one, too.
    fn series_written(
        &mut self,
        series: EntryId,
        was: &EntryContent,
        is: &EntryContent,
    ) -> StorageResult<()> {
        for row in self.occurrences_of(series) {
            let tied = self.by_entry.get(&row.entry_id).copied();
            let (Some(at), Some(of)) = (tied, row.occurrence_of) else {
                continue;
            };
            let tie = &mut self.mappings[at];
            let within = tie.series_event_id.is_some() && tie.state == "synced";
            let plain = canonical(&occurrence(was, of.day));
            if within && base_of(tie)?.is_some_and(|base| differing(&base, &plain).is_empty()) {
                set_base(tie, Some(&canonical(&occurrence(is, of.day))));
            }
        }
        Ok(())
    }

    fn send_occurrences(&mut self, carries: &Carries<'_>) -> StorageResult<()> {
        let belongs = |row: &&Entry| {
            let at = self.by_entry.get(&row.entry_id);
            let tied = at.is_some_and(|at| self.mappings[*at].series_event_id.is_some());
            row.occurrence_of.is_some() || tied
        };
        let rows: Vec<Entry> = self.entries.values().filter(belongs).cloned().collect();
        for row in rows {
            let series = row
                .occurrence_of
                .and_then(|of| self.entries.get(&of.series));
            let series = series.filter(|series| {
                series.content.repeats.is_some() && wanted(&self.connection, series)
            });
            let home = match series.map(|series| series.entry_id) {
                None => None,
                Some(id) => match self.home(id)? {
                    None => continue,
                    home => home,
                },
            };
            let due = wanted(&self.connection, &row);
            match self.by_entry.get(&row.entry_id).copied() {
                None if !Flow::parse(&self.connection.direction).goes_out() => {}
                None if due => self.create_new(&row, home, carries),
                None if home.is_some() => {
                    let id = Some(row.entry_id);
                    self.step(id, &row.content, Side::Calendar, "removed", None);
                }
                None => {}
                Some(at) => self.occurrence_out(at, &row, due, home, carries)?,
            }
        }
        Ok(())
    }

    /// The event of a series, as far as its occurrences can hang on it.
    fn home(&self, series: EntryId) -> StorageResult<Option<String>> {
        let mapping = self.by_entry.get(&series).map(|at| &self.mappings[*at]);
        let known = |row: &&Mapping| is_live(row) && row.sent.is_none() && row.beside.is_none();
        let Some(mapping) = mapping.filter(known) else {
            return Ok(None);
        };
        let repeats = base_of(mapping)?.is_some_and(|base| base.repeats.is_some());
        Ok(mapping.external_event_id.clone().filter(|_| repeats))
    }

    fn occurrence_out(
        &mut self,
        at: usize,
        row: &Entry,
        due: bool,
        home: Option<String>,
        carries: &Carries<'_>,
    ) -> StorageResult<()> {
        let mapping = &self.mappings[at];
        if mapping.series_event_id == home || !flow(&self.connection, mapping).goes_out() {
            return self.reconcile(at, carries);
        }
        let id = Some(row.entry_id);
        // It belongs elsewhere from now on: what it was goes, and it is made anew.
        if mapping.state != "removed" {
            self.step(id, &row.content, Side::Calendar, "removed", None);
        }
        forget(&mut self.mappings[at]);
        if due {
            self.step(id, &row.content, Side::Calendar, "created", None);
        } else if home.is_some() {
            self.step(id, &row.content, Side::Calendar, "removed", None);
        }
        Ok(())
    }
}

/// The event that an entry will have.
fn new_event(entry: &Entry) -> String {
    format!("new-{}", entry.entry_id)
}
