//! What a page shows when something could not be done.

use daybind_domain::ErrorCode;
use daybind_words::t;
use leptos::prelude::*;
use leptos_meta::Title;

use crate::error::ApiError;
use crate::ui::{Banner, BannerKind};

/// A failure in place of the content that could not be shown: cause, next step, reference id.
#[component]
pub fn Failure(
    /// What happened.
    error: ApiError,
) -> impl IntoView {
    let error = error.0;
    let sign_in = (error.code == ErrorCode::SignedOut)
        .then(|| view! { <p><a class="db-btn db-btn--primary" href="/auth/msp/signin" rel="external">{t!("Sign in")}</a></p> });
    view! {
        <Banner kind=BannerKind::Danger title=error.message>
            {error.next_step.map(|text| view! { <p>{text}</p> })}
            {error.reference.map(|id| view! { <p>{t!("Reference: ")}<code>{id}</code></p> })}
            {sign_in}
        </Banner>
    }
    .into_any()
}

/// The page for addresses that lead nowhere.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    view! {
        <Title text=t!("Page not found · Daybind")/>
        <main id="main" class="db-result" tabindex="-1">
            <h1>{t!("Page not found")}</h1>
            <p>{t!("There is nothing at this address. The link may be old, or mistyped.")}</p>
            <p><a class="db-btn db-btn--primary" href="/msp/schedule">{t!("Go to the schedule")}</a></p>
        </main>
    }
    .into_any()
}
