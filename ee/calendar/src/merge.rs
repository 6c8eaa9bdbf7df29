//! The decisions at the heart of sync: pure, field by field.
//!
//! Of base (what both sides last agreed on), local and remote [`decide`] takes the side that changed. Where both
//! changed the same field to different values, the connection's [`Policy`] decides; it asks unless told otherwise, and
//! then neither side is overwritten. Times play a part only where the owner chose "the newest wins".
//! [`decide_deletion`] says what a deleted event means for an entry that may be other people's too.

use chrono::{DateTime, Utc};
use daybind_domain::schedule::{EntryContent, EntryStatus, When};
use daybind_words::t;

use crate::rules::same_clock;

/// The fields that travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// One line.
    Title,
    /// Free text.
    Notes,
    /// Free text.
    Location,
    /// When it takes place; of a series, its first occurrence.
    When,
    /// How it repeats.
    Repeat,
    /// Whether it takes its time.
    Shows,
    /// Whether its words are for everybody.
    Private,
}

impl Field {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Title,
        Self::Notes,
        Self::Location,
        Self::When,
        Self::Repeat,
        Self::Shows,
        Self::Private,
    ];

    /// Its word, as forms and the record name it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Notes => "notes",
            Self::Location => "location",
            Self::When => "time",
            Self::Repeat => "repetition",
            Self::Shows => "availability",
            Self::Private => "privacy",
        }
    }

    /// Its name within a sentence, in the language spoken.
    #[must_use]
    pub fn said(self) -> &'static str {
        match self {
            Self::Title => t!("field" => "title"),
            Self::Notes => t!("field" => "notes"),
            Self::Location => t!("field" => "location"),
            Self::When => t!("field" => "time"),
            Self::Repeat => t!("field" => "repetition"),
            Self::Shows => t!("field" => "availability"),
            Self::Private => t!("field" => "privacy"),
        }
    }

    /// Reads [`Self::word`].
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.word() == word)
    }

    fn same(self, a: &EntryContent, b: &EntryContent) -> bool {
        match self {
            Self::Title => a.title == b.title,
            Self::Notes => a.notes == b.notes,
            Self::Location => a.location == b.location,
            Self::When => same_time(&a.when, &b.when) && same_zone(a, b),
            Self::Repeat => a.repeats == b.repeats,
            Self::Shows => a.shows == b.shows,
            Self::Private => a.private == b.private,
        }
    }

    /// Takes the field over.
    pub fn copy(self, from: &EntryContent, to: &mut EntryContent) {
        match self {
            Self::Title => to.title.clone_from(&from.title),
            Self::Notes => to.notes.clone_from(&from.notes),
            Self::Location => to.location.clone_from(&from.location),
            Self::When => to.when = from.when.clone(),
            Self::Repeat => to.repeats.clone_from(&from.repeats),
            Self::Shows => to.shows = from.shows,
            Self::Private => to.private = from.private,
        }
    }
}

/// Two times are the same if the same instants (or days) are meant; the zone's name alone is no change, since providers
/// rename it.
fn same_time(a: &When, b: &When) -> bool {
    match (a, b) {
        (
            When::Timed { start, end, .. },
            When::Timed {
                start: s, end: e, ..
            },
        ) => start == s && end == e,
        (When::AllDay { start, end }, When::AllDay { start: s, end: e }) => start == s && end == e,
        _ => false,
    }
}

/// Of a series the zone says when the later ones take place; what counts is its clock, not its name.
fn same_zone(a: &EntryContent, b: &EntryContent) -> bool {
    match (&a.when, &b.when) {
        (When::Timed { start, zone, .. }, When::Timed { zone: other, .. })
            if a.repeats.is_some() && b.repeats.is_some() =>
        {
            same_clock(zone, other, *start)
        }
        _ => true,
    }
}

/// The fields in which two contents differ.
#[must_use]
pub fn differing(a: &EntryContent, b: &EntryContent) -> Vec<Field> {
    Field::ALL
        .into_iter()
        .filter(|field| !field.same(a, b))
        .collect()
}

/// Who wins where both sides changed the same field differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Policy {
    /// Nobody, until the technician says.
    #[default]
    Ask,
    /// The schedule.
    Schedule,
    /// The calendar.
    Calendar,
    /// The side changed last, by the schedule's and the provider's clocks; the schedule when they say the same or the
    /// provider's is silent.
    Newest,
}

impl Policy {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Ask, Self::Schedule, Self::Calendar, Self::Newest];

    /// The stored word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Schedule => "schedule",
            Self::Calendar => "calendar",
            Self::Newest => "newest",
        }
    }

    /// Reads the stored word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.as_str() == word)
    }
}

/// In which direction changes travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Both ways.
    Both,
    /// From the schedule to the calendar only; what was changed there is written over.
    Out,
    /// From the calendar to the schedule only; what was changed here stays until the calendar changes the same.
    In,
}

impl Flow {
    /// Reads a connection's stored direction; both ways for an unknown word.
    #[must_use]
    pub fn parse(direction: &str) -> Self {
        match direction {
            "to_external" => Self::Out,
            "from_external" => Self::In,
            _ => Self::Both,
        }
    }

    /// Whether schedule changes go out.
    #[must_use]
    pub fn goes_out(self) -> bool {
        self != Self::In
    }

    /// Whether calendar changes come in.
    #[must_use]
    pub fn comes_in(self) -> bool {
        self != Self::Out
    }
}

/// What a decision depends on besides the contents.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Who wins.
    pub policy: Policy,
    /// Which way.
    pub flow: Flow,
    /// When the entry was last changed.
    pub local_at: DateTime<Utc>,
    /// When the event was last changed, as the provider tells it.
    pub remote_at: Option<DateTime<Utc>>,
}

/// What each side should become. The work's status does not travel; the entry keeps its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The entry.
    pub local: EntryContent,
    /// The external event.
    pub remote: EntryContent,
    /// What both will have agreed on then; a field in conflict keeps its old base, so that the conflict stays seen.
    pub base: EntryContent,
    /// Fields nobody may decide but the technician.
    pub conflicts: Vec<Field>,
    /// The entry must be changed.
    pub apply: bool,
    /// The external event must be changed.
    pub push: bool,
}

enum Winner {
    Local,
    Remote,
    Nobody,
    /// The sides stay different, and that is fine.
    Both,
}

impl Rules {
    fn winner(&self, local_changed: bool, remote_changed: bool) -> Winner {
        match (self.flow, local_changed, remote_changed) {
            (Flow::Out, ..) | (Flow::Both, true, false) => Winner::Local,
            (Flow::In, true, false) => Winner::Both,
            (Flow::In, ..) | (Flow::Both, false, true) => Winner::Remote,
            // Both changed; or neither did and they differ all the same, as when the base is from elsewhere.
            (Flow::Both, ..) => match self.policy {
                Policy::Ask => Winner::Nobody,
                Policy::Schedule => Winner::Local,
                Policy::Calendar => Winner::Remote,
                Policy::Newest if self.remote_at.is_some_and(|at| at > self.local_at) => {
                    Winner::Remote
                }
                Policy::Newest => Winner::Local,
            },
        }
    }
}

/// Merges, field by field. Without a base every field counts as changed on both sides. Of a series time and rule go together:
/// the first occurrence is one by its own rule.
#[must_use]
pub fn decide(
    base: Option<&EntryContent>,
    local: &EntryContent,
    remote: &EntryContent,
    rules: &Rules,
) -> Outcome {
    let (mut here, mut there) = (local.clone(), remote.clone());
    let mut next = base.unwrap_or(remote).clone();
    let mut conflicts = Vec::new();
    let series = [Some(local), Some(remote), base]
        .into_iter()
        .flatten()
        .any(|content| content.repeats.is_some());
    let same = |field: Field, a: &EntryContent, b: &EntryContent| match field {
        Field::When | Field::Repeat if series => Field::When.same(a, b) && Field::Repeat.same(a, b),
        field => field.same(a, b),
    };
    for field in Field::ALL {
        if same(field, local, remote) {
            field.copy(remote, &mut next);
            continue;
        }
        let local_changed = base.is_none_or(|base| !same(field, base, local));
        let remote_changed = base.is_none_or(|base| !same(field, base, remote));
        match rules.winner(local_changed, remote_changed) {
            Winner::Local => {
                field.copy(local, &mut there);
                field.copy(local, &mut next);
            }
            Winner::Remote => {
                field.copy(remote, &mut here);
                field.copy(remote, &mut next);
            }
            Winner::Both => field.copy(remote, &mut next),
            Winner::Nobody => conflicts.push(field),
        }
    }
    there.status = EntryStatus::Scheduled;
    next.status = EntryStatus::Scheduled;
    Outcome {
        apply: !differing(local, &here).is_empty(),
        push: !differing(remote, &there).is_empty(),
        local: here,
        remote: there,
        base: next,
        conflicts,
    }
}

/// What to do when the event of an entry's sole assignee was deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeletionPolicy {
    /// The technician says.
    #[default]
    Ask,
    /// The work is called off.
    Cancel,
    /// The event is made again.
    PutBack,
}

impl DeletionPolicy {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ask, Self::Cancel, Self::PutBack];

    /// The stored word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Cancel => "cancel",
            Self::PutBack => "put_back",
        }
    }

    /// Reads the stored word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.as_str() == word)
    }
}

/// What a deleted event does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// The technician is taken off; the others go on.
    TakeOff,
    /// The entry is called off; it stays for the record.
    Cancel,
    /// The event is made again.
    PutBack,
    /// Nothing, until the technician says.
    Ask,
}

/// The entry is shared, the calendar is one person's: a deletion there never calls off what others work on.
#[must_use]
pub fn decide_deletion(flow: Flow, policy: DeletionPolicy, others: bool) -> Deletion {
    match (flow, others, policy) {
        (Flow::Out, ..) => Deletion::PutBack,
        (_, true, _) => Deletion::TakeOff,
        (_, false, DeletionPolicy::Ask) => Deletion::Ask,
        (_, false, DeletionPolicy::Cancel) => Deletion::Cancel,
        // Where nothing goes out, nothing can be put back.
        (Flow::In, false, DeletionPolicy::PutBack) => Deletion::Ask,
        (Flow::Both, false, DeletionPolicy::PutBack) => Deletion::PutBack,
    }
}

/// So many deletions in one run never need the owner's word.
pub const BRAKE_FREE: usize = 5;
/// Nor does this part of what there is: one in so many.
pub const BRAKE_PART: usize = 10;

/// Whether so many deletions in one run need the owner's word: more than [`BRAKE_FREE`] and more than one in
/// [`BRAKE_PART`] of what there is.
#[must_use]
pub fn brakes(deletions: usize, live: usize) -> bool {
    deletions > BRAKE_FREE && deletions * BRAKE_PART > live
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
