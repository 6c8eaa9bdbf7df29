//! Ends a connection: subscriptions, copies if asked, the grant, then everything we stored about it.
//!
//! A provider that does not answer is asked again for a day. After that everything here is erased all the same, and the
//! audit log says what may be left over there.
//!
//! A grant is the account's: it is given back with the last connection that lives on it.

use chrono::{DateTime, Duration, Utc};
use daybind_domain::ids::{ConnectionId, TenantId};
use daybind_ee_storage::{Connection, Mapping, Subscription, calendar};
use daybind_services::{Provider, audit, internal};
use daybind_storage::{NewJob, StorageResult, UnitOfWork};
use serde_json::{Value, json};

use crate::beside;
use crate::engine::Engine;
use crate::oauth::{is_ending, revoke, token_place};
use crate::places;
use crate::provider::{CalendarProvider, CopyKey, ProviderError};
use crate::retry::held;
use crate::tokens::Stop;
use crate::{subscribe, sync};

/// The job that ends a connection; its key is the connection's id, its payload says `remove_copies` and `asked_at`.
pub const JOB: &str = "calendar.disconnect";
/// So long a provider that does not answer is asked again.
const PATIENCE: Duration = Duration::hours(24);
/// So soon one looks again whether another connection of the account has ended.
const SOON: Duration = Duration::seconds(5);

/// What could not be cleared away at the provider.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Left {
    /// Subscriptions; they lapse within a week and are answered by nobody.
    subscriptions: usize,
    /// Copies that were to go.
    copies: usize,
    /// The grant itself.
    grant: bool,
}

/// Stops a connection for good and queues its clearing away, within the caller's transaction.
///
/// # Errors
/// A storage error; `Stale` when the row was changed meanwhile.
pub async fn begin(
    unit: &mut dyn UnitOfWork,
    row: &mut Connection,
    remove_copies: bool,
    now: DateTime<Utc>,
) -> StorageResult<()> {
    row.status = "paused".to_owned();
    row.status_reason = Some("disconnecting".to_owned());
    row.updated_at = now;
    calendar(unit)?.update_connection(row).await?;
    let job = NewJob {
        tenant_id: row.tenant_id,
        kind: JOB,
        key: row.connection_id.to_string(),
        payload: json!({ "remove_copies": remove_copies, "asked_at": now }),
        run_at: now,
        // The clock decides, not the count: it waits for others without an end of its own.
        max_attempts: i32::MAX,
    };
    unit.enqueue_job(&job, now).await
}

/// Ends the connection of somebody who left: copies stay, since nobody asked for their removal. Fine when it is ending.
///
/// # Errors
/// See [`begin`].
pub async fn begin_for_leaver(
    engine: &Engine,
    unit: &mut dyn UnitOfWork,
    row: &mut Connection,
) -> StorageResult<()> {
    if is_ending(row) {
        return Ok(());
    }
    begin(unit, row, false, engine.now()).await?;
    let detail = json!({
        "account": row.account_email, "remove_copies": false, "reason": "owner_inactive",
    });
    let subject = format!("calendar_provider:{}", row.connection_id);
    let noted = audit::row(
        engine,
        row.tenant_id,
        None,
        "calendar.disconnected",
        subject,
        detail,
    );
    unit.add_audit(&noted).await
}

/// Whether the provider had its day.
fn is_over(payload: &Value, now: DateTime<Utc>) -> bool {
    let asked = payload["asked_at"].as_str().unwrap_or_default();
    // A job of an earlier version says no time; it has waited long enough.
    asked
        .parse::<DateTime<Utc>>()
        .map_or(true, |asked| now - asked >= PATIENCE)
}

/// Ends a connection.
///
/// # Errors
/// [`Stop`] to be tried again.
pub async fn run(
    engine: &Engine,
    tenant_id: TenantId,
    id: ConnectionId,
    payload: &Value,
) -> Result<(), Stop> {
    let mut unit = engine.read(tenant_id).await?;
    let found = calendar(unit.as_mut())?
        .find_connection(tenant_id, id)
        .await?;
    let mut connection = found.filter(is_ending).ok_or(Stop::Idle)?;
    // Whoever is still at it would make anew what is cleared away here, or take a cleared copy for one that somebody
    // deleted. They find out at their next commit.
    for kind in [sync::JOB, subscribe::JOB] {
        let now = engine.now();
        if unit
            .is_running(tenant_id, kind, &id.to_string(), now)
            .await?
        {
            return Err(Stop::Held(now + SOON));
        }
    }
    drop(unit);
    let remove = payload["remove_copies"] == true;
    let mut left = Left::default();
    let mut given = true;
    match outside(engine, &mut connection, remove, &mut left).await {
        Ok(gave) => given = gave,
        Err(stop) => {
            // A grant that ended comes back for nobody; all else may pass.
            let lost = matches!(stop, Stop::Reconnect(_));
            if !lost && !is_over(payload, engine.now()) {
                return Err(stop);
            }
            left = remaining(engine, &connection, remove).await?;
            let fate = fate(engine, &connection).await;
            left.grant = match fate {
                Ok(Fate::Stays) => false,
                Ok(Fate::Goes | Fate::Waits) => {
                    !give_back(engine, &connection).await.unwrap_or(false)
                }
                Err(_) => true,
            };
            tracing::warn!(connection = %id, ?stop, ?left, "disconnected without the provider's answer");
        }
    }
    let mut unit = engine.begin(tenant_id).await?;
    let rows = calendar(unit.as_mut())?;
    if !given && fate_among(&rows.list_connections(tenant_id).await?, &connection) != Fate::Stays {
        // The one that lived on the grant began to end meanwhile.
        return Err(Stop::Held(engine.now()));
    }
    let heirs = beside::bequeath(unit.as_mut(), &connection, engine.now()).await?;
    calendar(unit.as_mut())?
        .remove_connection(tenant_id, id)
        .await?;
    for heir in &heirs {
        sync::enqueue(unit.as_mut(), tenant_id, *heir, "schedule", engine.now()).await?;
    }
    unit.remove_job(tenant_id, sync::JOB, &id.to_string())
        .await?;
    unit.remove_job(tenant_id, subscribe::JOB, &id.to_string())
        .await?;
    let detail = json!({
        "account": connection.account_email,
        "complete": left == Left::default(),
        "left_at_provider": {
            "subscriptions": left.subscriptions, "copies": left.copies, "grant": left.grant,
        },
    });
    let subject = format!("calendar_provider:{id}");
    let noted = audit::row(engine, tenant_id, None, "calendar.erased", subject, detail);
    unit.add_audit(&noted).await?;
    unit.save().await?;
    engine.point("disconnect.after_commit").await;
    if !heirs.is_empty() {
        engine.wake.notify_waiters();
    }
    Ok(())
}

/// Everything that is done at the provider; whether the grant went too. A token that ended early is replaced once.
async fn outside(
    engine: &Engine,
    connection: &mut Connection,
    remove: bool,
    left: &mut Left,
) -> Result<bool, Stop> {
    if crate::import::is_imported(connection) {
        // Never connected from here: no token to give back, no subscription to end.
        return Ok(true);
    }
    if let Some(until) = held(connection, engine.now()) {
        return Err(Stop::Held(until));
    }
    let whose = connection.clone();
    places::for_job(
        engine,
        &whose,
        Box::pin(cleared(engine, connection, remove, left)),
    )
    .await?;
    match fate(engine, connection).await? {
        Fate::Stays => Ok(false),
        Fate::Waits => Err(Stop::Held(engine.now() + SOON)),
        Fate::Goes if give_back(engine, connection).await? => Ok(true),
        Fate::Goes => Err(Stop::Provider(ProviderError::Transient("revoke"))),
    }
}

async fn cleared(
    engine: &Engine,
    connection: &mut Connection,
    remove: bool,
    left: &mut Left,
) -> Result<(), Stop> {
    for fresh in [false, true] {
        *left = Left::default();
        let provider = engine.connect(connection, fresh).await?;
        match clear(engine, provider.as_ref(), connection, remove, left).await {
            Err(Stop::Provider(ProviderError::Unauthorized)) if !fresh => {}
            Err(Stop::Provider(ProviderError::Unauthorized)) => {
                return Err(Stop::Reconnect("unauthorized"));
            }
            other => return other,
        }
    }
    Ok(())
}

async fn clear(
    engine: &Engine,
    provider: &dyn CalendarProvider,
    connection: &Connection,
    remove: bool,
    left: &mut Left,
) -> Result<(), Stop> {
    let known = subscriptions(engine, connection).await?;
    for subscription in &known {
        subscribe::end(engine, provider, connection, subscription, &known).await?;
    }
    if remove && let Some(chosen) = connection.calendar_id.clone() {
        left.copies = remove_copies(engine, provider, connection, &chosen).await?;
    }
    Ok(())
}

/// Gives the grant back. `false` when the provider did not answer.
async fn give_back(engine: &Engine, connection: &Connection) -> Result<bool, Stop> {
    let (tenant_id, id) = (connection.tenant_id, connection.connection_id);
    let place = token_place(tenant_id, id, "refresh_token_sealed");
    let refresh = engine
        .keyring
        .open(&place, &connection.refresh_token_sealed)
        .map_err(internal)?;
    let kind = Provider::parse(&connection.provider).ok_or(Stop::Idle)?;
    let gone = revoke(engine, kind, &refresh).await;
    engine.point("disconnect.revoked").await;
    Ok(gone)
}

async fn subscriptions(
    engine: &Engine,
    connection: &Connection,
) -> Result<Vec<Subscription>, Stop> {
    let mut unit = engine.read(connection.tenant_id).await?;
    Ok(calendar(unit.as_mut())?
        .list_subscriptions(connection.tenant_id, connection.connection_id)
        .await?)
}

/// What is known to be there still.
async fn remaining(engine: &Engine, connection: &Connection, remove: bool) -> Result<Left, Stop> {
    let subscriptions = subscriptions(engine, connection).await?;
    let mut unit = engine.read(connection.tenant_id).await?;
    let mappings = calendar(unit.as_mut())?
        .list_mappings(connection.tenant_id, connection.connection_id)
        .await?;
    let copies = mappings
        .iter()
        .filter(|row| is_copy(row) && row.external_event_id.is_some());
    Ok(Left {
        subscriptions: subscriptions
            .iter()
            .filter(|row| row.external_id.is_some())
            .count(),
        copies: if remove { copies.count() } else { 0 },
        grant: false,
    })
}

/// Whether a copy of ours is there for it, or may be.
fn is_copy(mapping: &Mapping) -> bool {
    mapping.copy_left || (mapping.state != "removed" && mapping.origin == "schedule")
}

/// What becomes of a grant when one of the connections that live on it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Others live on, or give it back when they end.
    Stays,
    /// Others still have to clear up with it.
    Waits,
    /// Nobody needs it any more.
    Goes,
}

/// Google revokes an account's whole grant: a connection that lives on must not die with this one, and one that ends too
/// must have cleared up before. Of those that end the last one by its id gives it back.
fn fate_among(all: &[Connection], connection: &Connection) -> Fate {
    let mut others = all.iter().filter(|other| {
        other.connection_id != connection.connection_id
            && other.provider == connection.provider
            && other.account_id == connection.account_id
    });
    match others.clone().next() {
        None => Fate::Goes,
        Some(_)
            if others.any(|other| {
                !is_ending(other) || other.connection_id > connection.connection_id
            }) =>
        {
            Fate::Stays
        }
        Some(_) => Fate::Waits,
    }
}

async fn fate(engine: &Engine, connection: &Connection) -> Result<Fate, Stop> {
    let mut unit = engine.read(connection.tenant_id).await?;
    let all = calendar(unit.as_mut())?
        .list_connections(connection.tenant_id)
        .await?;
    Ok(fate_among(&all, connection))
}

/// Takes the copies away; how many the provider refuses to delete.
async fn remove_copies(
    engine: &Engine,
    provider: &dyn CalendarProvider,
    connection: &Connection,
    chosen: &str,
) -> Result<usize, Stop> {
    let (tenant_id, id) = (connection.tenant_id, connection.connection_id);
    let mut unit = engine.read(tenant_id).await?;
    let mappings = calendar(unit.as_mut())?
        .list_mappings(tenant_id, id)
        .await?;
    drop(unit);
    let mut refused = 0;
    for mut mapping in mappings {
        if !is_copy(&mapping) {
            continue;
        }
        // A copy whose making was not confirmed may exist all the same.
        let event = match mapping.external_event_id.clone() {
            Some(event) if !mapping.copy_left => Some(event),
            _ => {
                let key = CopyKey {
                    mapping_id: mapping.mapping_id,
                    generation: mapping.generation,
                };
                let found = provider.find_copy(chosen, key).await?;
                found.map(|event| event.id)
            }
        };
        if let Some(event) = event {
            // Without an ETag: disconnecting takes the copy away, whatever was made of it.
            match provider.delete(chosen, &event, None).await {
                Err(ProviderError::Permanent(status)) => {
                    tracing::warn!(connection = %id, status, "the provider refuses to delete a copy");
                    refused += 1;
                    continue;
                }
                other => other?,
            }
            engine.point("disconnect.copy_removed").await;
        }
        mapping.state = "removed".to_owned();
        mapping.updated_at = engine.now();
        let mut unit = engine.begin(tenant_id).await?;
        calendar(unit.as_mut())?.update_mapping(&mapping).await?;
        unit.save().await?;
    }
    Ok(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_asked_for_a_day() {
        let now = Utc::now();
        let asked = |ago: Duration| json!({ "asked_at": now - ago });
        assert!(!is_over(&asked(Duration::hours(23)), now));
        assert!(is_over(&asked(Duration::hours(24)), now));
        assert!(is_over(&json!({ "remove_copies": true }), now));
    }
}
