//! The three-way merge at the heart of sync: pure, field by field.
//!
//! Of base (what both sides last agreed on), local and remote it takes the side that changed. Where both changed the
//! same field to different values, neither is overwritten and the field is reported as a conflict. No clock decides
//! anything.

use daybind_domain::schedule::{EntryContent, EntryStatus, When};

/// The fields that travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// One line.
    Title,
    /// Free text.
    Notes,
    /// Free text.
    Location,
    /// When it takes place.
    When,
}

impl Field {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Title, Self::Notes, Self::Location, Self::When];

    /// The word shown.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Notes => "notes",
            Self::Location => "location",
            Self::When => "time",
        }
    }

    fn same(self, a: &EntryContent, b: &EntryContent) -> bool {
        match self {
            Self::Title => a.title == b.title,
            Self::Notes => a.notes == b.notes,
            Self::Location => a.location == b.location,
            Self::When => same_time(&a.when, &b.when),
        }
    }

    fn copy(self, from: &EntryContent, to: &mut EntryContent) {
        match self {
            Self::Title => to.title.clone_from(&from.title),
            Self::Notes => to.notes.clone_from(&from.notes),
            Self::Location => to.location.clone_from(&from.location),
            Self::When => to.when = from.when.clone(),
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

/// The fields in which two contents differ.
#[must_use]
pub fn differing(a: &EntryContent, b: &EntryContent) -> Vec<Field> {
    Field::ALL
        .into_iter()
        .filter(|field| !field.same(a, b))
        .collect()
}

/// What each side should become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The entry; `None` when it must go.
    pub local: Option<EntryContent>,
    /// The external event; `None` when it must go.
    pub remote: Option<EntryContent>,
    /// The next base; a field in conflict keeps its old one, so that the conflict stays seen.
    pub base: Option<EntryContent>,
    /// Fields both sides changed differently.
    pub conflicts: Vec<Field>,
    /// The entry must be changed.
    pub apply: bool,
    /// The external event must be changed.
    pub push: bool,
}

/// Merges. A side that is `None` was deleted, and deletion wins: both go. The work's status does not travel; the
/// entry keeps its own.
#[must_use]
pub fn merge(
    base: Option<&EntryContent>,
    local: Option<&EntryContent>,
    remote: Option<&EntryContent>,
) -> Outcome {
    let (Some(local), Some(remote)) = (local, remote) else {
        return Outcome {
            local: None,
            remote: None,
            base: None,
            conflicts: Vec::new(),
            apply: local.is_some(),
            push: remote.is_some(),
        };
    };
    let (mut here, mut there) = (local.clone(), remote.clone());
    let mut next = base.unwrap_or(remote).clone();
    let mut conflicts = Vec::new();
    for field in Field::ALL {
        if field.same(local, remote) {
            field.copy(remote, &mut next);
            continue;
        }
        let local_changed = base.is_none_or(|base| !field.same(base, local));
        let remote_changed = base.is_none_or(|base| !field.same(base, remote));
        match (local_changed, remote_changed) {
            (true, false) => {
                field.copy(local, &mut there);
                field.copy(local, &mut next);
            }
            (false, true) => {
                field.copy(remote, &mut here);
                field.copy(remote, &mut next);
            }
            _ => conflicts.push(field),
        }
    }
    there.status = EntryStatus::Scheduled;
    next.status = EntryStatus::Scheduled;
    Outcome {
        apply: !differing(local, &here).is_empty(),
        push: !differing(remote, &there).is_empty(),
        local: Some(here),
        remote: Some(there),
        base: Some(next),
        conflicts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{TimeZone, Utc};
    use proptest::prelude::*;

    fn content(title: &str, notes: &str, location: &str, hour: u32) -> EntryContent {
        EntryContent {
            title: title.to_owned(),
            notes: notes.to_owned(),
            location: location.to_owned(),
            when: When::Timed {
                start: Utc.with_ymd_and_hms(2026, 11, 24, hour, 0, 0).unwrap(),
                end: Utc.with_ymd_and_hms(2026, 11, 24, hour + 1, 0, 0).unwrap(),
                zone: "Europe/Berlin".to_owned(),
            },
            status: EntryStatus::Scheduled,
        }
    }

    fn any_content() -> impl Strategy<Value = EntryContent> {
        ("[ab]", "[ab]", "[ab]", 8_u32..10).prop_map(|(t, n, l, h)| content(&t, &n, &l, h))
    }

    #[test]
    fn changes_of_different_fields_meet() {
        let base = content("a", "a", "a", 8);
        let local = content("b", "a", "a", 8);
        let remote = content("a", "a", "b", 9);
        let outcome = merge(Some(&base), Some(&local), Some(&remote));
        assert_eq!(outcome.local, Some(content("b", "a", "b", 9)));
        assert_eq!(outcome.local, outcome.remote);
        assert!(outcome.apply && outcome.push && outcome.conflicts.is_empty());
    }

    #[test]
    fn a_conflict_overwrites_neither_side() {
        let base = content("a", "a", "a", 8);
        let local = content("b", "a", "a", 8);
        let remote = content("c", "a", "a", 8);
        let outcome = merge(Some(&base), Some(&local), Some(&remote));
        assert_eq!(outcome.conflicts, [Field::Title]);
        assert!(!outcome.apply && !outcome.push);
        assert_eq!(outcome.base, Some(base));
    }

    #[test]
    fn deletion_wins() {
        let base = content("a", "a", "a", 8);
        let outcome = merge(Some(&base), None, Some(&base));
        assert!(outcome.push && outcome.remote.is_none() && !outcome.apply);
        let outcome = merge(Some(&base), Some(&base), None);
        assert!(outcome.apply && outcome.local.is_none() && !outcome.push);
    }

    proptest! {
        #[test]
        fn both_sides_converge_except_where_they_conflict(
            base in any_content(), local in any_content(), remote in any_content(),
        ) {
            let outcome = merge(Some(&base), Some(&local), Some(&remote));
            let (here, there) = (outcome.local.unwrap(), outcome.remote.unwrap());
            prop_assert_eq!(differing(&here, &there), outcome.conflicts);
        }

        #[test]
        fn merging_again_changes_nothing(
            base in any_content(), local in any_content(), remote in any_content(),
        ) {
            let first = merge(Some(&base), Some(&local), Some(&remote));
            let again = merge(first.base.as_ref(), first.local.as_ref(), first.remote.as_ref());
            prop_assert!(!again.apply && !again.push);
            prop_assert_eq!(again.base, first.base);
            prop_assert_eq!(again.conflicts, first.conflicts);
        }

        #[test]
        fn an_unchanged_side_takes_the_other(base in any_content(), changed in any_content()) {
            let outcome = merge(Some(&base), Some(&base), Some(&changed));
            prop_assert_eq!(outcome.local, Some(changed.clone()));
            prop_assert!(outcome.conflicts.is_empty() && !outcome.push);
            let outcome = merge(Some(&base), Some(&changed), Some(&base));
            prop_assert_eq!(outcome.remote, Some(changed));
            prop_assert!(outcome.conflicts.is_empty() && !outcome.apply);
        }
    }
}
