//! What the server half of every server function needs.

use std::sync::Arc;

use daybind_domain::AppError;
use daybind_services::{Actor, CalendarPort, DomainClaims, Services};
use http::StatusCode;
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;

use crate::error::ApiError;

pub use crate::ui::Typed;

/// The shared means, in the context of every page and server function.
#[derive(Clone)]
pub struct AppState {
    /// Services.
    pub services: Services,
    /// The edition's calendar port.
    pub calendar: Arc<dyn CalendarPort>,
    /// The edition's proof of login domains.
    pub domains: Arc<dyn DomainClaims>,
}

/// The network address a request came from, put there by the server; absent behind transports that have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub std::net::IpAddr);

/// The network address this request came from.
#[must_use]
pub fn client_address() -> Option<std::net::IpAddr> {
    let parts = use_context::<http::request::Parts>()?;
    parts
        .extensions
        .get::<ClientAddress>()
        .map(|address| address.0)
}

/// Who sent this request; put there by the session middleware, `None` when signed out.
#[derive(Clone, Debug)]
pub struct RequestActor(pub Option<Actor>);

/// The means of this request.
///
/// # Errors
/// An internal error outside a request.
pub fn state() -> Result<AppState, ApiError> {
    use_context::<AppState>().ok_or_else(|| {
        daybind_services::internal(std::io::Error::other("no application state in context")).into()
    })
}

/// Who sent this request.
///
/// # Errors
/// [`daybind_domain::ErrorCode::SignedOut`] when nobody is signed in.
pub fn actor() -> Result<Actor, ApiError> {
    let parts = use_context::<http::request::Parts>();
    let actor = parts.and_then(|parts| parts.extensions.get::<RequestActor>().cloned());
    actor
        .and_then(|actor| actor.0)
        .ok_or_else(|| AppError::signed_out().into())
}

/// A cookie of this request.
#[must_use]
pub fn cookie(name: &str) -> Option<String> {
    let parts = use_context::<http::request::Parts>()?;
    let lines = parts.headers.get_all(http::header::COOKIE);
    lines
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value.to_owned())
}

/// Sets the HTTP status that goes with a failure; without it Leptos answers 500.
///
/// A form sent without WebAssembly keeps the redirect that carries the failure back to its page: any other status would
/// make the browser stop at an empty answer.
pub fn answer<T>(result: Result<T, impl Into<ApiError>>) -> Result<T, ApiError> {
    result.map_err(|error| {
        let error: ApiError = error.into();
        if let (Some(options), Ok(status)) = (
            use_context::<ResponseOptions>(),
            StatusCode::from_u16(error.0.code.status()),
        ) && !plain_form()
        {
            options.set_status(status);
            if let Some(seconds) = error.0.retry_after {
                options.insert_header(http::header::RETRY_AFTER, seconds.into());
            }
        }
        error
    })
}

/// Sets the status of a call that failed before any of our code saw it; Leptos would say 500 to what the caller did wrong.
pub fn refused(status: StatusCode) {
    if let Some(options) = use_context::<ResponseOptions>()
        && !plain_form()
    {
        options.set_status(status);
    }
}

/// Whether this request is a form sent by the browser itself: Leptos' own calls do not ask for HTML.
fn plain_form() -> bool {
    use_context::<http::request::Parts>().is_some_and(|parts| {
        let accepts = parts
            .headers
            .get(http::header::ACCEPT)
            .and_then(|value| value.to_str().ok());
        parts.method == http::Method::POST
            && accepts.is_some_and(|value| value.contains("text/html"))
    })
}

/// Post/Redirect/Get: where a browser without WebAssembly goes after a successful form.
pub fn redirect(path: &str) {
    leptos_axum::redirect(path);
}
