//! Sign-in through Microsoft: the way out (a form that needs no script) and the way back.
//!
//! Every answer is a bare redirect: to Microsoft, to a page of ours, or to the result page with a code and nothing else.

use axum::Extension;
use axum::extract::{Form, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use daybind_app::server::{AppState, ClientAddress, RequestActor};
use daybind_domain::AppError;
use daybind_domain::sso::SsoOutcome;
use daybind_services::flow;
use daybind_services::sso::{self, Answer, Begun, End};
use daybind_services::{auth, discovery, limits};
use secrecy::ExposeSecret as _;
use serde::Deserialize;

use crate::guard::{RequestId, plain};
use crate::signin::{client, limited, reads_pages, session_cookie};

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
        flow::LIFE.num_seconds()
    );
    if secure(state) {
        text.push_str("; Secure");
    }
    match Cookie::parse(text) {
        Ok(cookie) => bare((jar.add(cookie), Redirect::to(&begun.url))),
        Err(_) => bare(result(SsoOutcome::Internal)),
    }
}

/// The first step's form.
#[derive(Deserialize)]
pub struct Discover {
    #[serde(default)]
    email: String,
    #[serde(default)]
    next: String,
    /// `password` when the person wants to use one.
    #[serde(default)]
    step: String,
}

/// `POST /auth/msp/discover`: keeps the address for the next step. Nothing is looked up here, so there is nothing to learn.
pub async fn discover(
    State(state): State<AppState>,
    jar: CookieJar,
    Form(form): Form<Discover>,
) -> Response {
    let password = form.step == "password";
    let Some(address) = sso::typed_address(&form.email) else {
        let word = if password {
            "step=password"
        } else {
            "error=email"
        };
        return bare(Redirect::to(&step(word, &form.next)));
    };
    let cookie = Cookie::build((
        sso::address_cookie(&state.services),
        sso::write_address(&address),
    ))
    .path("/")
    .http_only(true)
    .same_site(SameSite::Lax)
    .secure(secure(&state));
    let word = if password {
        "step=password"
    } else {
        "step=microsoft"
    };
    bare((jar.add(cookie), Redirect::to(&step(word, &form.next))))
}

/// The sign-in page with that word in its query.
fn step(word: &str, next: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(word.to_owned())
        .append_pair("next", &sso::return_to(next))
        .finish();
    format!("/auth/msp/signin?{query}")
}

/// The second step's form.
#[derive(Deserialize)]
pub struct SetOut {
    email: String,
    #[serde(default)]
    next: String,
}

/// `POST /auth/msp/microsoft`: finds the MSP by the address's domain and sends the browser to its Microsoft directory. An
/// unknown domain and an MSP that is not ready end alike, after the same time.
pub async fn microsoft(
    State(state): State<AppState>,
    address: Option<Extension<ClientAddress>>,
    headers: HeaderMap,
    jar: CookieJar,
    Form(form): Form<SetOut>,
) -> Response {
    let services = &state.services;
    let address = address.map(|Extension(ClientAddress(address))| address);
    if let Err(error) = limits::discovery(services, address).await {
        return limited(&error, &headers, &form.next);
    }
    let Ok(found) = discovery::discover(services, &form.email).await else {
        return bare(result(SsoOutcome::Internal));
    };
    let Some(tenant_id) = found.tenant_id.filter(|_| found.microsoft_ready) else {
        return bare(result(SsoOutcome::NotReady));
    };
    let begun = sso::begin_sign_in(services, tenant_id, &form.email, &form.next).await;
    away(&state, jar, begun)
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
    let services = &state.services;
    let query = query.as_deref().unwrap_or_default();
    let address = address.map(|Extension(ClientAddress(address))| address);
    // What is no answer at all asks the database nothing.
    let counted = flow::returned(query).is_some();
    if counted && let Err(error) = limits::way_back(services, address).await {
        return if reads_pages(&headers) {
            bare(result(SsoOutcome::RateLimited))
        } else {
            bare(plain(&error))
        };
    }
    let read = |name: &str| jar.get(name).map(|cookie| cookie.value().to_owned());
    let answer = Answer {
        query,
        cookie: &read,
        actor: actor.0.as_ref(),
    };
    let (end, used) = sso::finish(services, answer).await;
    let failed = matches!(&end, End::Page(outcome) if !outcome.succeeded());
    if counted && !failed {
        // What goes wrong here is logged, and no reason to send anybody away.
        let _ = limits::came_back(services, address).await;
    }
    let mut jar = jar;
    if let Some(name) = used.filter(|name| jar.get(name).is_some()) {
        let gone = Cookie::build((name, "")).path("/").secure(secure(&state));
        jar = jar.remove(gone);
    }
    match end {
        End::Page(outcome) => bare((jar, result(outcome))),
        End::Tested(page) => bare((jar, Redirect::to(&page))),
        End::SignedIn {
            tenant_id,
            user_id,
            return_to,
        } => {
            let request = request.map(|Extension(request)| request);
            let client = client(&state, &jar, &headers, address, request);
            let opened = auth::open_session(services, tenant_id, user_id, "microsoft", &client);
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
