//! How much a run is about to delete, for the brake. Pure: the run and its preview count alike.

use std::collections::{BTreeMap, HashSet};

use daybind_domain::ids::EntryId;
use daybind_ee_storage::{Connection, Mapping};
use daybind_storage::Entry;

use crate::merge::Flow;
use crate::occurrences::there;
use crate::push::Task;
use crate::sync::{is_live, wanted};

/// How much would be deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deletions {
    /// Events, occurrences of series among them.
    pub events: usize,
    /// So many of them are occurrences of series that stay.
    pub occurrences: usize,
}

/// What the calendar would lose. Counted are copies whose entry is gone, called off or somebody else's, and occurrences that
/// are taken out of a series that stays, whether they had values of their own or not. Not counted is what goes with its series,
/// what is made anew elsewhere, a copy beside the event it stands for, and what was taken out of a series before the calendar
/// had it. `entries` are those that mappings name and the occurrences of all series among them; `task` says what a mapping
/// needs.
#[must_use]
pub fn outgoing(
    connection: &Connection,
    mappings: &[Mapping],
    entries: &BTreeMap<EntryId, Entry>,
    task: impl Fn(&Mapping, Option<&Entry>) -> Task,
) -> Deletions {
    let due = |id: &EntryId| entries.get(id).filter(|entry| wanted(connection, entry));
    let of = |id: &EntryId| entries.get(id).and_then(|entry| entry.occurrence_of);
    let tied: BTreeMap<EntryId, &Mapping> =
        mappings.iter().map(|row| (row.entry_id, row)).collect();
    let goes = |row: &Mapping| {
        // What is on its way already was counted when it set out.
        row.state != "removing" && task(row, due(&row.entry_id)) == Task::Remove
    };
    let whole: HashSet<&str> = mappings
        .iter()
        .filter(|row| row.series_event_id.is_none() && (goes(row) || !is_live(row)))
        .filter_map(|row| row.external_event_id.as_deref())
        .collect();
    // One whose base cannot be read is left alone by the run, too.
    let known = |id: &EntryId| {
        let series = there(tied.get(id).copied());
        series.is_ok_and(|series| series.is_some())
    };
    let mut found = Deletions::default();
    for row in mappings.iter().filter(|row| goes(row)) {
        if row
            .series_event_id
            .as_deref()
            .is_some_and(|series| whole.contains(series))
        {
            continue;
        }
        if let Some(of) = of(&row.entry_id)
            && due(&of.series).is_some()
            && !known(&of.series)
        {
            // Where it is will be known when its series is.
            continue;
        }
        found.events += 1;
        found.occurrences += usize::from(row.series_event_id.is_some());
    }
    if !Flow::parse(&connection.direction).goes_out() {
        return found;
    }
    for entry in entries.values() {
        let Some(of) = entry.occurrence_of else {
            continue;
        };
        if tied.contains_key(&entry.entry_id) || wanted(connection, entry) {
            continue;
        }
        let series = tied.get(&of.series).copied();
        if due(&of.series).is_some()
            && known(&of.series)
            && series.is_some_and(|series| entry.updated_at > series.created_at)
        {
            found.events += 1;
            found.occurrences += 1;
        }
    }
    found
}
