//! Middleware: request ids, sessions, who may see which page, stale addresses, security headers.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use daybind_app::location::canonical;
use daybind_app::server::{AppState, ClientAddress, RequestActor};
use daybind_domain::AppError;
use daybind_services::{Actor, audit, auth};
use tracing::Instrument as _;
use url::form_urlencoded;

use crate::again;

/// The id of a request, as logs and audit rows name it.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// The session cookie's name: bound to the host by the browser when served over https (RFC 6265bis section 4.1.3.2).
#[must_use]
pub fn cookie_name(state: &AppState) -> &'static str {
    if state.services.public_url.scheme() == "https" {
        "__Host-daybind"
    } else {
        "daybind"
    }
}

/// Gives the request an id and logs how it ended. The query is never logged: it may carry codes.
pub async fn trace(mut request: Request, next: Next) -> Response {
    let id = uuid::Uuid::new_v4().simple().to_string();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    request.extensions_mut().insert(RequestId(id.clone()));
    let span = tracing::info_span!("request", request_id = id);
    let ip = request
        .extensions()
        .get::<ClientAddress>()
        .map(|address| address.0.to_string());
    let agent = request
        .headers()
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok());
    let asked = audit::Request::new(id.clone(), ip, agent);
    async move {
        let begun = std::time::Instant::now();
        let mut response = audit::from(asked, next.run(request)).await;
        let (status, millis) = (response.status().as_u16(), begun.elapsed().as_millis());
        tracing::info!(%method, path, status, millis, "{method} {path} {status}");
        if let Ok(value) = HeaderValue::from_str(&id) {
            response.headers_mut().insert("x-request-id", value);
        }
        response
    }
    .instrument(span)
    .await
}

/// Security headers on every answer.
pub async fn headers(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (
            header::HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        // Forms without WebAssembly need the Referer of our own pages.
        (header::REFERRER_POLICY, "strict-origin-when-cross-origin"),
        (
            header::HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            header::HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=()",
        ),
    ];
    for (name, value) in fixed {
        // A callback is stricter about what it tells of its own address.
        if name != header::REFERRER_POLICY || !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    // Pages bring a policy with their nonce; nothing else we answer is a document.
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ));
    if state.services.public_url.scheme() == "https" {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=63072000; includeSubDomains"),
        );
    }
    let asset = ["/pkg/", "/fonts/", "/icons", "/favicon"]
        .iter()
        .any(|start| path.starts_with(start));
    let kept = response.status().is_success() && is_marked(&path);
    if asset {
        // Each has compressed copies; a cache between must not give those to whoever does not take them.
        response
            .headers_mut()
            .entry(header::VARY)
            .or_insert(HeaderValue::from_static("accept-encoding"));
    }
    response
        .headers_mut()
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static(match asset {
            true if kept => "public, max-age=31536000, immutable",
            true => "no-cache",
            false => "no-store",
        }));
    response
}

/// Whether the file's name says of which build it is, so that what it holds never changes: a part of the WASM,
/// `name.0123456789abcdef.wasm`.
fn is_marked(path: &str) -> bool {
    let mut ends = path.rsplit('.');
    ends.next() == Some("wasm")
        && ends.next().is_some_and(|mark| {
            mark.len() == 16 && mark.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
}

/// What a page was told by its address alone, once: an earlier failure of a form (`__path` and `__err` are Leptos'), and
/// what had just been done.
const SAID_ONCE: [&str; 3] = ["__path", "__err", "saved"];

/// Takes a `Referer` away that is not one of our pages: Leptos sends a form without WebAssembly back there, and such an
/// answer must not lead outside. Of one of ours it takes what was said by an earlier answer, or the next would say it again.
pub async fn referer(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let ours = request
        .headers()
        .get(header::REFERER)
        .and_then(|value| url::Url::parse(value.to_str().ok()?).ok())
        .filter(|url| {
            url.origin() == state.services.public_url.origin()
                && url.username().is_empty()
                && url.password().is_none()
        })
        .and_then(|url| HeaderValue::from_str(without(url, &SAID_ONCE).as_str()).ok());
    match ours {
        Some(page) => request.headers_mut().insert(header::REFERER, page),
        None => request.headers_mut().remove(header::REFERER),
    };
    next.run(request).await
}

/// The address without these parameters.
fn without(mut url: url::Url, names: &[&str]) -> url::Url {
    let kept: Vec<_> = url
        .query_pairs()
        .filter(|(name, _)| !names.contains(&&**name))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    if kept.is_empty() {
        url.set_query(None);
    } else {
        url.query_pairs_mut().clear().extend_pairs(kept);
    }
    url
}

/// Refuses a body that says of itself that it is longer than `limit` bytes; one that does not say is cut off while it is
/// read.
pub async fn length(State(limit): State<u64>, request: Request, next: Next) -> Response {
    let said = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if said.is_some_and(|length| length > limit) {
        let text = format!(
            "This is more than Daybind takes at once ({} KiB).",
            limit / 1024
        );
        return (StatusCode::PAYLOAD_TOO_LARGE, text).into_response();
    }
    next.run(request).await
}

/// Finds out who sends the request and notes it for everything behind.
pub async fn session(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let id = request
        .extensions()
        .get::<RequestId>()
        .map(|id| id.0.clone());
    let jar = CookieJar::from_headers(request.headers());
    let actor = match jar.get(cookie_name(&state)) {
        Some(cookie) => match auth::authenticate(&state.services, cookie.value(), id).await {
            Ok(actor) => actor,
            Err(error) => return plain(&error),
        },
        None => None,
    };
    request.extensions_mut().insert(actor.clone());
    request.extensions_mut().insert(RequestActor(actor));
    next.run(request).await
}

/// Sends signed-out people to sign in, hides the MSP's pages from client-portal users, and mends stale addresses.
pub async fn pages(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let actor = request
        .extensions()
        .get::<RequestActor>()
        .and_then(|actor| actor.0.clone());
    let inside = path == "/" || path == "/msp" || path.starts_with("/msp/");
    let page = match *request.method() {
        Method::GET | Method::HEAD => inside,
        // A refused form, brought to its page.
        Method::POST => again::paths().any(|known| known == path),
        _ => false,
    };
    if page {
        match &actor {
            None => return Redirect::to(&sign_in_address(&request)).into_response(),
            Some(actor) if !actor.is_internal() => {
                return (StatusCode::NOT_FOUND, "There is no such page.").into_response();
            }
            Some(_) => {}
        }
        let query: Vec<(String, String)> =
            form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes())
                .into_owned()
                .collect();
        if let Some(target) = canonical(state.services.edition, &path, &query) {
            return Redirect::to(&target).into_response();
        }
    }
    if path == "/auth/msp/signin"
        && request.method() == Method::GET
        && signed_in_staff(actor.as_ref())
    {
        return Redirect::to("/msp/schedule").into_response();
    }
    next.run(request).await
}

fn signed_in_staff(actor: Option<&Actor>) -> bool {
    actor.is_some_and(Actor::is_internal)
}

fn sign_in_address(request: &Request) -> String {
    let wanted = request
        .uri()
        .path_and_query()
        .map_or("/", |target| target.as_str());
    if wanted == "/" {
        return "/auth/msp/signin".to_owned();
    }
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("next", wanted)
        .finish();
    format!("/auth/msp/signin?{query}")
}

/// A failure outside any page: cause, next step, reference, as plain text.
#[must_use]
pub fn plain(error: &AppError) -> Response {
    let status =
        StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut text = error.message.clone();
    let reference = error
        .reference
        .as_ref()
        .map(|id| format!("Reference: {id}"));
    for more in [error.next_step.clone(), reference].into_iter().flatten() {
        text.push('\n');
        text.push_str(&more);
    }
    let mut response = (status, text).into_response();
    if let Some(seconds) = error.retry_after {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_names_its_build_is_kept() {
        assert!(is_marked("/pkg/chunk_1.0123456789abcdef.wasm"));
        for other in [
            "/pkg/daybind.wasm",
            "/pkg/daybind.js",
            "/pkg/chunk_1.wasm",
            "/pkg/chunk_1.0123456789abcdeg.wasm",
            "/pkg/chunk_1.0123456789abcdef.js",
        ] {
            assert!(!is_marked(other), "{other}");
        }
    }
}
