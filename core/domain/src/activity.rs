//! What sync did, as its page asks for it and shows it (Enterprise). Texts are already written for the reader by the server.

use serde::{Deserialize, Serialize};

use crate::connection_view::FactView;
use crate::view::EntryHistoryItem;

/// What the address of the activity page says: filters, place and the opened run, each empty when not set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityQuery {
    /// Part of a person's name, an account or a calendar.
    #[serde(default)]
    pub find: String,
    /// A connection's id.
    #[serde(default)]
    pub connection: String,
    /// `poll`, `notification`, `schedule`, `person`, `start` or `retry`.
    #[serde(default)]
    pub cause: String,
    /// `changed` (something was), `nothing` (nothing was), `failed` or `paused` (it stopped to ask).
    #[serde(default)]
    pub result: String,
    /// First day, `YYYY-MM-DD` in the reader's zone.
    #[serde(default)]
    pub from: String,
    /// Last day, the same.
    #[serde(default)]
    pub until: String,
    /// The place of the last row of the page before, as [`ActivityPageView::next`] gave it.
    #[serde(default)]
    pub after: String,
    /// The run whose changes are shown.
    #[serde(default)]
    pub run: String,
}

impl ActivityQuery {
    /// Whether any filter is set.
    #[must_use]
    pub fn is_filtered(&self) -> bool {
        self.pairs()
            .iter()
            .any(|(name, _)| !matches!(*name, "after" | "run"))
    }

    /// Name and value of everything that is set, in the order of the form; place and run last.
    #[must_use]
    pub fn pairs(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("find", &self.find),
            ("connection", &self.connection),
            ("cause", &self.cause),
            ("result", &self.result),
            ("from", &self.from),
            ("until", &self.until),
            ("after", &self.after),
            ("run", &self.run),
        ];
        all.into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name, value.as_str()))
            .collect()
    }
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunView {
    /// Names it, in the logs too.
    pub run_id: String,
    /// When it ended, in the reader's zone.
    pub at: String,
    /// The same as a machine reads it (RFC 3339, UTC).
    pub at_utc: String,
    /// The connection's id.
    pub connection_id: String,
    /// Whose calendar it is.
    pub owner: String,
    /// Provider and account.
    pub calendar: String,
    /// What set it off, in words.
    pub cause: String,
    /// `done`, `failed` or `paused`.
    pub outcome: String,
    /// What came of it, in a sentence.
    pub result: String,
    /// How long it took, in words.
    pub took: String,
}

/// One thing a run did, and about which entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunItemView {
    /// The entry's title as the reader may read it; empty where there is no entry.
    pub entry: String,
    /// The entry's id, where it is still there.
    pub entry_id: Option<String>,
    /// What happened.
    pub item: EntryHistoryItem,
}

/// One run with what it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunDetailView {
    /// The run.
    pub run: RunView,
    /// What it did, in the order in which it did it.
    pub items: Vec<RunItemView>,
    /// There was more than is shown.
    pub more: bool,
    /// The reader may sync its connection now.
    pub can_sync: bool,
}

/// One page of runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityPageView {
    /// Newest first.
    pub rows: Vec<RunView>,
    /// The place of the last row, when there are older ones.
    pub next: Option<String>,
    /// The run that was opened.
    pub opened: Option<RunDetailView>,
    /// Most rows in a download.
    pub csv_rows: usize,
    /// How long runs are kept, in days.
    pub kept_days: i64,
}

/// Something that goes on only when somebody does something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthItemView {
    /// Who is held up by what.
    pub title: String,
    /// What to do, and what happens then.
    pub text: String,
    /// The words of the link to where that is done.
    pub action: String,
    /// Where that is.
    pub href: String,
}

/// How sync is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthView {
    /// What needs a person, first what holds up most people.
    pub items: Vec<HealthItemView>,
    /// How it is otherwise.
    pub signals: Vec<FactView>,
    /// When that was so, in the reader's zone.
    pub at: String,
}
