//! Sign-in through Microsoft: the way out (a form that needs no script) and the way back.
//!
//! Every answer is a bare redirect: to Microsoft, to a page of ours, or to the result page with a code and nothing else.

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::Cookie;
use daybind_app::server::{AppState, ClientAddress, RequestActor};
use daybind_domain::AppError;
use daybind_domain::sso::SsoOutcome;
use daybind_services::auth;
use daybind_services::sso::{self, Answer, Begun, End, FLOW_LIFE};
use secrecy::ExposeSecret as _;

use crate::guard::{RequestId, plain};
use crate::signin::{client, session_cookie};

fn secure(state: &AppState) -> bool {
    state.services.public_url.scheme() == "https"
}

/// Nobody is told where a browser comes from: the addresses of the way back hold codes.
fn bare(response: impl IntoResponse) -> Response {
    let mut response = response.into_response();
    response.headers_mut().insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    response
}

fn result(outcome: SsoOutcome) -> Redirect {
    Redirect::to(&outcome.address())
}

/// Sends the browser away with the cookie it must bring back.
fn away(state: &AppState, jar: CookieJar, begun: Result<Begun, SsoOutcome>) -> Response {
    let begun = match begun {
        Ok(begun) => begun,
        Err(outcome) => return bare(result(outcome)),
    };
    let mut text = format!(
        "{}={}; Max-Age={}; Path=/; HttpOnly; SameSite=Lax",
        begun.cookie.name,
        begun.cookie.value.expose_secret(),
        FLOW_LIFE.num_seconds()
    );
    if secure(state) {
        text.push_str("; Secure");
    }
    match Cookie::parse(text) {
        Ok(cookie) => bare((jar.add(cookie), Redirect::to(&begun.url))),
        Err(_) => bare(result(SsoOutcome::Internal)),
    }
}

/// `POST /auth/msp/connect`: begins adding a Microsoft account to the signed-in person.
pub async fn connect(
    State(state): State<AppState>,
    Extension(actor): Extension<RequestActor>,
    jar: CookieJar,
) -> Response {
    let Some(actor) = actor.0 else {
        return plain(&AppError::signed_out());
    };
    if !actor.is_internal() {
        return plain(&AppError::forbidden());
    }
    let begun = sso::begin_link(&state.services, &actor).await;
    away(&state, jar, begun)
}

/// `GET /api/auth/callback/azure-ad`: where Microsoft sends browsers back to.
pub async fn callback(
    State(state): State<AppState>,
    Extension(actor): Extension<RequestActor>,
    address: Option<Extension<ClientAddress>>,
    request: Option<Extension<RequestId>>,
    (method, headers): (Method, HeaderMap),
    jar: CookieJar,
    RawQuery(query): RawQuery,
) -> Response {
    // A look ahead must not use up the single try.
    if method != Method::GET {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET")]).into_response();
    }
    let read = |name: &str| jar.get(name).map(|cookie| cookie.value().to_owned());
    let answer = Answer {
        query: query.as_deref().unwrap_or_default(),
        cookie: &read,
        actor: actor.0.as_ref(),
    };
    let (end, used) = sso::finish(&state.services, answer).await;
    let mut jar = jar;
    if let Some(name) = used.filter(|name| jar.get(name).is_some()) {
        let gone = Cookie::build((name, "")).path("/").secure(secure(&state));
        jar = jar.remove(gone);
    }
    match end {
        End::Page(outcome) => bare((jar, result(outcome))),
        End::SignedIn {
            tenant_id,
            user_id,
            return_to,
        } => {
            let address = address.map(|Extension(ClientAddress(address))| address);
            let request = request.map(|Extension(request)| request);
            let client = client(&state, &jar, &headers, address, request);
            let opened =
                auth::open_session(&state.services, tenant_id, user_id, "microsoft", &client);
            match opened.await {
                Ok(token) => {
                    let cookie = session_cookie(&state, &token);
                    bare((jar.add(cookie), Redirect::to(&return_to)))
                }
                Err(_) => bare((jar, result(SsoOutcome::Internal))),
            }
        }
    }
}
