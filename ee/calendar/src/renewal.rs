//! A push subscription that somebody wants renewed before its time: what stands in the way, the mark by which the next look
//! ([`subscribe::run`]) renews it, and what came of it.

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use daybind_domain::AppError;
use daybind_domain::ErrorCode;
use daybind_ee_storage::{Connection, Notice, Subscription, calendar};
use daybind_services::{AppResult, Services, internal, localtime};
use daybind_storage::{AuditFilter, AuditRow, StorageResult, UnitOfWork};
use daybind_words::t;

use crate::{subscribe, sync};

/// What the audit log notes.
pub const ASKED: &str = "calendar.renewal_requested";
/// Who asks again within this time is taken to mean the same renewal.
const ONCE: Duration = Duration::minutes(1);
/// A renewal takes seconds; after this it is said that it does not get on.
const USUAL: Duration = Duration::minutes(2);
/// What came of it is told for so long.
const TOLD: Duration = Duration::hours(24);

/// Why no connection of this server has a subscription that could be renewed, if that is so.
#[must_use]
pub fn none_here(services: &Services) -> Option<&'static str> {
    (!subscribe::reachable(services)).then(|| {
        t!(
            "There is no push subscription to renew: this Daybind has no public https address at which providers could tell of changes. It looks for them regularly instead."
        )
    })
}

/// Refuses on a server that no provider can reach.
///
/// # Errors
/// Conflict, with the reason.
pub fn may_ask(services: &Services) -> AppResult<()> {
    match none_here(services) {
        Some(reason) => Err(AppError::new(ErrorCode::Conflict, reason)),
        None => Ok(()),
    }
}

/// The subject of the connection's audit rows.
fn subject(row: &Connection) -> String {
    format!("calendar_provider:{}", row.connection_id)
}

/// The newest request for a renewal that is not older than `since`.
async fn last_asked(
    unit: &mut dyn UnitOfWork,
    row: &Connection,
    since: DateTime<Utc>,
) -> StorageResult<Option<AuditRow>> {
    let filter = AuditFilter {
        action: Some(ASKED.to_owned()),
        subject: Some(subject(row)),
        from: Some(since),
        ..AuditFilter::default()
    };
    let found = unit.find_audit(row.tenant_id, &filter, None, 1).await?;
    Ok(found.into_iter().next())
}

/// Whether it was asked for just now: a second click, or a second administrator, asks for nothing more.
///
/// # Errors
/// A storage error.
pub async fn was_asked(
    unit: &mut dyn UnitOfWork,
    row: &Connection,
    now: DateTime<Utc>,
) -> StorageResult<bool> {
    Ok(last_asked(unit, row, now - ONCE).await?.is_some())
}

/// Has the next look renew the subscription; where there is none, it makes one anyway.
///
/// # Errors
/// A storage error.
pub async fn mark(
    unit: &mut dyn UnitOfWork,
    row: &Connection,
    now: DateTime<Utc>,
) -> StorageResult<()> {
    let rows = calendar(unit)?;
    let known = rows
        .list_subscriptions(row.tenant_id, row.connection_id)
        .await?;
    // A look keeps the first that works; it ends others in any case.
    let kept = known.iter().find(|one| one.state == "active");
    let notice = Notice {
        to_renew: kept.iter().map(|one| one.subscription_id).collect(),
        ..Notice::default()
    };
    rows.note_notice(row.tenant_id, &notice, now).await
}

/// What came of the last request, while it is of interest.
///
/// # Errors
/// An internal error.
pub async fn outcome(
    unit: &mut dyn UnitOfWork,
    row: &Connection,
    subscriptions: &[Subscription],
    (now, zone): (DateTime<Utc>, Tz),
) -> AppResult<Option<String>> {
    let asked = last_asked(unit, row, now - TOLD).await.map_err(internal)?;
    let Some(asked) = asked else {
        return Ok(None);
    };
    let by = match asked.actor {
        Some(person) => unit
            .find_user(row.tenant_id, person)
            .await
            .map_err(internal)?,
        None => None,
    };
    let who = by.map_or_else(|| t!("Somebody").to_owned(), |user| user.display_name);
    let when = localtime::date_time(asked.at, zone);
    let is_done = subscriptions.iter().any(|one| {
        one.state == "active"
            && one.expires_at > now
            && one.renew_at.is_some_and(|at| at > asked.at)
    });
    Ok(if is_done {
        Some(t!("{who} asked for it on {when}: it was renewed."))
    } else if !sync::may_sync(row) {
        None
    } else if now - asked.at < USUAL {
        Some(t!(
            "{who} asked for it on {when}. It is on its way; reload the page to see what came of it."
        ))
    } else {
        Some(t!(
            "{who} asked for it on {when}. The provider has not granted it yet. Daybind tries again by itself and looks for changes regularly meanwhile."
        ))
    })
}
