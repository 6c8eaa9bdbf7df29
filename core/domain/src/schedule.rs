//! Schedule entries: what a technician does, and when.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::recurrence::Rule;

/// When an entry takes place.
///
/// Half-open in both forms: `end` is the first moment (or day) that no longer belongs to it (RFC 5545 section 3.6.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum When {
    /// From one instant to another, as planned in an IANA time zone.
    Timed {
        /// First instant.
        start: DateTime<Utc>,
        /// First instant after it.
        end: DateTime<Utc>,
        /// IANA name of the zone it was planned in, for example `Europe/Berlin`.
        zone: String,
    },
    /// Whole days, in no particular zone.
    AllDay {
        /// First day.
        start: NaiveDate,
        /// First day after it.
        end: NaiveDate,
    },
}

impl When {
    /// Whether it ends after it starts.
    #[must_use]
    pub fn is_ordered(&self) -> bool {
        match self {
            Self::Timed { start, end, .. } => start < end,
            Self::AllDay { start, end } => start < end,
        }
    }
}

/// The state of an entry's work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryStatus {
    /// Planned.
    Scheduled,
    /// Called off; kept for the record.
    Cancelled,
    /// Done.
    Completed,
}

impl EntryStatus {
    /// The stored name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Cancelled => "cancelled",
            Self::Completed => "completed",
        }
    }

    /// Reads the stored name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Scheduled, Self::Cancelled, Self::Completed]
            .into_iter()
            .find(|s| s.as_str() == text)
    }
}

/// What an entry does to the time it takes, for whoever looks for a free hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShowAs {
    /// Takes it.
    #[default]
    Busy,
    /// Leaves it free.
    Free,
}

impl ShowAs {
    /// The stored name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Free => "free",
        }
    }

    /// Reads the stored name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Busy, Self::Free]
            .into_iter()
            .find(|s| s.as_str() == text)
    }
}

/// What an entry says: the part that travels to an external calendar and back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryContent {
    /// One line; never empty.
    pub title: String,
    /// Free text.
    pub notes: String,
    /// Free text.
    pub location: String,
    /// When; of a series, its first occurrence.
    pub when: When,
    /// How it repeats; an entry that does is a series. A series has a day of its own rule as its first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<Rule>,
    /// Whether it takes its time. Contents stored before there was a choice took it.
    #[serde(default)]
    pub shows: ShowAs,
    /// Its words are not for everybody. An occurrence of a series is as private as the series: calendars know no other way.
    #[serde(default)]
    pub private: bool,
    /// State of the work.
    pub status: EntryStatus,
}

/// The longest title, in characters.
pub const TITLE_MAX: usize = 255;
