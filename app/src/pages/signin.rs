//! Sign-in with work email and password. A plain form: the server answers with a session cookie and a redirect.

use daybind_domain::{AppError, ErrorCode};
use leptos::prelude::*;
use leptos_meta::Title;

use super::query_value;
use crate::ui::{ErrorSummary, TextField};

/// `/auth/msp/signin`: `error` says why an attempt failed, `next` where to go afterwards.
#[component]
pub fn SignInPage() -> impl IntoView {
    let (error, next) = (query_value("error"), query_value("next"));
    let failed = Signal::derive(move || error.with(|code| explain(code)));
    view! {
        <Title text="Sign in · Daybind"/>
        <main id="main" class="db-auth" tabindex="-1">
            <h1>"Sign in to Daybind"</h1>
            <ErrorSummary error=failed/>
            <form method="post" action="/auth/msp/signin">
                <input type="hidden" name="next" value=move || next.get()/>
                <TextField id="signin-email" name="email" label="Work email" kind="email" autocomplete="username"/>
                <TextField
                    id="signin-password"
                    name="password"
                    label="Password"
                    kind="password"
                    autocomplete="current-password"
                />
                <button type="submit" class="db-btn db-btn--primary">"Sign in"</button>
            </form>
            <p>"No account, or a forgotten password? Ask your MSP's administrator."</p>
        </main>
    }
    .into_any()
}

fn explain(code: &str) -> Option<AppError> {
    let (kind, cause, next) = match code {
        "" => return None,
        "credentials" => (
            ErrorCode::SignedOut,
            "That work email and password do not match.",
            "Check both and try again.",
        ),
        "expired" => (
            ErrorCode::SignedOut,
            "Your session has ended.",
            "Sign in again to go on.",
        ),
        "limited" => (
            ErrorCode::RateLimited,
            "There were too many attempts.",
            "Wait a few minutes, then try again.",
        ),
        _ => (
            ErrorCode::Internal,
            "You could not be signed in.",
            "Try again.",
        ),
    };
    Some(AppError::new(kind, cause).next_step(next))
}
