//! A form that was refused, where the browser sends forms itself: it comes back as it was typed.
//!
//! Leptos answers such a form with a redirect to its page, with the failure in the address and nothing of what was typed.
//! Here the browser is asked to bring the form along ([`bring`]: 307, RFC 9110 section 15.4.8), and the page that it then
//! posts to is read like any other, with the fields beside it ([`page`]). Nothing is stored and nothing is changed: a page
//! posted to does what it does when read. Secrets are dropped before anything sees them.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use daybind_app::server::Typed;
use url::{Url, form_urlencoded};

use crate::policy::{Kind, TABLE};

/// The pages with forms.
pub fn paths() -> impl Iterator<Item = &'static str> {
    TABLE
        .iter()
        .filter(|endpoint| endpoint.kind == Kind::Again)
        .map(|endpoint| endpoint.path)
}

/// Makes a browser bring a refused form to the page it came from.
pub async fn bring(request: Request, next: Next) -> Response {
    // Without a page of ours to go back to (`guard::referer`) there is nowhere to bring it.
    let returns = request.uri().path().starts_with("/_fn/")
        && request.headers().contains_key(header::REFERER);
    let mut response = next.run(request).await;
    if returns && response.status() == StatusCode::FOUND && leads_to_a_refusal(&response) {
        *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
    }
    response
}

fn leads_to_a_refusal(response: &Response) -> bool {
    let target = response
        .headers()
        .get(header::LOCATION)
        .and_then(|value| Url::parse(value.to_str().ok()?).ok());
    target.is_some_and(|target| {
        paths().any(|path| path == target.path())
            && target.query_pairs().any(|(name, _)| name == "__err")
    })
}

/// The request to read the page that a form was brought to.
///
/// # Errors
/// 413 when the form is longer than `limit` bytes, or broke off.
pub async fn page(request: Request, limit: usize) -> Result<Request, Response> {
    let (mut parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, limit).await else {
        return Err(StatusCode::PAYLOAD_TOO_LARGE.into_response());
    };
    parts
        .extensions
        .insert(Typed::new(form_urlencoded::parse(&body).into_owned()));
    parts.method = Method::GET;
    parts.headers.remove(header::CONTENT_TYPE);
    parts.headers.remove(header::CONTENT_LENGTH);
    Ok(Request::from_parts(parts, Body::empty()))
}
