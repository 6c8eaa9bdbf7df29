//! A week of the schedule as a grid: seven columns of days, one row for each quarter of an hour.
//!
//! The server places everything; a browser only draws it.

use serde::{Deserialize, Serialize};

/// Minutes of one row.
pub const ROW_MINUTES: u16 = 15;
/// The most rows a week has: a day, and the three hours that clocks have been set back at most.
pub const ROWS_MAX: u16 = 108;
/// How many entries stand side by side before the rest is counted.
pub const LANES_MAX: u8 = 3;

/// A week as a grid. Rows count from 1, as CSS does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GridView {
    /// The hours at the side.
    pub hours: Vec<GridHour>,
    /// Monday to Sunday.
    pub days: Vec<GridDay>,
    /// The sync marks that occur, each once: what their shapes mean. Empty in the Community edition.
    pub legend: Vec<GridMark>,
}

/// An hour at the side. One that a day of the week has twice is there twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GridHour {
    /// "09:00"
    pub label: String,
    /// Where it begins.
    pub row: u16,
}

/// One day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GridDay {
    /// `YYYY-MM-DD`
    pub date: String,
    /// "Mon 23 Nov"
    pub title: String,
    /// It is today for the reader.
    pub today: bool,
    /// The row of this moment, and "Now, 09:30".
    pub now: Option<(u16, String)>,
    /// The hours a new entry can begin at.
    pub slots: Vec<GridSlot>,
    /// Rows that this day does not have, because its clocks are set forward or another day's back: first row and how many.
    pub missing: Vec<(u16, u16)>,
    /// Entries of whole days.
    pub whole: Vec<GridChip>,
    /// Entries with times, the earliest first.
    pub chips: Vec<GridChip>,
    /// What found no place beside the others.
    pub more: Vec<GridMore>,
}

/// An hour of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GridSlot {
    /// Where it begins.
    pub row: u16,
    /// How many rows it has.
    pub span: u16,
    /// `YYYY-MM-DDTHH:MM`, the reader's time.
    pub at: String,
}

/// Where something stands in its day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Place {
    /// First row; 0 for whole days.
    pub row: u16,
    /// How many rows.
    pub span: u16,
    /// Which of the places side by side, from 0.
    pub lane: u8,
    /// How many stand side by side; at most [`LANES_MAX`].
    pub lanes: u8,
}

/// An entry, or the part of it that falls on one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GridChip {
    /// The entry's id.
    pub entry_id: String,
    /// The day of the occurrence of a series; empty for others.
    pub part: String,
    /// The title.
    pub title: String,
    /// "09:00 – 10:00" or "All day".
    pub time_text: String,
    /// `scheduled`, `cancelled` or `completed`.
    pub status: String,
    /// How it stands outside Daybind.
    pub mark: Option<GridMark>,
    /// Where.
    pub place: Place,
}

/// A sync mark without its reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GridMark {
    /// `synced`, `waiting`, `conflict`, `failed` or `not_synced`.
    pub state: String,
    /// The word for it.
    pub word: String,
}

/// Entries that are only counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GridMore {
    /// How many.
    pub count: u32,
    /// Where.
    pub place: Place,
}
