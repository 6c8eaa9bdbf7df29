//! The audit log: how rows come to be, and how they are read.
//!
//! Rows are written in the transaction of the change they tell of. Whoever acts as a signed-in person takes
//! [`Actor::audit`](crate::Actor::audit); what happens without one (a sign-in, the command line, a job) takes [`row`].
//! Both note the request and where it came from, which the server states once per request with [`from`], and why, which
//! somebody may have typed into the form ([`noted`]).

mod read;
mod wording;

use std::future::Future;

use daybind_domain::ids::{TenantId, UserId};
use daybind_storage::{AuditRow, Origin};

use crate::context::Services;

pub use read::{CSV_ROWS, csv, list, shows};
pub use wording::{COMMUNITY, Wording};

/// The longest note, in characters.
pub const NOTE_MAX: usize = 200;
/// The longest user agent kept, in characters.
const AGENT_MAX: usize = 256;

tokio::task_local! {
    static REQUEST: Request;
    static NOTE: Option<String>;
}

/// The request that is being served, as far as audit rows tell of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// Its id, as the log names it.
    pub id: Option<String>,
    /// Where it came from.
    pub origin: Origin,
}

impl Request {
    /// A request with that id, from that address and browser.
    #[must_use]
    pub fn new(id: String, ip: Option<String>, user_agent: Option<&str>) -> Self {
        let user_agent = user_agent.map(|text| text.chars().take(AGENT_MAX).collect());
        Self {
            id: Some(id),
            origin: Origin { ip, user_agent },
        }
    }
}

/// Runs `work` with every audit row it writes saying which request it came with, and from where.
pub async fn from<F: Future>(request: Request, work: F) -> F::Output {
    REQUEST.scope(request, work).await
}

/// Runs `work` with every audit row it writes saying why: `text`, as somebody typed it; nothing when it is empty.
pub async fn noted<F: Future>(text: &str, work: F) -> F::Output {
    NOTE.scope(note(text), work).await
}

/// The current request; empty outside of one.
#[must_use]
pub fn request() -> Request {
    REQUEST.try_with(Clone::clone).unwrap_or_default()
}

/// A row about `subject`. `actor` is `None` when the server itself or its command line acts.
#[must_use]
pub fn row(
    services: &Services,
    tenant_id: TenantId,
    actor: Option<UserId>,
    action: &str,
    subject: String,
    detail: serde_json::Value,
) -> AuditRow {
    debug_assert_eq!(
        services.wording.unnamed(action, &detail),
        None,
        "whatever the log holds has a name"
    );
    let request = request();
    AuditRow {
        tenant_id,
        audit_id: services.new_id().into(),
        at: services.now(),
        actor,
        action: action.to_owned(),
        subject,
        detail,
        request_id: request.id,
        note: NOTE.try_with(Clone::clone).unwrap_or_default(),
        origin: request.origin,
    }
}

/// A note as typed: one line, trimmed, cut to [`NOTE_MAX`]; `None` when empty.
#[must_use]
pub fn note(text: &str) -> Option<String> {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line: String = line
        .chars()
        .filter(|c| !c.is_control())
        .take(NOTE_MAX)
        .collect();
    (!line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_origin_lasts_as_long_as_the_request() {
        let agent = "x".repeat(300);
        let here = Request::new("r".to_owned(), Some("192.0.2.1".to_owned()), Some(&agent));
        let seen = from(here, async { request() }).await;
        assert_eq!(seen.id.as_deref(), Some("r"));
        assert_eq!(seen.origin.ip.as_deref(), Some("192.0.2.1"));
        assert_eq!(
            seen.origin.user_agent.map(|text| text.len()),
            Some(AGENT_MAX)
        );
        assert_eq!(request(), Request::default());
    }

    #[test]
    fn a_note_is_one_short_line() {
        assert_eq!(note("  ticket\r\n 4711 ").as_deref(), Some("ticket 4711"));
        assert_eq!(note(" \n "), None);
        assert_eq!(note(&"a".repeat(500)).map(|n| n.len()), Some(NOTE_MAX));
    }
}
