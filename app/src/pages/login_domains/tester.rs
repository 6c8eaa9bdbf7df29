//! "What will happen for this address?" A plain GET form: the answer has an address of its own and needs no script.

use daybind_domain::login_domain::SignInTestView;
use daybind_words::t;
use leptos::prelude::*;

use crate::api::login_domains::test_sign_in_address;
use crate::error::ApiError;
use crate::pages::query_value;
use crate::ui::{ErrorSummary, PanelHead, Section, TextField};

const FIELDS: &[(&str, &str)] = &[("address", "test-address")];

/// The question, and under it the answer to the one in the address.
#[component]
pub(super) fn Tester() -> impl IntoView {
    let address = query_value("address");
    let answer = Resource::new(
        move || address.get(),
        |address| async move {
            if address.is_empty() {
                None
            } else {
                Some(test_sign_in_address(address).await)
            }
        },
    );
    view! {
        <Section title=t!("Test an address") id="test-heading">
            <p>{t!("See what will happen when somebody signs in with an address, and why. Nobody is signed in or told.")}</p>
            <Transition fallback=|| view! { <p>{t!("Testing the address …")}</p> }>
                {move || Suspend::new(async move {
                    let answer = answer.await;
                    view! { <Answer answer/> }
                })}
            </Transition>
        </Section>
    }
    .into_any()
}

#[component]
fn Answer(answer: Option<Result<SignInTestView, ApiError>>) -> impl IntoView {
    let asked = query_value("address");
    let error = match &answer {
        Some(Err(error)) => Some(error.0.clone()),
        _ => None,
    };
    let error = Signal::derive(move || error.clone());
    let shown = match answer {
        Some(Ok(test)) => Some(view! { <Outcome test/> }),
        _ => None,
    };
    view! {
        <ErrorSummary error fields=FIELDS/>
        <form method="get" action="/msp/settings">
            <input type="hidden" name="tab" value="integrations"/>
            <input type="hidden" name="category" value="login-domains"/>
            <TextField
                id="test-address"
                name="address"
                label=t!("Work email")
                kind="email"
                value=asked.get_untracked()
                error
            />
            <p class="db-form__actions">
                <button type="submit" class="db-btn db-btn--secondary">{t!("Test this address")}</button>
            </p>
        </form>
        {shown}
    }
    .into_any()
}

#[component]
fn Outcome(test: SignInTestView) -> impl IntoView {
    let why: Vec<_> = test
        .why
        .into_iter()
        .map(|sentence| view! { <li>{sentence}</li> })
        .collect();
    view! {
        <PanelHead id="test-outcome" title=t!("What happens for {}", test.address)/>
        <dl class="db-facts" aria-labelledby="test-outcome">
            <dt>{t!("Signs in with")}</dt>
            <dd>{test.provider}</dd>
            <dt>{t!("Decided by")}</dt>
            <dd>{test.source}</dd>
            <dt>{t!("Why")}</dt>
            <dd><ul>{why}</ul></dd>
        </dl>
    }
    .into_any()
}
