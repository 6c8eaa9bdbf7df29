//! An earlier version of an entry, as the page that restores it shows it (Enterprise).

use serde::{Deserialize, Serialize};

use crate::view::EntryHistoryField;

/// What restoring an earlier version would do. All texts are written for the reader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryVersionView {
    /// Which entry.
    pub entry_id: String,
    /// Which of its versions.
    pub version_id: String,
    /// What the entry is called now.
    pub title: String,
    /// When it came to say that, and how.
    pub origin: String,
    /// The entry's version that was read; the form carries it back.
    pub version: i64,
    /// When it was read (RFC 3339); the form carries it back.
    pub read_at: String,
    /// What would change: what it says now and what it would say again.
    pub fields: Vec<EntryHistoryField>,
    /// What else there is to know about it.
    pub notes: Vec<String>,
    /// Why it cannot be restored; none where it can.
    pub refused: Option<String>,
}
