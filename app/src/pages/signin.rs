//! Signing in: first the work email, then the way in. Plain forms: the server answers each with a redirect.
//!
//! Nothing is looked up between the steps, and the second is the same for every address, so that nobody learns here who
//! has an account or which MSP is a customer.

use daybind_domain::{AppError, ErrorCode};
use daybind_words::t;
use leptos::prelude::*;
use leptos_meta::Title;

use super::failure::Failure;
use super::query_value;
use crate::api::sign_in::kept_sign_in_address;
use crate::location::encode;
use crate::ui::{ErrorSummary, TextField};

/// The page, for its route.
#[must_use]
pub fn page() -> AnyView {
    view! { <SignInPage/> }.into_any()
}

/// `/auth/msp/signin`: `step` says which step, `error` why an attempt failed, `next` where to go afterwards.
#[component]
fn SignInPage() -> impl IntoView {
    let (error, next, step) = (
        query_value("error"),
        query_value("next"),
        query_value("step"),
    );
    let wait = query_value("wait");
    let failed = Signal::derive(move || error.with(|code| explain(code, &wait.get())));
    let kept = Resource::new(|| (), |()| kept_sign_in_address());
    view! {
        <Title text=t!("Sign in · Daybind")/>
        <main id="main" class="db-auth" tabindex="-1">
            <h1>{t!("Sign in to Daybind")}</h1>
            <ErrorSummary error=failed/>
            <Transition>
                {move || {
                    // A password that did not fit is tried again where it was typed.
                    let again = error.with(|code| code == "credentials");
                    let (step, next) = (step.get(), next.get());
                    Suspend::new(async move {
                    let address = match kept.await {
                        Ok(kept) => kept.address,
                        Err(error) => return view! { <Failure error/> }.into_any(),
                    };
                    match step.as_str() {
                        "password" => view! { <Password address next/> }.into_any(),
                        _ if again => view! { <Password address next/> }.into_any(),
                        "microsoft" if !address.is_empty() => view! { <Microsoft address next/> }.into_any(),
                        _ => view! { <Address address next/> }.into_any(),
                    }
                })}}
            </Transition>
            <p>{t!("No account, or a forgotten password? Ask your MSP's administrator.")}</p>
        </main>
    }
    .into_any()
}

/// The first step.
#[component]
fn Address(address: String, next: String) -> impl IntoView {
    view! {
        <form method="post" action="/auth/msp/discover">
            <input type="hidden" name="next" value=next/>
            <TextField
                id="signin-email"
                name="email"
                label=t!("Work email")
                kind="email"
                autocomplete="username"
                value=address
            />
            <button type="submit" class="db-btn db-btn--primary">{t!("Continue")}</button>
            <button
                type="submit"
                class="db-btn db-btn--secondary"
                name="step"
                value="password"
                formnovalidate
            >
                {t!("Use a password")}
            </button>
        </form>
    }
    .into_any()
}

/// The second step: one large button.
#[component]
fn Microsoft(address: String, next: String) -> impl IntoView {
    let (change, password) = (step_address("", &next), step_address("password", &next));
    view! {
        <p>
            <strong class="db-auth__address">{address.clone()}</strong>
            " "
            <a href=change rel="external">{t!("Not you? Change")}</a>
        </p>
        <form method="post" action="/auth/msp/microsoft">
            <input type="hidden" name="next" value=next/>
            <input type="hidden" name="email" value=address/>
            <button type="submit" class="db-btn db-btn--primary">{t!("Sign in with Microsoft")}</button>
        </form>
        <p>
            {t!("MSPs that use Microsoft for sign-in are known by the part of your address after the @. You are sent to your MSP's \
             Microsoft directory and come back here.")}
        </p>
        <p><a href=password rel="external">{t!("Use a password")}</a></p>
    }
    .into_any()
}

/// The way in that needs no Microsoft.
#[component]
fn Password(address: String, next: String) -> impl IntoView {
    let back = step_address("", &next);
    view! {
        <form method="post" action="/auth/msp/signin">
            <input type="hidden" name="next" value=next/>
            <TextField
                id="signin-email"
                name="email"
                label=t!("Work email")
                kind="email"
                autocomplete="username"
                value=address
            />
            <TextField
                id="signin-password"
                name="password"
                label=t!("Password")
                kind="password"
                autocomplete="current-password"
            />
            <button type="submit" class="db-btn db-btn--primary">{t!("Sign in")}</button>
        </form>
        <p><a href=back rel="external">{t!("Use Microsoft instead")}</a></p>
    }
    .into_any()
}

/// The address of a step that leads on to `next`.
fn step_address(step: &str, next: &str) -> String {
    let mut query = Vec::new();
    if !step.is_empty() {
        query.push(format!("step={step}"));
    }
    if !next.is_empty() {
        query.push(format!("next={}", encode(next)));
    }
    if query.is_empty() {
        "/auth/msp/signin".to_owned()
    } else {
        format!("/auth/msp/signin?{}", query.join("&"))
    }
}

/// Every reason in our words; `wait` is a number of seconds.
fn explain(code: &str, wait: &str) -> Option<AppError> {
    let pause = wait
        .parse::<u32>()
        .ok()
        .filter(|seconds| *seconds > 0)
        .map(|seconds| {
            if seconds < 120 {
                t!("Wait {seconds} seconds, then try again.")
            } else {
                t!("Wait {} minutes, then try again.", seconds.div_ceil(60))
            }
        });
    let (kind, cause, next) = match code {
        "" => return None,
        "credentials" => (
            ErrorCode::SignedOut,
            t!("That work email and password do not match."),
            t!("Check both and try again."),
        ),
        "email" => (
            ErrorCode::Invalid,
            t!("That does not look like a work email address."),
            t!("Enter your work email, such as tess@example.com."),
        ),
        "microsoft" => (
            ErrorCode::Forbidden,
            t!("Your MSP asks you to sign in with Microsoft."),
            t!("Enter your work email and continue with Microsoft."),
        ),
        "expired" => (
            ErrorCode::SignedOut,
            t!("Your session has ended."),
            t!("Sign in again to go on."),
        ),
        "limited" => (
            ErrorCode::RateLimited,
            t!("There were too many attempts."),
            pause
                .as_deref()
                .unwrap_or(t!("Wait a few minutes, then try again.")),
        ),
        _ => (
            ErrorCode::Internal,
            t!("You could not be signed in."),
            t!("Try again."),
        ),
    };
    Some(AppError::new(kind, cause).next_step(next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_named() {
        let next = |wait| explain("limited", wait).and_then(|error| error.next_step);
        assert_eq!(
            next("30").as_deref(),
            Some("Wait 30 seconds, then try again.")
        );
        assert_eq!(
            next("121").as_deref(),
            Some("Wait 3 minutes, then try again.")
        );
        for odd in ["", "0", "-1", "<b>", "99999999999"] {
            assert_eq!(
                next(odd).as_deref(),
                Some("Wait a few minutes, then try again."),
                "{odd}"
            );
        }
    }
}
