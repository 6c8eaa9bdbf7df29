//! The audit log as pages ask for it and show it. Times are already written for the reader's zone by the server.

use serde::{Deserialize, Serialize};

use crate::view::PersonView;

/// What the address of the audit log says: filters and place, each empty when not set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditQuery {
    /// A person's id, or `server` for the server itself.
    #[serde(default)]
    pub actor: String,
    /// An action (`profile.created`), or a group with its dot (`profile.`).
    #[serde(default)]
    pub action: String,
    /// A subject, or its beginning.
    #[serde(default)]
    pub subject: String,
    /// First day, `YYYY-MM-DD` in the reader's zone.
    #[serde(default)]
    pub from: String,
    /// Last day, the same.
    #[serde(default)]
    pub until: String,
    /// The place of the last row of the page before, as [`AuditPageView::next`] gave it.
    #[serde(default)]
    pub after: String,
}

impl AuditQuery {
    /// Whether any filter is set.
    #[must_use]
    pub fn is_filtered(&self) -> bool {
        [
            &self.actor,
            &self.action,
            &self.subject,
            &self.from,
            &self.until,
        ]
        .iter()
        .any(|value| !value.is_empty())
    }

    /// Name and value of everything that is set, in the order of the form; the place last.
    #[must_use]
    pub fn pairs(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("actor", &self.actor),
            ("action", &self.action),
            ("subject", &self.subject),
            ("from", &self.from),
            ("until", &self.until),
            ("after", &self.after),
        ];
        all.into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name, value.as_str()))
            .collect()
    }
}

/// One value that a change touched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditChange {
    /// Which, in words; empty when the change is about one value only.
    pub field: String,
    /// What it was, if the row says so.
    pub before: Option<String>,
    /// What it is.
    pub after: Option<String>,
}

/// One row of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRowView {
    /// Its id.
    pub audit_id: String,
    /// RFC 3339 in UTC, to the microsecond.
    pub at_utc: String,
    /// In the reader's zone.
    pub at: String,
    /// Who.
    pub actor: String,
    /// What, as stored.
    pub action: String,
    /// What, in words.
    pub action_text: String,
    /// To what, as stored.
    pub subject: String,
    /// To what, by name where there is one.
    pub subject_text: String,
    /// Before and after.
    pub changes: Vec<AuditChange>,
    /// Why.
    pub note: Option<String>,
    /// From which address.
    pub ip: Option<String>,
    /// With which browser.
    pub user_agent: Option<String>,
    /// The request, as the server's log names it.
    pub request_id: Option<String>,
}

/// One page of the log, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditPageView {
    /// The rows.
    pub rows: Vec<AuditRowView>,
    /// The place to go on from, if there are older rows.
    pub next: Option<String>,
    /// Whom one can filter by.
    pub people: Vec<PersonView>,
    /// What one can filter by: stored name and words.
    pub actions: Vec<(String, String)>,
    /// How many rows one export holds at most.
    pub csv_rows: usize,
}
