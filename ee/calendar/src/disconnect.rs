//! Ends a connection: subscriptions, copies if asked, the grant, then everything we stored about it.

use daybind_domain::ids::{ConnectionId, TenantId};
use daybind_ee_storage::{Connection, calendar};
use daybind_services::{Provider, internal};
use serde_json::Value;

use crate::engine::Engine;
use crate::oauth::{is_ending, revoke, token_place};
use crate::provider::{CalendarProvider, ProviderError};
use crate::subscribe;
use crate::tokens::Stop;

/// The job that ends a connection; its key is the connection's id, its payload says `remove_copies`.
pub const JOB: &str = "calendar.disconnect";

/// Ends a connection. With `last_try`, what the provider does not answer is left behind and the rest is erased.
///
/// # Errors
/// [`Stop`] to be tried again.
pub async fn run(
    engine: &Engine,
    tenant_id: TenantId,
    id: ConnectionId,
    payload: &Value,
    last_try: bool,
) -> Result<(), Stop> {
    let mut unit = engine.read(tenant_id).await?;
    let found = calendar(unit.as_mut())?
        .find_connection(tenant_id, id)
        .await?;
    drop(unit);
    let mut connection = found.filter(is_ending).ok_or(Stop::Idle)?;
    match outside(engine, &mut connection, payload["remove_copies"] == true).await {
        Ok(()) => {}
        // Without access there is nothing left to do over there.
        Err(Stop::Reconnect(_) | Stop::Operator(_)) => {}
        Err(Stop::Provider(ProviderError::Unauthorized | ProviderError::Permanent(_))) => {}
        Err(_) if last_try => {
            tracing::warn!(connection = %id, "disconnected without the provider's answer");
        }
        Err(other) => return Err(other),
    }
    let mut unit = engine.begin(tenant_id).await?;
    calendar(unit.as_mut())?
        .remove_connection(tenant_id, id)
        .await?;
    unit.remove_job(tenant_id, crate::sync::JOB, &id.to_string())
        .await?;
    unit.remove_job(tenant_id, subscribe::JOB, &id.to_string())
        .await?;
    unit.save().await?;
    Ok(())
}

async fn outside(engine: &Engine, connection: &mut Connection, remove: bool) -> Result<(), Stop> {
    if crate::import::is_imported(connection) {
        // Never connected from here: no token to give back, no subscription to end.
        return Ok(());
    }
    let (tenant_id, id) = (connection.tenant_id, connection.connection_id);
    let provider = engine.connect(connection, false).await?;
    let mut unit = engine.read(tenant_id).await?;
    let rows = calendar(unit.as_mut())?;
    let subscriptions = rows.list_subscriptions(tenant_id, id).await?;
    drop(unit);
    for subscription in &subscriptions {
        subscribe::end(engine, provider.as_ref(), subscription).await?;
    }
    if remove && let Some(chosen) = connection.calendar_id.clone() {
        remove_copies(engine, provider.as_ref(), connection, &chosen).await?;
    }
    let place = token_place(tenant_id, id, "refresh_token_sealed");
    let refresh = engine
        .keyring
        .open(&place, &connection.refresh_token_sealed)
        .map_err(internal)?;
    let kind = Provider::parse(&connection.provider).ok_or(Stop::Idle)?;
    if !shares_grant(engine, connection).await? && !revoke(engine, kind, &refresh).await {
        return Err(Stop::Provider(ProviderError::Transient("revoke")));
    }
    Ok(())
}

/// Google revokes an account's whole grant; another connection of the same account must not die with this one.
async fn shares_grant(engine: &Engine, connection: &Connection) -> Result<bool, Stop> {
    let mut unit = engine.read(connection.tenant_id).await?;
    let all = calendar(unit.as_mut())?
        .list_connections(connection.tenant_id)
        .await?;
    Ok(all.iter().any(|other| {
        other.connection_id != connection.connection_id
            && other.provider == connection.provider
            && other.account_id == connection.account_id
            && !is_ending(other)
    }))
}

async fn remove_copies(
    engine: &Engine,
    provider: &dyn CalendarProvider,
    connection: &Connection,
    chosen: &str,
) -> Result<(), Stop> {
    let (tenant_id, id) = (connection.tenant_id, connection.connection_id);
    let mut unit = engine.read(tenant_id).await?;
    let mappings = calendar(unit.as_mut())?
        .list_mappings(tenant_id, id)
        .await?;
    drop(unit);
    for mut mapping in mappings {
        let event = mapping
            .external_event_id
            .clone()
            .filter(|_| mapping.state != "removed" && mapping.origin == "schedule");
        if let Some(event) = event {
            // Without an ETag: disconnecting takes the copy away, whatever was made of it.
            provider.delete(chosen, &event, None).await?;
            mapping.state = "removed".to_owned();
            mapping.updated_at = engine.now();
            let mut unit = engine.begin(tenant_id).await?;
            calendar(unit.as_mut())?.update_mapping(&mapping).await?;
            unit.save().await?;
        }
    }
    Ok(())
}
