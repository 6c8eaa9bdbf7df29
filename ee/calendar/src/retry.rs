//! What becomes of a connection whose run failed: when it is asked again, and what its owner gets to see.
//!
//! The connection remembers its failures, not the queue: what changes in the schedule meanwhile may run the job earlier,
//! and that must neither shorten what a provider asked for nor use up anybody's patience. Nothing is given up.

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, Utc};
use daybind_domain::ids::{ConnectionId, TenantId};
use daybind_ee_storage::{Connection, Failing, calendar};
use daybind_services::Provider;
use daybind_services::jobs::backoff;
use daybind_storage::{StorageResult, UnitOfWork};

use crate::provider::ProviderError;
use crate::tokens::Stop;
use crate::{subscribe, sync};

/// Failures that pass by themselves are shown as an error once they have lasted that long.
pub const PATIENCE: Duration = Duration::hours(1);
/// How often one looks whether somebody repaired what only a person can repair.
pub const LOOK: Duration = Duration::minutes(30);
/// Why a connection that would delete unusually much is paused.
pub const BRAKE: &str = "many_deletions";

/// What a failure means for the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// A short code, for the page and the operator.
    pub code: &'static str,
    /// The state it puts the connection in; `None` while it may pass unnoticed.
    pub status: Option<&'static str>,
    /// When it is tried again; `None` when only its owner can go on.
    pub again: Option<DateTime<Utc>>,
    /// The provider itself named that time.
    pub held: bool,
}

impl Verdict {
    /// What a stop means after `before`. [`Stop::Idle`], [`Stop::Held`], [`Stop::Busy`] and [`Stop::Fenced`] are no failures.
    #[must_use]
    pub fn on(stop: &Stop, before: &Failing, now: DateTime<Utc>) -> Self {
        let person = |code, status| Self {
            code,
            status: Some(status),
            again: None,
            held: false,
        };
        let repair = |code| Self {
            code,
            status: Some("error"),
            again: Some(now + LOOK),
            held: false,
        };
        let passing = |code, after: Option<std::time::Duration>| {
            let lasts = before.since.is_some_and(|since| now - since >= PATIENCE);
            Self {
                code,
                status: lasts.then_some("error"),
                again: Some(now + backoff(before.runs.saturating_add(1), after)),
                held: after.is_some(),
            }
        };
        match stop {
            Stop::Idle | Stop::Held(_) | Stop::Busy | Stop::Fenced => passing("idle", None),
            Stop::Brake { .. } => person(BRAKE, "paused"),
            Stop::Reconnect(code) => person(code, "needs_reconnect"),
            Stop::Operator(code) => repair(code),
            Stop::Provider(error) => match error {
                ProviderError::Throttled { after } => passing("throttled", *after),
                ProviderError::Exhausted { after } => passing("throttled", Some(*after)),
                ProviderError::NotFound => repair("calendar_missing"),
                ProviderError::Permanent(403) => repair("permission"),
                ProviderError::Permanent(_) => repair("refused"),
                ProviderError::Unauthorized
                | ProviderError::Gone
                | ProviderError::Conflict
                | ProviderError::PreconditionFailed
                | ProviderError::Transient(_) => passing("provider_unreachable", None),
            },
            Stop::Storage(_) => passing("database", None),
            Stop::Internal(_) => passing("internal", None),
        }
    }

    /// Writes it down.
    pub fn note(&self, row: &mut Connection, now: DateTime<Utc>) {
        row.last_error = Some(self.code.to_owned());
        if let Some(status) = self.status.filter(|_| sync::may_sync(row)) {
            row.status = status.to_owned();
            row.status_reason = Some(self.code.to_owned());
        }
        row.failing = Failing {
            runs: row.failing.runs.saturating_add(1),
            since: row.failing.since.or(Some(now)),
            retry_at: self.again,
            // One that another job noted meanwhile goes on.
            held_until: self.again.filter(|_| self.held).max(held(row, now)),
        };
    }
}

/// Queues all connections of this provider, within the transaction that may have repaired it.
///
/// # Errors
/// A storage error.
pub async fn wake(
    unit: &mut dyn UnitOfWork,
    tenant_id: TenantId,
    provider: Provider,
    now: DateTime<Utc>,
) -> StorageResult<()> {
    let waiting: BTreeSet<ConnectionId> = calendar(unit)?
        .list_connections(tenant_id)
        .await?
        .iter()
        // Also those that show no error yet: a run that is under way may be asking with what was wrong.
        .filter(|row| row.provider == provider.as_str() && sync::may_sync(row))
        .map(|row| row.connection_id)
        .collect();
    for id in waiting {
        sync::enqueue(unit, tenant_id, id, "start", now).await?;
        subscribe::enqueue(unit, tenant_id, id, now).await?;
    }
    Ok(())
}

/// Until when a connection's provider must be left alone.
#[must_use]
pub fn held(connection: &Connection, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    connection.failing.held_until.filter(|until| *until > now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failing(runs: i32, for_minutes: i64, now: DateTime<Utc>) -> Failing {
        Failing {
            runs,
            since: Some(now - Duration::minutes(for_minutes)),
            ..Failing::default()
        }
    }

    /// M-34, W44. Each class of failure, what it is called, which state it leads to, and when it is tried again.
    #[test]
    fn each_class_has_its_own_end() {
        let now = Utc::now();
        let provider = Stop::Provider;
        let hour = std::time::Duration::from_secs(3600);
        let soon = (Some(5), Some(7));
        let look = (Some(1800), Some(1800));
        let cases = [
            (
                provider(ProviderError::Throttled { after: None }),
                "throttled",
                None,
                soon,
            ),
            (
                provider(ProviderError::Throttled { after: Some(hour) }),
                "throttled",
                None,
                (Some(3600), Some(4500)),
            ),
            (
                provider(ProviderError::Transient("x")),
                "provider_unreachable",
                None,
                soon,
            ),
            (
                provider(ProviderError::Gone),
                "provider_unreachable",
                None,
                soon,
            ),
            (
                provider(ProviderError::NotFound),
                "calendar_missing",
                Some("error"),
                look,
            ),
            (
                provider(ProviderError::Permanent(403)),
                "permission",
                Some("error"),
                look,
            ),
            (
                provider(ProviderError::Permanent(400)),
                "refused",
                Some("error"),
                look,
            ),
            (Stop::Operator("secret"), "secret", Some("error"), look),
            (
                Stop::Reconnect("grant_ended"),
                "grant_ended",
                Some("needs_reconnect"),
                (None, None),
            ),
            (
                Stop::Brake {
                    incoming: true,
                    count: crate::removals::Deletions {
                        events: 9,
                        occurrences: 0,
                    },
                },
                BRAKE,
                Some("paused"),
                (None, None),
            ),
            (
                Stop::Storage(daybind_storage::StorageError::Stale),
                "database",
                None,
                soon,
            ),
        ];
        for (stop, code, status, (least, most)) in cases {
            let verdict = Verdict::on(&stop, &Failing::default(), now);
            assert_eq!((verdict.code, verdict.status), (code, status), "{stop:?}");
            let wait = verdict.again.map(|at| (at - now).num_seconds());
            assert!(least <= wait && wait <= most, "{stop:?}: {wait:?}");
            assert_eq!(
                verdict.held,
                matches!(
                    stop,
                    Stop::Provider(ProviderError::Throttled { after: Some(_) })
                )
            );
        }
    }

    /// M-34, W44. What passes by itself is patient for an hour, then an error that is looked at every half hour, for ever.
    #[test]
    fn failures_that_last_are_shown_and_never_given_up() {
        let now = Utc::now();
        let stop = Stop::Provider(ProviderError::Transient("x"));
        assert_eq!(Verdict::on(&stop, &failing(8, 59, now), now).status, None);
        for runs in [12, 1000, i32::MAX] {
            let verdict = Verdict::on(&stop, &failing(runs, 60, now), now);
            assert_eq!(verdict.status, Some("error"));
            let wait = verdict.again.unwrap() - now;
            assert!(wait >= LOOK && wait <= Duration::seconds(2250), "{wait}");
        }
    }
}
