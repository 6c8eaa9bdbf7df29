//! Calendar connections as their pages show them, and what those pages ask for (Enterprise).

use serde::{Deserialize, Serialize};

use crate::view::{ConnectionView, CoverageQuery};

/// What is to be done with which connections.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManageConnections {
    /// `sync`, `pause`, `resume`, `resync` (look at everything again) or `renew` (the push subscription).
    pub action: String,
    /// How long to pause, in hours; empty: until somebody resumes it.
    pub hours: String,
    /// These connections.
    pub connection_ids: Vec<String>,
    /// Instead, all that match the query, on all of its pages.
    pub all: bool,
    /// What the list showed.
    pub query: CoverageQuery,
}

/// What became of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManagedConnections {
    /// With so many it was done.
    pub done: usize,
    /// So many were left as they were: it cannot be done with them as they stand.
    pub left: usize,
}

/// A line of what is known about a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactView {
    /// What it is about.
    pub label: String,
    /// What is known, in a sentence for the reader.
    pub text: String,
}

/// One connection as an administrator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionDetailView {
    /// The connection.
    pub connection: ConnectionView,
    /// How it is: access, push, failures, how far it is behind.
    pub health: Vec<FactView>,
    /// Why it has no push subscription that could be renewed, where that is for good.
    pub no_subscription: Option<String>,
    /// What its owner chose, in words.
    pub choices: Vec<FactView>,
    /// The address at which its owner goes on.
    pub owners_page: String,
    /// The reader may do something about it.
    pub can_update: bool,
}
