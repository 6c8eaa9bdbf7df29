//! Disagreements between the schedule and a person's own calendar, as their pages show them (Enterprise).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::connection_view::FactView;

/// A disagreement as its owner sees it. All texts are written for the reader.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConflictView {
    /// Names it.
    pub conflict_id: String,
    /// What the calendar is called: "Google Calendar" or "Outlook".
    pub calendar: String,
    /// What the entry is called in the schedule; empty where it is gone.
    pub title: String,
    /// Whether it is about a series or one occurrence; empty for an entry on its own.
    pub scope: String,
    /// Why there is nothing to choose; none where there is.
    pub note: Option<String>,
    /// Stands for everything that is shown; an answer carries it back.
    pub fingerprint: String,
    /// What differs.
    pub fields: Vec<ConflictFieldView>,
    /// What does not, or is settled.
    pub same: Vec<FactView>,
    /// When each side was last changed.
    pub changed: Vec<FactView>,
}

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConflictFieldView {
    /// The field's word.
    pub part: String,
    /// Its heading.
    pub label: String,
    /// What the schedule says.
    pub schedule: String,
    /// What the calendar says.
    pub calendar: String,
    /// What both last agreed on; none where they never did.
    pub agreed: Option<String>,
}

/// How a disagreement is settled: every field at once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConflictAnswer {
    /// [`ConflictView::fingerprint`] of what was read.
    pub fingerprint: String,
    /// `schedule` or `calendar` for every field; empty: as `choices` says.
    pub all: String,
    /// `schedule` or `calendar` for each field, by its word.
    pub choices: BTreeMap<String, String>,
}

/// The open conflicts of all people, a page of them, as an administrator sees them: nothing that anybody's calendar says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConflictInboxView {
    /// How many there are on all pages.
    pub total: usize,
    /// Which page this is, from 1.
    pub page: usize,
    /// How many pages there are, at least one.
    pub pages: usize,
    /// By person.
    pub people: Vec<InboxPersonView>,
    /// The address at which people answer.
    pub owners_page: String,
}

/// One person's, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxPersonView {
    /// Who.
    pub user_id: String,
    /// Their name.
    pub name: String,
    /// What waits for them, as far as it is on this page.
    pub items: Vec<InboxItemView>,
}

/// One open conflict, without its versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxItemView {
    /// What the entry is called, as the reader may read it; none where they may not see it.
    pub title: Option<String>,
    /// The entry, where the reader may see it.
    pub entry_id: Option<String>,
    /// "Google Calendar" or "Outlook".
    pub calendar: String,
    /// The fields that differ, by name, or that the event was deleted.
    pub differs: String,
    /// When it arose, written for the reader.
    pub since: String,
    /// How long ago that is: "3 days".
    pub age: String,
}
