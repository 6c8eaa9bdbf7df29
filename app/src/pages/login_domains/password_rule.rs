//! Who may sign in with a password.

use daybind_domain::login_domain::PasswordRuleView;
use daybind_words::t;
use leptos::prelude::*;

use super::ReadOnly;
use crate::api::sessions::{SetPasswordRule, get_password_rule};
use crate::pages::failure::Failure;
use crate::ui::{Banner, BannerKind, ErrorSummary, NoteField, Section, Submit, failed, successes};

/// The decision, and the form that turns it round.
#[component]
pub(super) fn PasswordRule() -> impl IntoView {
    let set = ServerAction::<SetPasswordRule>::new();
    let done = successes(set);
    let rule = Resource::new(move || done.get(), |_| get_password_rule());
    view! {
        <Section title=t!("Passwords") id="passwords-heading">
            <ErrorSummary error=failed(set)/>
            <Transition fallback=|| view! { <p>{t!("Loading …")}</p> }>
                {move || Suspend::new(async move {
                    match rule.await {
                        Ok(rule) => view! { <Rule rule set/> }.into_any(),
                        Err(error) => view! { <Failure error/> }.into_any(),
                    }
                })}
            </Transition>
        </Section>
    }
    .into_any()
}

#[component]
fn Rule(rule: PasswordRuleView, set: ServerAction<SetPasswordRule>) -> impl IntoView {
    let (technicians, next, label) = if rule.technicians {
        (
            t!("May use a password"),
            "no",
            t!("Ask technicians to use Microsoft"),
        )
    } else {
        (
            t!("Asked to use Microsoft"),
            "yes",
            t!("Let technicians use a password"),
        )
    };
    let overridden = (!rule.overridden.is_empty())
        .then(|| view! { <Banner kind=BannerKind::Warning title=rule.overridden/> });
    let form = if !rule.can_update {
        view! { <ReadOnly/> }.into_any()
    } else if rule.technicians && !rule.blocked.is_empty() {
        view! { <p>{t!("Passwords cannot be switched off yet. {}", rule.blocked)}</p> }.into_any()
    } else {
        view! {
            <ActionForm action=set>
                <input type="hidden" name="technicians" value=next/>
                <NoteField id="passwords-note" error=failed(set)/>
                <p class="db-form__actions"><Submit label pending=set.pending() look="secondary"/></p>
            </ActionForm>
        }
        .into_any()
    };
    view! {
        {overridden}
        <dl class="db-facts">
            <dt>{t!("Administrators")}</dt>
            <dd>{t!("Can always use a password, so that nobody is locked out when Microsoft cannot be reached")}</dd>
            <dt>{t!("Technicians")}</dt>
            <dd>
                {technicians}
                {(!rule.changed.is_empty()).then(|| view! { <p class="db-field__hint">{rule.changed}</p> })}
            </dd>
        </dl>
        {form}
    }
    .into_any()
}
