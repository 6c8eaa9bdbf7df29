//! Notifications: checked, turned into one queued sync, answered at once. They carry no data we use, so a forged one
//! could at worst cause a poll, and a wrong one gets the same answer as a right one: unknown, with another secret, malformed
//! or longer than any of a provider's, from outside they are all alike. Only who does not say all of it in time is told so.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use daybind_domain::ids::TenantId;
use daybind_services::Provider;
use daybind_services::flow::hash;
use futures::{StreamExt as _, stream};
use serde::Deserialize;
use tokio::time::error::Elapsed;

use crate::intake::{Intake, Lifecycle, Poke};

/// The longest body we read.
const BODY_MAX: usize = 256 << 10;
/// Graph's own tokens have about a hundred characters.
const HANDSHAKE_MAX: usize = 4 << 10;
/// Seconds after which a provider may try again what could not be stored.
const RETRY_AFTER: &str = "5";
/// So long a sender may take for its body.
const BODY_TIME: Duration = Duration::from_secs(10);

/// A message is about one tenant or few; one that names more waits for so many at a time.
const TENANTS_AT_A_TIME: usize = 8;

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
pub async fn serve(intake: &Intake, provider: Provider, request: Request<Body>) -> Response {
    let began = Instant::now();
    let response = answer(intake, provider, request).await;
    metrics::histogram!("daybind_webhook_ack_seconds", "provider" => provider.as_str())
        .record(began.elapsed());
    response
}

async fn answer(intake: &Intake, provider: Provider, request: Request<Body>) -> Response {
    if request.method() != Method::POST {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    match provider {
        Provider::Google => take(intake, google_poke(request.headers()), StatusCode::OK).await,
        Provider::Microsoft => {
            let tokens = validation_tokens(request.uri().query().unwrap_or_default());
            if !tokens.is_empty() {
                return handshake(&tokens);
            }
            let Ok(bytes) = body(request.into_body()).await else {
                return StatusCode::REQUEST_TIMEOUT.into_response();
            };
            let message = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
            let GraphMessage { value: items } = message.unwrap_or_else(|| {
                ignored(provider);
                GraphMessage { value: Vec::new() }
            });
            let pokes = items.into_iter().filter_map(|item| {
                let lifecycle = item.lifecycle_event.as_deref();
                let token = item.client_state.as_deref();
                let poke = token.and_then(|token| read_token(provider, token, lifecycle));
                if poke.is_none() {
                    ignored(provider);
                }
                poke
            });
            take(intake, pokes, StatusCode::ACCEPTED).await
        }
    }
}

/// Counts what nothing is done about; the sender is not told.
pub fn ignored(provider: Provider) {
    let provider = provider.as_str();
    metrics::counter!("daybind_webhook_ignored_total", "provider" => provider).increment(1);
}

/// A body of a bounded length, none when it is longer or breaks off; an error when it takes too long.
async fn body(body: Body) -> Result<Option<Bytes>, Elapsed> {
    let read = tokio::time::timeout(BODY_TIME, to_bytes(body, BODY_MAX)).await?;
    Ok(read.ok())
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
fn google_poke(headers: &HeaderMap) -> Option<(TenantId, Poke)> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if header("x-goog-resource-state") == Some("sync") {
        return None;
    }
    let poke =
        header("x-goog-channel-token").and_then(|token| read_token(Provider::Google, token, None));
    if poke.is_none() {
        ignored(Provider::Google);
    }
    poke
}

/// Graph's handshake: the decoded token, if there is one; more than one is nobody's.
fn validation_tokens(query: &str) -> Vec<String> {
    url::form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| name == "validationToken")
        .map(|(_, value)| value.into_owned())
        .collect()
}

/// Reads `<tenant>.<subscription>.<secret>`.
fn read_token(
    provider: Provider,
    token: &str,
    lifecycle: Option<&str>,
) -> Option<(TenantId, Poke)> {
    let mut parts = token.splitn(3, '.');
    let tenant_id = parts.next()?.parse().ok()?;
    let poke = Poke {
        provider,
        subscription_id: parts.next()?.parse().ok()?,
        secret_hash: hash(parts.next()?),
        lifecycle: match lifecycle {
            Some("subscriptionRemoved") => Lifecycle::Removed,
            Some("reauthorizationRequired") => Lifecycle::Ends,
            _ => Lifecycle::Lives,
        },
    };
    Some((tenant_id, poke))
}

async fn take(
    intake: &Intake,
    pokes: impl IntoIterator<Item = (TenantId, Poke)>,
    done: StatusCode,
) -> Response {
    let mut tenants: BTreeMap<TenantId, HashSet<Poke>> = BTreeMap::new();
    for (tenant_id, poke) in pokes {
        tenants.entry(tenant_id).or_default().insert(poke);
    }
    let refused = stream::iter(tenants)
        .map(|(tenant_id, pokes)| intake.take(tenant_id, pokes))
        .buffer_unordered(TENANTS_AT_A_TIME)
        .any(|taken| async move { taken.is_err() })
        .await;
    if refused {
        let later = [(header::RETRY_AFTER, RETRY_AFTER)];
        return (StatusCode::SERVICE_UNAVAILABLE, later).into_response();
    }
    done.into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_whole_or_not_at_all() {
        let (tenant, id) = (uuid::Uuid::now_v7(), uuid::Uuid::now_v7());
        let read = |token: &str| read_token(Provider::Google, token, None);
        let (of, poke) = read(&format!("{tenant}.{id}.se.cret")).unwrap();
        assert_eq!((of.0, poke.subscription_id.0), (tenant, id));
        assert_eq!(poke.secret_hash, hash("se.cret"));
        for wrong in [
            "",
            "a.b.c",
            &format!("{tenant}.{id}"),
            &format!("{tenant}.x.secret"),
        ] {
            assert_eq!(read(wrong), None);
        }
    }

    /// M-24. A sender that drips holds nobody up.
    #[tokio::test(start_paused = true)]
    async fn bodies_end() {
        let drip = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Some((Ok::<_, std::io::Error>("x"), ()))
        });
        assert!(body(Body::from_stream(drip)).await.is_err());
        let long = body(Body::from("x".repeat(BODY_MAX + 1))).await;
        assert_eq!(long.unwrap(), None);
        assert_eq!(body(Body::from("whole")).await.unwrap().unwrap(), "whole");
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
