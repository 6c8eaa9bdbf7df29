//! What answers to disagreements would do, and several answered at once (Enterprise). All texts are written for the reader.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What the address of one's own conflicts asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnConflictsQuery {
    /// `schedule` or `calendar`: what taking that side would do for those picked. Empty: the list.
    #[serde(default)]
    pub side: String,
    /// Ids of conflicts, or `all`.
    #[serde(default)]
    pub picks: Vec<String>,
    /// Ids of those that an answer left alone.
    #[serde(default)]
    pub left: Vec<String>,
}

/// One's own open conflicts about fields, or what one answer to several of them would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnConflictsView {
    /// The oldest first; in the preview, those that were picked.
    pub conflicts: Vec<ConflictPreviewView>,
    /// There are more than are shown.
    pub more: bool,
}

/// One conflict, and what both sides will say after an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConflictPreviewView {
    /// Names it.
    pub conflict_id: String,
    /// What the entry is called in the schedule.
    pub title: String,
    /// "Google Calendar" or "Outlook".
    pub calendar: String,
    /// Whether it is about a series or one occurrence; empty for an entry on its own.
    pub scope: String,
    /// Stands for what is shown; an answer carries it back.
    pub fingerprint: String,
    /// Why there is nothing to answer; none where there is.
    pub note: Option<String>,
    /// A side changed since an earlier preview, so that the answer to it was not taken.
    pub left: bool,
    /// The fields that differ.
    pub fields: Vec<OutcomeView>,
}

/// One field that differs, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeView {
    /// Its heading.
    pub label: String,
    /// What the schedule says.
    pub schedule: String,
    /// What the calendar says.
    pub calendar: String,
    /// What both will say; empty in a list without an answer.
    pub result: String,
    /// Which side changes, in words; empty in a list without an answer.
    pub changes: String,
}

/// One answer to several conflicts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConflictsAnswer {
    /// `schedule` or `calendar`.
    pub side: String,
    /// What was read of each ([`ConflictPreviewView::fingerprint`]), by its id.
    pub seen: BTreeMap<String, String>,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConflictsAnswered {
    /// How many are settled.
    pub done: usize,
    /// Ids of those of which a side changed since they were read; nothing was done about them.
    pub left: Vec<String>,
}
