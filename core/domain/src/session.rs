//! The browsers somebody is signed in with, as pages see them.

use serde::{Deserialize, Serialize};

/// One signed-in browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRow {
    /// Key.
    pub session_id: String,
    /// Browser and system, in words.
    pub device: String,
    /// How the person proved who they are.
    pub method: String,
    /// Network address at sign-in; empty when unknown.
    pub address: String,
    /// When it began, in the reader's zone.
    pub created: String,
    /// When it was last used (to the minute), in the reader's zone.
    pub last_seen: String,
    /// The one this page was asked for with.
    pub current: bool,
}

/// Somebody whose sessions can be looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonChoice {
    /// Key.
    pub user_id: String,
    /// Name and work email.
    pub name: String,
}

/// A person's sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionsView {
    /// Last used first.
    pub sessions: Vec<SessionRow>,
    /// Whose; empty for one's own.
    pub person_id: String,
    /// Whose, by name.
    pub person_name: String,
    /// The reader may end them.
    pub can_end: bool,
    /// Others whose sessions the reader may see; empty without that permission.
    pub people: Vec<PersonChoice>,
}
