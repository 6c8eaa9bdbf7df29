//! What people do with connections besides setting them up: sync now, pause, resume, look at everything again, renew the push
//! subscription. One's own, or everybody's for those who may change the settings.

use chrono::{DateTime, Duration, Utc};
use daybind_domain::connection_view::{ManageConnections, ManagedConnections};
use daybind_domain::ids::{ConnectionId, TenantId};
use daybind_domain::user::Permission;
use daybind_domain::{AppError, ErrorCode};
use daybind_ee_storage::{Connection, Pause, calendar};
use daybind_services::failure::stored;
use daybind_services::{Actor, AppResult, Services, audit, internal};
use daybind_storage::{NewJob, StorageError, UnitOfWork};
use daybind_words::t;
use serde_json::json;

use crate::engine::Engine;
use crate::oauth::{is_ending, own};
use crate::tokens::Stop;
use crate::{coverage, renewal, subscribe, sync};

fn what() -> &'static str {
    t!("The calendar connection")
}
/// The longest pause that ends by itself, in hours.
const LONGEST: i64 = 31 * 24;
/// Connections in one transaction.
const AT_ONCE: usize = 100;
/// How often one that somebody else changed in the same moment is read again.
const TRIES: usize = 3;

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Sync,
    /// For so long; until somebody resumes it where no time is given.
    Pause(Option<Duration>),
    Resume,
    /// Forgets how far it got, so that the next sync looks at everything.
    Again,
    /// Has the push subscription renewed before its time.
    Renew,
}

impl Act {
    fn parse(action: &str, hours: &str) -> AppResult<Self> {
        Ok(match action {
            "sync" => Self::Sync,
            "pause" => Self::Pause(lasting(hours)?),
            "resume" => Self::Resume,
            "resync" => Self::Again,
            "renew" => Self::Renew,
            _ => return Err(no_such()),
        })
    }

    /// Changes the row. `false` when it cannot be done with the connection as it stands, or is so already.
    fn apply(self, row: &mut Connection, actor: &Actor, now: DateTime<Utc>) -> bool {
        let rests = row.pause.is_some();
        match self {
            _ if is_ending(row) => false,
            Self::Sync | Self::Renew => sync::may_sync(row),
            Self::Pause(_) if rests || row.calendar_id.is_none() => false,
            Self::Pause(lasting) => {
                row.pause = Some(Pause {
                    since: now,
                    until: lasting.map(|lasting| now + lasting),
                    by: actor.user_id(),
                });
                true
            }
            Self::Resume => row.pause.take().is_some(),
            Self::Again if sync::may_sync(row) => {
                row.cursor = None;
                true
            }
            Self::Again => false,
        }
    }

    fn note(self) -> Option<&'static str> {
        match self {
            // A run of its own says who asked for it.
            Self::Sync => None,
            Self::Pause(_) => Some("calendar.paused"),
            Self::Resume => Some("calendar.resumed"),
            Self::Again => Some("calendar.read_again"),
            Self::Renew => Some(renewal::ASKED),
        }
    }
}

fn no_such() -> AppError {
    AppError::field("action", t!("Choose what is to be done."))
}

fn lasting(hours: &str) -> AppResult<Option<Duration>> {
    if hours.is_empty() {
        return Ok(None);
    }
    let wrong = || AppError::field("hours", t!("Choose how long the pause lasts."));
    let hours: i64 = hours.parse().map_err(|_| wrong())?;
    if !(1..=LONGEST).contains(&hours) {
        return Err(wrong());
    }
    Ok(Some(Duration::hours(hours)))
}

/// The jobs that follow a change: a sync and its subscription now, or the end of the pause.
fn jobs(row: &Connection, act: Act, now: DateTime<Utc>) -> Vec<NewJob> {
    let (tenant_id, id) = (row.tenant_id, row.connection_id);
    match &row.pause {
        _ if act == Act::Renew => vec![subscribe::job(tenant_id, id, now)],
        _ if sync::may_sync(row) => vec![
            sync::job(tenant_id, id, "person", now),
            subscribe::job(tenant_id, id, now),
        ],
        Some(pause) => pause
            .until
            .map(|until| sync::job(tenant_id, id, "start", until))
            .into_iter()
            .collect(),
        None => Vec::new(),
    }
}

async fn store(
    services: &Services,
    actor: &Actor,
    unit: &mut dyn UnitOfWork,
    row: &Connection,
    act: Act,
) -> Result<(), StorageError> {
    let Some(action) = act.note() else {
        return Ok(());
    };
    let renews = act == Act::Renew;
    if renews && renewal::was_asked(unit, row, row.updated_at).await? {
        return Ok(());
    }
    // Of two who ask in the same moment the second finds it stale, and what the first noted.
    calendar(unit)?.update_connection(row).await?;
    if renews {
        renewal::mark(unit, row, row.updated_at).await?;
    }
    let detail = json!({
        "account": row.account_email,
        "until": row.pause.as_ref().and_then(|pause| pause.until),
    });
    let subject = format!("calendar_provider:{}", row.connection_id);
    unit.add_audit(&actor.audit(services, action, subject, detail))
        .await
}

/// Pauses or resumes one's own connection.
///
/// # Errors
/// Another action; not found; cannot be done with it as it stands.
pub async fn rest(
    services: &Services,
    actor: &Actor,
    connection_id: &str,
    (action, hours): (&str, &str),
) -> AppResult<()> {
    actor.require(Permission::OwnProfile)?;
    let act = Act::parse(action, hours)?;
    if !matches!(act, Act::Pause(_) | Act::Resume) {
        return Err(no_such());
    }
    let now = services.now();
    let mut unit = services.begin(actor.tenant_id).await?;
    let mut row = own(unit.as_mut(), actor, connection_id).await?;
    if !act.apply(&mut row, actor, now) {
        let message = match act {
            Act::Pause(_) if row.pause.is_some() => t!("This connection is paused already."),
            Act::Pause(_) => t!("This connection has nothing to pause yet."),
            _ => t!("This connection is not paused."),
        };
        return Err(AppError::new(ErrorCode::Conflict, message).next_step(t!("Reload the page.")));
    }
    row.updated_at = now;
    store(services, actor, unit.as_mut(), &row, act)
        .await
        .map_err(|error| stored(what(), error))?;
    unit.enqueue_jobs(&jobs(&row, act, now), now)
        .await
        .map_err(internal)?;
    unit.save().await.map_err(internal)?;
    services.wake.notify_waiters();
    Ok(())
}

/// Does the same with many connections, some in each transaction: what was done stays done when a later part fails, and can be
/// asked for again.
///
/// # Errors
/// Forbidden without `system_settings:update`; nothing chosen; no such action; a renewal where no provider can reach this server;
/// all of them gone.
pub async fn many(
    services: &Services,
    actor: &Actor,
    wish: &ManageConnections,
) -> AppResult<ManagedConnections> {
    actor.require(Permission::SettingsUpdate)?;
    let act = Act::parse(&wish.action, &wish.hours)?;
    if act == Act::Renew {
        renewal::may_ask(services)?;
    }
    let mut chosen: Vec<ConnectionId> = if wish.all {
        let mut unit = services.read(actor.tenant_id).await?;
        let rows = calendar(unit.as_mut()).map_err(internal)?;
        match coverage::filter(rows, actor.tenant_id, &wish.query).await? {
            Some(filter) => {
                let keys = rows.connection_keys(actor.tenant_id, &filter);
                keys.await.map_err(internal)?
            }
            None => Vec::new(),
        }
    } else {
        let ids = wish.connection_ids.iter();
        ids.filter_map(|id| id.parse().ok()).collect()
    };
    if chosen.is_empty() {
        return Err(AppError::field(
            "connection_ids",
            t!("Choose at least one connection."),
        ));
    }
    // Jobs are locked in the order of their keys.
    chosen.sort_by_key(ToString::to_string);
    chosen.dedup();
    let mut all = ManagedConnections::default();
    let mut gone = 0;
    for some in chosen.chunks(AT_ONCE) {
        let now = services.now();
        let mut unit = services.begin(actor.tenant_id).await?;
        let mut queued = Vec::new();
        for id in some {
            match one(services, actor, unit.as_mut(), *id, act).await? {
                Found::Done(row) => {
                    queued.extend(jobs(&row, act, now));
                    all.done += 1;
                }
                Found::Left => all.left += 1,
                Found::Gone => gone += 1,
            }
        }
        unit.enqueue_jobs(&queued, now).await.map_err(internal)?;
        unit.save().await.map_err(internal)?;
        services.wake.notify_waiters();
    }
    if gone == chosen.len() {
        return Err(AppError::not_found(what()));
    }
    all.left += gone;
    Ok(all)
}

/// What became of one of them.
enum Found {
    Done(Box<Connection>),
    Left,
    Gone,
}

async fn one(
    services: &Services,
    actor: &Actor,
    unit: &mut dyn UnitOfWork,
    id: ConnectionId,
    act: Act,
) -> AppResult<Found> {
    for _ in 0..TRIES {
        let found = calendar(unit)
            .map_err(internal)?
            .find_connection(actor.tenant_id, id)
            .await
            .map_err(internal)?;
        let Some(mut row) = found else {
            return Ok(Found::Gone);
        };
        let now = services.now();
        if !act.apply(&mut row, actor, now) {
            return Ok(Found::Left);
        }
        row.updated_at = now;
        match store(services, actor, unit, &row, act).await {
            Err(StorageError::Stale) => {}
            done => {
                done.map_err(internal)?;
                return Ok(Found::Done(Box::new(row)));
            }
        }
    }
    Ok(Found::Left)
}

/// Ends a pause whose time is over. Whether it did.
///
/// # Errors
/// [`Stop::Storage`]
pub async fn end_of_pause(
    engine: &Engine,
    tenant_id: TenantId,
    id: ConnectionId,
) -> Result<bool, Stop> {
    let now = engine.now();
    let mut unit = engine.begin(tenant_id).await?;
    let rows = calendar(unit.as_mut())?;
    let Some(mut row) = rows.find_connection(tenant_id, id).await? else {
        return Ok(false);
    };
    if is_ending(&row) || !is_over(&row, now) {
        return Ok(false);
    }
    row.pause = None;
    row.updated_at = now;
    rows.update_connection(&row).await?;
    let detail = json!({ "account": row.account_email, "reason": "time_is_over" });
    let subject = format!("calendar_provider:{id}");
    let noted = audit::row(engine, tenant_id, None, "calendar.resumed", subject, detail);
    unit.add_audit(&noted).await?;
    if sync::may_sync(&row) {
        subscribe::enqueue(unit.as_mut(), tenant_id, id, now).await?;
    }
    unit.save().await?;
    Ok(true)
}

/// Whether a pause has lasted as long as it should.
#[must_use]
pub fn is_over(row: &Connection, now: DateTime<Utc>) -> bool {
    let until = row.pause.as_ref().and_then(|pause| pause.until);
    until.is_some_and(|until| until <= now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_lasts_an_hour_a_month_or_until_somebody_ends_it() {
        assert_eq!(lasting("").unwrap(), None);
        assert_eq!(lasting("1").unwrap(), Some(Duration::hours(1)));
        assert_eq!(lasting("744").unwrap(), Some(Duration::days(31)));
        for wrong in ["0", "-1", "745", "1.5", "x", "99999999999999999999"] {
            assert!(lasting(wrong).is_err(), "{wrong}");
        }
    }
}
