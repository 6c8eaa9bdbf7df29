//! How a round trip to Microsoft ended. The address holds a code and nothing else; all words are ours.

use daybind_domain::sso::SsoOutcome;
use daybind_words::t;
use leptos::prelude::*;
use leptos_meta::Title;

use super::query_value;
use crate::ui::{CopyField, Icon};

/// The page, for its route.
#[must_use]
pub fn page() -> AnyView {
    view! { <SignInResultPage/> }.into_any()
}

/// `/auth/msp/result`: `code` says what happened.
#[component]
fn SignInResultPage() -> impl IntoView {
    let code = query_value("code");
    move || view! { <Outcome outcome=SsoOutcome::parse(&code.get())/> }
}

#[component]
fn Outcome(outcome: SsoOutcome) -> impl IntoView {
    let text = outcome.text();
    let (class, icon) = match outcome {
        _ if outcome.succeeded() => ("db-result db-result--success", "circle-check"),
        SsoOutcome::RequestPending => ("db-result db-result--warning", "triangle-alert"),
        _ => ("db-result db-result--danger", "octagon-x"),
    };
    let actions = if outcome.succeeded() {
        view! {
            <a class="db-btn db-btn--primary" href="/msp/profile?tab=profile" rel="external">{t!("Continue to your profile")}</a>
        }
        .into_any()
    } else {
        // Who is signed in is led on from there to where they were.
        let label = if text.retry {
            t!("Try again")
        } else {
            t!("Go to sign-in")
        };
        view! { <a class="db-btn db-btn--primary" href="/auth/msp/signin" rel="external">{label}</a> }.into_any()
    };
    let details = (!outcome.succeeded()).then(|| {
        let value = t!(
            "Sign-in through Microsoft: {} ({})",
            text.heading,
            outcome.code()
        );
        view! {
            <CopyField label=t!("Details for your administrator") value/>
        }
    });
    view! {
        <Title text=format!("{} · Daybind", text.heading)/>
        <main id="main" class=class tabindex="-1">
            <Icon name=icon/>
            // Takes the focus, also without a script, so that it is what is read first.
            <h1 tabindex="-1" autofocus>{text.heading}</h1>
            <p>{text.cause}</p>
            <p>{text.next_step}</p>
            <div class="db-actions">{actions}</div>
            {details}
        </main>
    }
    .into_any()
}
