//! Notifications: checked, turned into one queued sync, answered at once. They carry no data we use, so a forged one
//! could at worst cause a poll, and a wrong one gets the same answer as a right one.

use std::time::Instant;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use daybind_domain::ids::{SubscriptionId, TenantId};
use daybind_ee_storage::calendar;
use daybind_services::{Provider, Services};
use daybind_storage::{StorageResult, UnitOfWork};
use serde::Deserialize;
use subtle::ConstantTimeEq;

use crate::sync::may_sync;
use crate::{subscribe, sync};
use daybind_services::flow::hash;

/// The longest body we read.
const BODY_MAX: usize = 256 << 10;
/// Graph's own tokens have about a hundred characters.
const HANDSHAKE_MAX: usize = 4 << 10;
/// More items than a provider ever sends in one message.
const ITEMS_MAX: usize = 1000;

/// What a notification asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Poke {
    tenant_id: TenantId,
    subscription_id: SubscriptionId,
    secret_hash: Vec<u8>,
    lifecycle: Option<String>,
}

#[derive(Deserialize)]
struct GraphMessage {
    #[serde(default)]
    value: Vec<GraphItem>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GraphItem {
    client_state: Option<String>,
    lifecycle_event: Option<String>,
}

/// Answers a notification.
pub async fn serve(services: &Services, provider: Provider, request: Request<Body>) -> Response {
    let began = Instant::now();
    let response = answer(services, provider, request).await;
    metrics::histogram!("daybind_webhook_ack_seconds", "provider" => provider.as_str())
        .record(began.elapsed());
    response
}

async fn answer(services: &Services, provider: Provider, request: Request<Body>) -> Response {
    if request.method() != Method::POST {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    match provider {
        Provider::Google => {
            let pokes = google_poke(request.headers()).into_iter().collect();
            take(services, provider, pokes, StatusCode::OK).await
        }
        Provider::Microsoft => {
            let tokens = validation_tokens(request.uri().query().unwrap_or_default());
            if !tokens.is_empty() {
                return handshake(&tokens);
            }
            let Ok(bytes) = to_bytes(request.into_body(), BODY_MAX).await else {
                return StatusCode::PAYLOAD_TOO_LARGE.into_response();
            };
            let message = serde_json::from_slice::<GraphMessage>(&bytes)
                .unwrap_or(GraphMessage { value: Vec::new() });
            let pokes = message
                .value
                .into_iter()
                .take(ITEMS_MAX)
                .filter_map(|item| read_token(item.client_state.as_deref()?, item.lifecycle_event))
                .collect();
            take(services, provider, pokes, StatusCode::ACCEPTED).await
        }
    }
}

/// Says the token back, as text that no browser takes for anything else. Nothing is read, stored or logged.
///
/// Graph's tokens are plain words. What could be markup, or is too long, is refused instead of altered.
fn handshake(tokens: &[String]) -> Response {
    let markup = |c: char| c.is_control() || matches!(c, '<' | '>');
    let plain =
        |token: &str| !token.is_empty() && token.len() <= HANDSHAKE_MAX && !token.contains(markup);
    let token = match tokens {
        [token] if plain(token) => token.clone(),
        _ => return StatusCode::BAD_REQUEST.into_response(),
    };
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (StatusCode::OK, headers, token).into_response()
}

/// What a channel's message asks for. The first one only says that the channel works.
fn google_poke(headers: &HeaderMap) -> Option<Poke> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if header("x-goog-resource-state") == Some("sync") {
        return None;
    }
    read_token(header("x-goog-channel-token")?, None)
}

/// Graph's handshake: the decoded token, if there is one; more than one is nobody's.
fn validation_tokens(query: &str) -> Vec<String> {
    url::form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| name == "validationToken")
        .map(|(_, value)| value.into_owned())
        .collect()
}

/// Reads `<tenant>.<subscription>.<secret>`.
fn read_token(token: &str, lifecycle: Option<String>) -> Option<Poke> {
    let mut parts = token.splitn(3, '.');
    Some(Poke {
        tenant_id: parts.next()?.parse().ok()?,
        subscription_id: parts.next()?.parse().ok()?,
        secret_hash: hash(parts.next()?),
        lifecycle,
    })
}

async fn take(
    services: &Services,
    provider: Provider,
    mut pokes: Vec<Poke>,
    done: StatusCode,
) -> Response {
    pokes.sort_by_key(|poke| (poke.tenant_id, poke.subscription_id));
    pokes.dedup();
    let mut queued = 0_usize;
    let tenants: Vec<TenantId> = {
        let mut tenants: Vec<_> = pokes.iter().map(|poke| poke.tenant_id).collect();
        tenants.dedup();
        tenants
    };
    for tenant_id in tenants {
        let mine: Vec<&Poke> = pokes
            .iter()
            .filter(|poke| poke.tenant_id == tenant_id)
            .collect();
        match queue(services, provider, tenant_id, &mine).await {
            Ok(count) => queued += count,
            Err(error) => {
                tracing::error!(owner = "ee", %error, "could not queue a notification; the provider will repeat it");
                return StatusCode::SERVICE_UNAVAILABLE.into_response();
            }
        }
    }
    tracing::info!(
        owner = "ee",
        provider = provider.as_str(),
        queued,
        "calendar notification"
    );
    if queued > 0 {
        services.wake.notify_waiters();
    }
    done.into_response()
}

/// Queues what the notifications of one tenant ask for, in one transaction.
async fn queue(
    services: &Services,
    provider: Provider,
    tenant_id: TenantId,
    pokes: &[&Poke],
) -> StorageResult<usize> {
    // Most forged messages end at the read; only a right secret costs a write.
    let scope = daybind_storage::Scope::Tenant(tenant_id);
    let mut unit = services.store.read(scope).await?;
    let mut right = Vec::new();
    for poke in pokes {
        if known(unit.as_mut(), provider, poke).await? {
            right.push(*poke);
        }
    }
    drop(unit);
    if right.is_empty() {
        return Ok(0);
    }
    let mut unit = services.store.begin(scope).await?;
    let now = services.now();
    let mut queued = 0;
    for poke in right {
        let rows = calendar(unit.as_mut())?;
        let Some(mut row) = rows
            .find_subscription(tenant_id, poke.subscription_id)
            .await?
        else {
            continue;
        };
        let connection = rows.find_connection(tenant_id, row.connection_id).await?;
        if !connection.is_some_and(|connection| may_sync(&connection)) {
            continue;
        }
        row.last_notified_at = Some(now);
        match poke.lifecycle.as_deref() {
            Some("subscriptionRemoved") => row.state = "stopping".to_owned(),
            Some("reauthorizationRequired") => row.renew_at = Some(now),
            _ => {}
        }
        rows.update_subscription(&row).await?;
        if matches!(
            poke.lifecycle.as_deref(),
            Some("subscriptionRemoved" | "reauthorizationRequired")
        ) {
            subscribe::enqueue(unit.as_mut(), tenant_id, row.connection_id, now).await?;
        }
        sync::enqueue(
            unit.as_mut(),
            tenant_id,
            row.connection_id,
            "notification",
            now,
        )
        .await?;
        queued += 1;
    }
    unit.save().await?;
    Ok(queued)
}

async fn known(unit: &mut dyn UnitOfWork, provider: Provider, poke: &Poke) -> StorageResult<bool> {
    let row = calendar(unit)?
        .find_subscription(poke.tenant_id, poke.subscription_id)
        .await?;
    Ok(row.is_some_and(|row| {
        row.provider == provider.as_str() && bool::from(row.secret_hash.ct_eq(&poke.secret_hash))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_whole_or_not_at_all() {
        let (tenant, id) = (uuid::Uuid::now_v7(), uuid::Uuid::now_v7());
        let poke = read_token(&format!("{tenant}.{id}.se.cret"), None).unwrap();
        assert_eq!(poke.tenant_id, TenantId(tenant));
        assert_eq!(poke.secret_hash, hash("se.cret"));
        for wrong in [
            "",
            "a.b.c",
            &format!("{tenant}.{id}"),
            &format!("{tenant}.x.secret"),
        ] {
            assert_eq!(read_token(wrong, None), None);
        }
    }

    #[test]
    fn the_handshake_token_is_decoded() {
        assert_eq!(
            validation_tokens("a=1&validationToken=x%3A+y%20z"),
            ["x: y z"]
        );
        assert!(validation_tokens("a=1").is_empty());
    }
}
