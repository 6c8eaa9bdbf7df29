//! HTTP towards the providers: one place that sends, bounds and sorts.

use std::time::Duration;

use chrono::DateTime;
use http::HeaderMap;
use reqwest::{RequestBuilder, Response, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;
use url::Url;

use crate::provider::{Events, ProviderError, ProviderResult, RemoteEvent};

/// The longest answer we read.
const ANSWER_MAX: usize = 16 << 20;

/// An address below `base`; segments are encoded.
pub fn url(base: &str, segments: &[&str]) -> ProviderResult<Url> {
    let mut url = Url::parse(base).map_err(|_| ProviderError::Transient("address"))?;
    url.path_segments_mut()
        .map_err(|()| ProviderError::Transient("address"))?
        .pop_if_empty()
        .extend(segments);
    Ok(url)
}

/// Adds query parameters, spaces as `%20` (OData does not promise to read `+`).
pub fn with_query(mut url: Url, pairs: &[(&str, &str)]) -> Url {
    url.query_pairs_mut().extend_pairs(pairs);
    let query = url.query().map(|query| query.replace('+', "%20"));
    url.set_query(query.as_deref());
    url
}

/// Reads a link a provider gave us; refuses one that leads elsewhere, since our token would go with it.
pub fn same_origin(base: &str, link: &str) -> ProviderResult<Url> {
    let (Ok(base), Ok(link)) = (Url::parse(base), Url::parse(link)) else {
        return Err(ProviderError::Permanent(0));
    };
    let below = link
        .path()
        .strip_prefix(base.path().trim_end_matches('/'))
        .is_some_and(|rest| rest.starts_with('/'));
    let named = !link.username().is_empty() || link.password().is_some();
    if base.origin() == link.origin() && below && !named {
        Ok(link)
    } else {
        tracing::error!("a provider's page link leads to another host and was not followed");
        Err(ProviderError::Permanent(0))
    }
}

/// A list in an answer. One that is something else, or missing where it `must` be there, is no usable answer: taken for an
/// empty one, it would say that there is nothing.
pub fn list<'a>(answer: &'a Value, name: &str, must: bool) -> ProviderResult<&'a [Value]> {
    match &answer[name] {
        Value::Array(items) => Ok(items),
        Value::Null if !must => Ok(&[]),
        _ => Err(ProviderError::Transient("list")),
    }
}

/// The events of a list; what `read` makes nothing of is none.
pub fn events(items: Vec<Box<RawValue>>, read: fn(&Value) -> Option<RemoteEvent>) -> Events {
    Box::new(items.into_iter().filter_map(move |item| {
        match serde_json::from_str(item.get()) {
            Ok(value) => read(&value).map(Ok),
            // Its syntax was right, but not what its strings say.
            Err(_) => Some(Err(ProviderError::Transient("answer"))),
        }
    }))
}

/// Sends a request and reads the JSON answer (`Null` when empty).
pub async fn send(request: RequestBuilder) -> ProviderResult<Value> {
    send_for(request).await
}

/// Sends a request and reads a JSON answer of that form (its default when empty).
pub async fn send_for<T: DeserializeOwned + Default>(request: RequestBuilder) -> ProviderResult<T> {
    let (client, request) = request.build_split();
    let request = request.map_err(|_| ProviderError::Transient("request"))?;
    let host = request.url().host_str().unwrap_or_default().to_owned();
    let answer = exchange(&client, request).await;
    metrics::counter!("daybind_provider_calls_total", "host" => host, "end" => word(&answer))
        .increment(1);
    answer
}

fn word<T>(answer: &ProviderResult<T>) -> &'static str {
    match answer {
        Ok(_) => "ok",
        Err(ProviderError::Throttled { .. } | ProviderError::Exhausted { .. }) => "throttled",
        Err(ProviderError::Unauthorized) => "unauthorized",
        Err(ProviderError::Transient(_)) => "no_answer",
        Err(ProviderError::Permanent(_)) => "refused",
        // Answers that sync lives by: gone, changed meanwhile, there already.
        Err(_) => "state",
    }
}

async fn exchange<T: DeserializeOwned + Default>(
    client: &reqwest::Client,
    request: reqwest::Request,
) -> ProviderResult<T> {
    let response = client
        .execute(request)
        .await
        .map_err(|_| ProviderError::Transient("connection"))?;
    let status = response.status();
    let after = retry_after(response.headers());
    let bytes = read(response).await?;
    if status.is_success() {
        if bytes.is_empty() {
            return Ok(T::default());
        }
        return serde_json::from_slice(&bytes).map_err(|_| ProviderError::Transient("answer"));
    }
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Err(sort(status, after, &body))
}

/// The body of an answer, up to the longest we read.
pub async fn read(mut response: Response) -> ProviderResult<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|_| ProviderError::Transient("answer"))?
    {
        if bytes.len() + chunk.len() > ANSWER_MAX {
            return Err(ProviderError::Transient("answer too long"));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// `Retry-After` (RFC 9110, 10.2.3): seconds, or a date, which is read against the sender's own clock.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let after = text(header::RETRY_AFTER)?.trim();
    if let Ok(seconds) = after.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = |text: &str| DateTime::parse_from_rfc2822(text.trim()).ok();
    let wait = date(after)? - date(text(header::DATE)?)?;
    Some(wait.to_std().unwrap_or_default())
}

/// The error class of a status; codes and reasons decide, never message texts.
fn sort(status: StatusCode, after: Option<Duration>, body: &Value) -> ProviderError {
    let code = body["error"]["code"].as_str().unwrap_or_default();
    let reason = body["error"]["errors"][0]["reason"]
        .as_str()
        .unwrap_or_default();
    match status.as_u16() {
        403 | 429 if let Some(pause) = exhausted(reason, &body["error"]["details"]) => {
            ProviderError::Exhausted {
                after: after.unwrap_or(pause),
            }
        }
        401 => ProviderError::Unauthorized,
        403 if reason.ends_with("LimitExceeded")
            || reason.ends_with("LimitsExceeded")
            || reason == "quotaExceeded" =>
        {
            ProviderError::Throttled { after }
        }
        403 if matches!(
            reason,
            "insufficientPermissions" | "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
        ) =>
        {
            ProviderError::Unauthorized
        }
        404 => ProviderError::NotFound,
        409 => ProviderError::Conflict,
        410 => ProviderError::Gone,
        412 => ProviderError::PreconditionFailed,
        429 => ProviderError::Throttled { after },
        _ if is_lost_state(code) => ProviderError::Gone,
        408 | 425 => ProviderError::Transient("timeout"),
        _ if status.is_server_error() && after.is_some() => ProviderError::Throttled { after },
        _ if status.is_server_error() => ProviderError::Transient("server error"),
        other => ProviderError::Permanent(other),
    }
}

/// Whether a refusal says that the whole project's quota is used up, and for how long it then is, unless the answer says
/// (Google's `ErrorInfo` names the quota: `...PerProject`, beside those per user and per calendar).
fn exhausted(reason: &str, details: &Value) -> Option<Duration> {
    if reason == "dailyLimitExceeded" {
        return Some(Duration::from_secs(3600));
    }
    let mut quotas = details
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|detail| detail["metadata"]["quota_limit"].as_str());
    quotas
        .any(|quota| quota.ends_with("PerProject"))
        .then_some(Duration::from_secs(60))
}

fn is_lost_state(code: &str) -> bool {
    [
        "syncStateNotFound",
        "syncStateInvalid",
        "resyncRequired",
        "ErrorInvalidSyncStateData",
    ]
    .iter()
    .any(|known| known.eq_ignore_ascii_case(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_by_status_and_code() {
        let quota = serde_json::json!({"error": {"errors": [{"reason": "userRateLimitExceeded"}]}});
        assert_eq!(
            sort(StatusCode::FORBIDDEN, None, &quota),
            ProviderError::Throttled { after: None }
        );
        assert_eq!(
            sort(StatusCode::FORBIDDEN, None, &Value::Null),
            ProviderError::Permanent(403)
        );
        // Of the whole project, and of one user.
        for (reason, quota, seconds) in [
            ("dailyLimitExceeded", "", Some(3600)),
            ("rateLimitExceeded", "defaultPerMinutePerProject", Some(60)),
            (
                "rateLimitExceeded",
                "defaultPerMinutePerProjectPerUser",
                None,
            ),
        ] {
            let body = serde_json::json!({"error": {
                "errors": [{ "reason": reason }],
                "details": [{ "metadata": { "quota_limit": quota } }],
            }});
            for status in [StatusCode::FORBIDDEN, StatusCode::TOO_MANY_REQUESTS] {
                let expected = match seconds {
                    Some(seconds) => ProviderError::Exhausted {
                        after: Duration::from_secs(seconds),
                    },
                    None => ProviderError::Throttled { after: None },
                };
                assert_eq!(sort(status, None, &body), expected, "{reason} {quota}");
            }
        }
        let lost = serde_json::json!({"error": {"code": "SyncStateNotFound"}});
        assert_eq!(
            sort(StatusCode::BAD_REQUEST, None, &lost),
            ProviderError::Gone
        );
    }

    /// M-34. Both spellings of `Retry-After`; a date counts from the sender's clock, and one that has passed from now.
    #[test]
    fn retry_after_is_read_in_both_spellings() {
        let read = |after: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(
                header::DATE,
                "Sat, 28 Nov 2026 10:00:00 GMT".parse().unwrap(),
            );
            headers.insert(header::RETRY_AFTER, after.parse().unwrap());
            retry_after(&headers).map(|wait| wait.as_secs())
        };
        assert_eq!(read(" 120 "), Some(120));
        assert_eq!(read("Sat, 28 Nov 2026 10:02:30 GMT"), Some(150));
        assert_eq!(read("Sat, 28 Nov 2026 09:00:00 GMT"), Some(0));
        for wrong in ["soon", "-5", ""] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn links_must_stay_with_their_host() {
        let base = "https://graph.example/base";
        assert!(same_origin(base, "https://graph.example/base/v1.0/x?$skiptoken=1").is_ok());
        for link in [
            "https://evil.example/base/x",
            "http://graph.example/base/x",
            "https://graph.example:1/base/x",
            "https://graph.example.evil.example/base/x",
            "https://graph.example@evil.example/base/x",
            "https://somebody@graph.example/base/x",
            "https://evil.example\\@graph.example/base/x",
            "https://graph.example/basement/x",
            "https://graph.example/base/../x",
            "https://graph.example/base/%2e%2e/x",
            "//evil.example/base/x",
            "file:///base/x",
            "x",
        ] {
            assert!(same_origin(base, link).is_err(), "{link}");
        }
    }

    #[test]
    fn segments_and_queries_are_encoded() {
        let made = url("http://x/base", &["calendars", "a/b#c@d", "events"]).unwrap();
        assert_eq!(made.path(), "/base/calendars/a%2Fb%23c@d/events");
        assert_eq!(
            with_query(made, &[("q", "a b+c")]).query(),
            Some("q=a%20b%2Bc")
        );
    }
}
