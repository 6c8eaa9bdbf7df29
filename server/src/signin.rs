//! Password sign-in and sign-out, as plain form posts that need no script.

use std::net::IpAddr;

use axum::Extension;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use daybind_app::server::{AppState, ClientAddress, RequestActor};
use daybind_domain::{AppError, ErrorCode};
use daybind_services::auth::{self, Client};
use daybind_services::{limits, sso};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::guard::{RequestId, cookie_name, plain};

/// The sign-in form.
#[derive(Deserialize)]
pub struct SignIn {
    email: String,
    password: SecretString,
    #[serde(default)]
    next: String,
}

/// `POST /auth/msp/signin`
pub async fn sign_in(
    State(state): State<AppState>,
    jar: CookieJar,
    address: Option<Extension<ClientAddress>>,
    request: Option<Extension<RequestId>>,
    headers: HeaderMap,
    Form(form): Form<SignIn>,
) -> Response {
    let address = address.map(|Extension(ClientAddress(address))| address);
    if let Err(error) = limits::sign_in(&state.services, address, &form.email).await {
        return limited(&error, &headers, &form.next);
    }
    let request = request.map(|Extension(request)| request);
    let client = client(&state, &jar, &headers, address, request);
    match auth::sign_in(&state.services, &form.email, form.password, &client).await {
        Ok(token) => {
            if let Err(error) = limits::signed_in(&state.services, address, &form.email).await {
                return plain(&error);
            }
            let cookie = session_cookie(&state, &token);
            (jar.add(cookie), Redirect::to(&sso::return_to(&form.next))).into_response()
        }
        Err(error) if matches!(error.code, ErrorCode::SignedOut | ErrorCode::Forbidden) => {
            let word = if error.code == ErrorCode::Forbidden {
                "error=microsoft"
            } else {
                "error=credentials"
            };
            let query = url::form_urlencoded::Serializer::new(word.to_owned())
                .append_pair("next", &sso::return_to(&form.next))
                .finish();
            Redirect::to(&format!("/auth/msp/signin?{query}")).into_response()
        }
        Err(error) => plain(&error),
    }
}

/// What the request tells of the browser that signs in.
pub(crate) fn client(
    state: &AppState,
    jar: &CookieJar,
    headers: &HeaderMap,
    address: Option<IpAddr>,
    request: Option<RequestId>,
) -> Client {
    Client {
        address,
        user_agent: headers
            .get(header::USER_AGENT)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned),
        cookie: jar
            .get(cookie_name(state))
            .map(|cookie| SecretString::from(cookie.value().to_owned())),
        request_id: request.map(|RequestId(id)| id),
    }
}

/// The cookie of a new session.
pub(crate) fn session_cookie(state: &AppState, token: &SecretString) -> Cookie<'static> {
    Cookie::build((cookie_name(state), token.expose_secret().to_owned()))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(state.services.public_url.scheme() == "https")
        .build()
}

/// Whether a browser asks, which can show a page, and not a program.
pub(crate) fn reads_pages(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("text/html"))
}

/// Too many tries: browsers are led back to the form, which says how long to wait; programs get 429 and `Retry-After`.
pub(crate) fn limited(error: &AppError, headers: &HeaderMap, next: &str) -> Response {
    match error.retry_after.filter(|_| reads_pages(headers)) {
        Some(seconds) => {
            let query = url::form_urlencoded::Serializer::new("error=limited".to_owned())
                .append_pair("wait", &seconds.to_string())
                .append_pair("next", &sso::return_to(next))
                .finish();
            Redirect::to(&format!("/auth/msp/signin?{query}")).into_response()
        }
        None => plain(error),
    }
}

/// `POST /auth/msp/signout`
pub async fn sign_out(
    State(state): State<AppState>,
    Extension(actor): Extension<RequestActor>,
    jar: CookieJar,
) -> Response {
    if let Some(actor) = actor.0
        && let Err(error) = auth::sign_out(&state.services, &actor).await
    {
        return plain(&error);
    }
    let gone = Cookie::build((cookie_name(&state), ""))
        .path("/")
        .secure(state.services.public_url.scheme() == "https");
    (jar.remove(gone), Redirect::to("/auth/msp/signin")).into_response()
}
