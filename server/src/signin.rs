//! Password sign-in and sign-out, as plain form posts that need no script.

use axum::Extension;
use axum::extract::{Form, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use daybind_app::server::{AppState, RequestActor};
use daybind_domain::ErrorCode;
use daybind_services::auth;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::guard::{cookie_name, plain};

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
    Form(form): Form<SignIn>,
) -> Response {
    match auth::sign_in(&state.services, &form.email, form.password).await {
        Ok(token) => {
            let cookie = session_cookie(&state, &token);
            (jar.add(cookie), Redirect::to(local(&form.next))).into_response()
        }
        Err(error) if error.code == ErrorCode::SignedOut => {
            let query = url::form_urlencoded::Serializer::new("error=credentials".to_owned())
                .append_pair("next", local(&form.next))
                .finish();
            Redirect::to(&format!("/auth/msp/signin?{query}")).into_response()
        }
        Err(error) => plain(&error),
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

/// An address of ours to go on to; anything else leads to the schedule, so that the form cannot send people away.
///
/// Nothing a browser would mend is let through (backslashes, control and non-ASCII characters), and no step upwards.
fn local(next: &str) -> &str {
    let plain = next
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let path = next.split(['?', '#']).next().unwrap_or_default();
    let lower = path.to_ascii_lowercase();
    let upwards = path.contains("//") || path.split('/').any(|step| step == "." || step == "..");
    let hidden = ["%2e", "%2f", "%5c"]
        .iter()
        .any(|code| lower.contains(code));
    if path.starts_with("/msp/") && plain && !upwards && !hidden {
        next
    } else {
        "/msp/schedule"
    }
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn next_never_leads_outside() {
        for hostile in [
            "//evil.test",
            "https://evil.test",
            "/\\evil.test",
            "/msp/\\evil",
            "javascript:x",
            "",
            "/msp/a\r\nb",
            "/msp/..//evil.test",
            "/msp/%2E%2e/x",
            "/msp/\u{ff0f}evil",
        ] {
            assert_eq!(local(hostile), "/msp/schedule", "{hostile}");
        }
        assert_eq!(
            local("/msp/profile?tab=calendar"),
            "/msp/profile?tab=calendar"
        );
    }
}
