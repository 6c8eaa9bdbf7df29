//! Push subscriptions: made, prolonged and ended. Polling goes on underneath whatever happens here.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, Utc};
use daybind_domain::ids::{ConnectionId, SubscriptionId, TenantId};
use daybind_ee_storage::{Connection, Subscription, calendar};
use daybind_services::{Provider, Services, StableRoute};
use daybind_storage::{NewJob, StorageResult, UnitOfWork};
use rand::RngCore;
use secrecy::SecretString;

use crate::engine::Engine;
use crate::places;
use crate::provider::{CalendarProvider, LostSubscription, ProviderError, SubscribeRequest};
use crate::retry::held;
use crate::sync::may_sync;
use crate::tokens::Stop;
use daybind_services::flow::hash;

/// The job that looks after one connection's subscriptions; its key is the connection's id.
pub const JOB: &str = "calendar.subscription";
/// What we ask for; Graph allows seven days, Google grants what it likes.
const LIFE: Duration = Duration::hours(6 * 24 + 23);
/// However short a life the provider grants, it is not renewed more often.
const SOONEST: Duration = Duration::minutes(5);
/// When the provider refuses, the next try.
const AGAIN: Duration = Duration::hours(1);

/// When a subscription granted now is renewed: past the half of its life and before three quarters, by chance, so that
/// those made together are not renewed together. What the provider granted counts, not what was asked for.
#[must_use]
pub fn renewal(granted: DateTime<Utc>, ends: DateTime<Utc>) -> DateTime<Utc> {
    let share = rand::random_range(500..750);
    granted + Duration::milliseconds((ends - granted).num_milliseconds().max(0) / 1000 * share)
}

/// The look at a connection's subscription.
#[must_use]
pub fn job(tenant_id: TenantId, id: ConnectionId, now: DateTime<Utc>) -> NewJob {
    NewJob {
        tenant_id,
        kind: JOB,
        key: id.to_string(),
        payload: serde_json::Value::Null,
        run_at: now,
        max_attempts: i32::MAX,
    }
}

/// Queues a look at the connection's subscription.
///
/// # Errors
/// A storage error.
pub async fn enqueue(
    unit: &mut dyn UnitOfWork,
    tenant_id: TenantId,
    id: ConnectionId,
    now: DateTime<Utc>,
) -> StorageResult<()> {
    unit.enqueue_job(&job(tenant_id, id, now), now).await
}

/// Whether providers can reach us: they demand https, except for tests on this computer.
#[must_use]
pub fn reachable(services: &Services) -> bool {
    let url = &services.public_url;
    url.scheme() == "https" || matches!(url.host_str(), Some("127.0.0.1" | "localhost"))
}

/// The token sent along, so that a notification is found within its tenant.
fn token(tenant_id: TenantId, id: SubscriptionId, secret: &str) -> String {
    format!("{tenant_id}.{id}.{secret}")
}

/// Makes, prolongs or ends what must be; returns when to look again, or `None` when never.
///
/// # Errors
/// [`Stop`]
pub async fn run(
    engine: &Engine,
    tenant_id: TenantId,
    id: ConnectionId,
) -> Result<Option<DateTime<Utc>>, Stop> {
    if !reachable(engine) {
        return Ok(None);
    }
    let mut unit = engine.read(tenant_id).await?;
    let rows = calendar(unit.as_mut())?;
    let mut connection = rows
        .find_connection(tenant_id, id)
        .await?
        .filter(may_sync)
        .ok_or(Stop::Idle)?;
    let known = rows.list_subscriptions(tenant_id, id).await?;
    drop(unit);
    let now = engine.now();
    if let Some(until) = held(&connection, now) {
        return Err(Stop::Held(until));
    }
    let whose = connection.clone();
    places::for_job(
        engine,
        &whose,
        Box::pin(tend(engine, &mut connection, known)),
    )
    .await
}

async fn tend(
    engine: &Engine,
    connection: &mut Connection,
    known: Vec<Subscription>,
) -> Result<Option<DateTime<Utc>>, Stop> {
    let now = engine.now();
    let provider = engine.connect(connection, false).await?;
    let mut active: Option<Subscription> = None;
    let mut superseded = Vec::new();
    for mut subscription in known {
        let is_young =
            subscription.expires_at > now && subscription.renew_at.is_some_and(|at| at > now);
        if subscription.state == "active"
            && active.is_none()
            && (is_young || renew(engine, provider.as_ref(), &mut subscription).await?)
        {
            active = Some(subscription);
            continue;
        }
        superseded.push(subscription);
    }
    // What an earlier look may have made goes first, so that tries that fail leave no more than one behind.
    let (lost, superseded): (Vec<_>, Vec<_>) = superseded
        .into_iter()
        .partition(|row| row.external_id.is_none());
    end_all(engine, provider.as_ref(), connection, lost).await?;
    let next = match active {
        Some(subscription) => subscription.renew_at,
        None => match create(engine, provider.as_ref(), connection).await {
            Ok(next) => Some(next),
            Err(Stop::Provider(ProviderError::Permanent(status))) => {
                tracing::warn!(connection = %connection.connection_id, status, "no push notifications; polling only");
                return Ok(Some(now + AGAIN));
            }
            Err(other) => return Err(other),
        },
    };
    // The old ones only after the new one works; what comes twice is merged into one sync.
    if !superseded.is_empty() {
        engine.point("subscription.kept").await;
    }
    end_all(engine, provider.as_ref(), connection, superseded).await?;
    let soonest = now + SOONEST;
    Ok(Some(next.unwrap_or(soonest).max(soonest)))
}

async fn end_all(
    engine: &Engine,
    provider: &dyn CalendarProvider,
    connection: &Connection,
    ended: Vec<Subscription>,
) -> Result<(), Stop> {
    if ended.is_empty() {
        return Ok(());
    }
    let (tenant_id, id) = (connection.tenant_id, connection.connection_id);
    let mut unit = engine.read(tenant_id).await?;
    let known = calendar(unit.as_mut())?
        .list_subscriptions(tenant_id, id)
        .await?;
    drop(unit);
    for subscription in &ended {
        end(engine, provider, connection, subscription, &known).await?;
    }
    Ok(())
}

fn count(what: &'static str, provider: &str, ok: bool) {
    let end = if ok { "ok" } else { "failed" };
    metrics::counter!(
        "daybind_subscriptions_total",
        "what" => what, "provider" => provider.to_owned(), "end" => end
    )
    .increment(1);
}

async fn renew(
    engine: &Engine,
    provider: &dyn CalendarProvider,
    subscription: &mut Subscription,
) -> Result<bool, Stop> {
    let Some(external) = subscription.external_id.clone() else {
        return Ok(false);
    };
    let answer = provider.renew(&external, engine.now() + LIFE).await;
    // Google's are never prolonged, so this is no failure of its.
    if subscription.provider != Provider::Google.as_str() {
        count("renewed", &subscription.provider, answer.is_ok());
    }
    match answer {
        Ok(ends) => {
            subscription.expires_at = ends;
            subscription.renew_at = Some(renewal(engine.now(), ends));
        }
        Err(ProviderError::NotFound | ProviderError::Gone | ProviderError::Permanent(_)) => {
            return Ok(false);
        }
        Err(other) => return Err(other.into()),
    }
    engine.point("subscription.renewed").await;
    let mut unit = engine.begin(subscription.tenant_id).await?;
    calendar(unit.as_mut())?
        .update_subscription(subscription)
        .await?;
    unit.save().await?;
    Ok(true)
}

async fn create(
    engine: &Engine,
    provider: &dyn CalendarProvider,
    connection: &Connection,
) -> Result<DateTime<Utc>, Stop> {
    let route = Provider::parse(&connection.provider).ok_or(Stop::Idle)?;
    let chosen = connection.calendar_id.as_deref().ok_or(Stop::Idle)?;
    let mut secret = [0_u8; 32];
    rand::rng().fill_bytes(&mut secret);
    let secret = URL_SAFE_NO_PAD.encode(secret);
    let now = engine.now();
    let mut row = Subscription {
        tenant_id: connection.tenant_id,
        subscription_id: SubscriptionId(engine.new_id()),
        connection_id: connection.connection_id,
        provider: connection.provider.clone(),
        external_id: None,
        resource_id: None,
        secret_hash: hash(&secret),
        state: "intended".to_owned(),
        expires_at: now + LIFE,
        renew_at: None,
        last_notified_at: None,
        created_at: now,
    };
    let mut unit = engine.begin(row.tenant_id).await?;
    calendar(unit.as_mut())?.add_subscription(&row).await?;
    unit.save().await?;
    engine.point("subscription.intended").await;
    let request = SubscribeRequest {
        id: row.subscription_id.to_string(),
        address: address(engine, route),
        token: SecretString::from(token(row.tenant_id, row.subscription_id, &secret)),
        until: row.expires_at,
    };
    let made = provider.subscribe(chosen, &request).await;
    engine.point("subscription.made").await;
    count("made", &row.provider, made.is_ok());
    let mut unit = engine.begin(row.tenant_id).await?;
    let rows = calendar(unit.as_mut())?;
    match made {
        Ok(made) => {
            row.external_id = Some(made.external_id);
            row.resource_id = made.resource_id;
            row.expires_at = made.expires_at;
            let next = renewal(now, made.expires_at);
            row.renew_at = Some(next);
            row.state = "active".to_owned();
            rows.update_subscription(&row).await?;
            unit.save().await?;
            Ok(next)
        }
        // It may have been made all the same: its row stays, so that it is ended by the next look.
        Err(error @ ProviderError::Transient(_)) => Err(error.into()),
        Err(error) => {
            rows.remove_subscription(row.tenant_id, row.subscription_id)
                .await?;
            unit.save().await?;
            Err(error.into())
        }
    }
}

/// Where a provider's notifications are to go.
fn address(services: &Services, provider: Provider) -> String {
    services.absolute(StableRoute::Webhook(provider).path())
}

/// Ends one subscription and forgets it; `known` are all that are stored of the connection. A refusal is no obstacle: without
/// its row it has no effect.
///
/// # Errors
/// [`Stop`] when the provider did not answer or the database failed.
pub async fn end(
    engine: &Engine,
    provider: &dyn CalendarProvider,
    connection: &Connection,
    subscription: &Subscription,
    known: &[Subscription],
) -> Result<(), Stop> {
    let ended = match (&subscription.external_id, &connection.calendar_id) {
        (Some(external), _) => {
            provider
                .unsubscribe(external, subscription.resource_id.as_deref())
                .await
        }
        (None, Some(chosen)) => {
            let route = Provider::parse(&connection.provider).ok_or(Stop::Idle)?;
            let id = subscription.subscription_id.to_string();
            let lost = LostSubscription {
                id: &id,
                address: &address(engine, route),
                kept: known
                    .iter()
                    .filter_map(|row| row.external_id.as_deref())
                    .collect(),
                resource_id: known.iter().find_map(|row| row.resource_id.as_deref()),
            };
            provider.unsubscribe_lost(chosen, &lost).await
        }
        (None, None) => Ok(()),
    };
    match ended {
        Ok(()) | Err(ProviderError::Permanent(_)) => {}
        Err(other) => return Err(other.into()),
    }
    engine.point("subscription.ended").await;
    let mut unit = engine.begin(subscription.tenant_id).await?;
    calendar(unit.as_mut())?
        .remove_subscription(subscription.tenant_id, subscription.subscription_id)
        .await?;
    unit.save().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// M-36, W25. A thousand subscriptions granted at the same moment are renewed all over the third quarter of their life,
    /// whatever its length.
    #[test]
    fn renewals_are_spread_out() {
        let now = Utc::now();
        for life in [Duration::hours(1), Duration::days(7)] {
            let part = |at: DateTime<Utc>| (at - now).num_seconds() * 100 / life.num_seconds();
            let mut parts: Vec<i64> = (0..1000).map(|_| part(renewal(now, now + life))).collect();
            parts.sort_unstable();
            assert!(parts[0] >= 50 && parts[999] < 75, "{parts:?}");
            assert!(parts[100] < 55 && parts[900] > 70, "{parts:?}");
        }
        assert_eq!(renewal(now, now - Duration::hours(1)), now);
    }
}
