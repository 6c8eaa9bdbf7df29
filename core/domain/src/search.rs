//! What a search over everything one may open finds. Texts are finished: the server writes them in the reader's language.

use serde::{Deserialize, Serialize};

/// One place to go to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchHit {
    /// What it is called.
    pub title: String,
    /// Where it is, or what tells it from others of that name; may be empty.
    pub detail: String,
    /// Its address, beginning with `/msp/`.
    pub href: String,
}

/// What is of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchGroup {
    /// The kind, as a heading.
    pub title: String,
    /// At least one, the best first.
    pub hits: Vec<SearchHit>,
}

/// Everything that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchView {
    /// By kind; kinds of which nothing was found are left out.
    pub groups: Vec<SearchGroup>,
    /// How much there is, in a sentence; empty where nothing was asked for.
    pub told: String,
}
