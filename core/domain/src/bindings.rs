//! The bindings board and the review of a change, as pages see them. Times are already written for the reader's zone by
//! the server.

use serde::{Deserialize, Serialize};

/// How a binding stands; the page has one word and one shape for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BindingState {
    /// No profile is bound.
    Unbound,
    /// Bound, and somebody must do something first.
    NeedsYou,
    /// Bound and complete, but nobody has tried it.
    NotTested,
    /// Bound, complete and verified.
    Working,
}

/// A profile as the board and the review show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileRef {
    /// Its id.
    pub profile_id: String,
    /// Its name.
    pub name: String,
    /// Application (client) ID.
    pub client_id: String,
    /// Directory (tenant) ID.
    pub directory_id: String,
    /// What it lacks, in words; empty when ready.
    pub missing: Vec<String>,
}

/// A change that can still be taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoView {
    /// "Changed by you at 09:30".
    pub text: String,
    /// Until when, in the reader's zone.
    pub until: String,
    /// What the row will use again; `None` for nothing.
    pub back_to: Option<String>,
    /// Names the change, so that a later one is never taken back by mistake.
    pub token: String,
}

/// One row of the board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardRow {
    /// Stored name of the consumer.
    pub consumer: String,
    /// Its label.
    pub label: String,
    /// What it uses a profile for.
    pub help: String,
    /// The bound profile.
    pub profile: Option<ProfileRef>,
    /// How it stands.
    pub state: BindingState,
    /// Why, and what to do.
    pub state_text: Option<String>,
    /// When and by whom it was set, in words.
    pub set_by: Option<String>,
    /// A change that can still be taken back.
    pub undo: Option<UndoView>,
}

/// The board: one row per consumer of the edition, in display order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardView {
    /// The rows.
    pub rows: Vec<BoardRow>,
    /// How many profiles could be bound.
    pub choices: usize,
    /// Whether the reader may change anything.
    pub can_update: bool,
}

/// What a change does to one group of people or things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImpactKind {
    /// Somebody must do something before it works again.
    MustAct,
    /// Stops being of use.
    Invalidated,
    /// Goes on working.
    Keeps,
    /// Worth knowing.
    Note,
}

/// One line of an impact: counted and named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImpactLine {
    /// What happens.
    pub kind: ImpactKind,
    /// How many people or things.
    pub count: usize,
    /// The sentence, number included.
    pub text: String,
    /// Who or what, at most [`ImpactLine::NAMES`]; the rest is `count` minus these.
    pub names: Vec<String>,
}

impl ImpactLine {
    /// The most names one line carries.
    pub const NAMES: usize = 50;

    /// A line about `names`; `one` and `many` are the sentence for one and for `{n}`.
    #[must_use]
    pub fn of(kind: ImpactKind, one: &str, many: &str, mut names: Vec<String>) -> Self {
        let count = names.len();
        names.truncate(Self::NAMES);
        let text = if count == 1 {
            one.to_owned()
        } else {
            many.replace("{n}", &count.to_string())
        };
        Self {
            kind,
            count,
            text,
            names,
        }
    }

    /// A remark that counts nothing.
    #[must_use]
    pub fn note(text: impl Into<String>) -> Self {
        Self {
            kind: ImpactKind::Note,
            count: 0,
            text: text.into(),
            names: Vec::new(),
        }
    }
}

/// What changing a binding would do, before it is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RebindReview {
    /// Stored name of the consumer.
    pub consumer: String,
    /// Its label.
    pub label: String,
    /// What is bound now.
    pub from: Option<ProfileRef>,
    /// What would be bound; `None` when it would be unbound.
    pub to: Option<ProfileRef>,
    /// Both are the same application in the same directory.
    pub same_app: bool,
    /// It is bound so already: there is nothing to do.
    pub unchanged: bool,
    /// The impact, most urgent first; `None` when it could not be found out.
    pub impact: Option<Vec<ImpactLine>>,
    /// Why it cannot be done, in words; empty when it can.
    pub refused: Vec<String>,
    /// Names the binding the review was made for, so that a change meanwhile is noticed.
    pub seen: String,
    /// Whether the reader may confirm.
    pub can_update: bool,
}

/// What one consumer can be bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RebindChoices {
    /// Stored name of the consumer.
    pub consumer: String,
    /// Its label.
    pub label: String,
    /// What is bound now.
    pub from: Option<ProfileRef>,
    /// Active profiles by name.
    pub choices: Vec<ProfileRef>,
    /// Whether the reader may change anything.
    pub can_update: bool,
}
