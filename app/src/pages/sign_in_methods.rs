//! Profile: how one signs in, and one's Microsoft accounts.

use daybind_domain::sso::{IdentityView, SignInMethodsView};
use daybind_words::t;
use leptos::prelude::*;

use super::failure::Failure;
use super::query_value;
use crate::api::sign_in::{DisconnectMicrosoftAccount, sign_in_methods};
use crate::ui::{Announcement, ErrorSummary, Section, Submit, TimeText, Why, failed, successes};

/// The section of the profile page.
#[component]
pub fn SignInMethods() -> impl IntoView {
    let saved = query_value("saved");
    let disconnect = ServerAction::<DisconnectMicrosoftAccount>::new();
    let gone = successes(disconnect);
    let view = Resource::new(move || gone.get(), |_| sign_in_methods());
    let announcement = move || {
        (saved.get() == "account").then(|| {
            view! {
                <Announcement
                    text=t!("The Microsoft account is disconnected. Nobody can sign in with it any more.")
                    dismiss="/msp/profile?tab=profile"
                />
            }
        })
    };
    view! {
        <Section title=t!("How you sign in") id="sign-in-heading">
            {announcement}
            <ErrorSummary error=failed(disconnect)/>
            <Transition fallback=|| view! { <p>{t!("Loading …")}</p> }>
                {move || Suspend::new(async move {
                    match view.await {
                        Ok(view) => view! { <Methods view disconnect/> }.into_any(),
                        Err(error) => view! { <Failure error/> }.into_any(),
                    }
                })}
            </Transition>
        </Section>
    }
    .into_any()
}

#[component]
fn Methods(
    view: SignInMethodsView,
    disconnect: ServerAction<DisconnectMicrosoftAccount>,
) -> impl IntoView {
    let password = if view.password {
        t!("You can sign in with a password.")
    } else {
        t!("You have no password.")
    };
    let accounts = if view.accounts.is_empty() {
        view! { <p>{t!("No Microsoft account is connected.")}</p> }.into_any()
    } else {
        let rows: Vec<_> = view
            .accounts
            .into_iter()
            .map(|account| view! { <Account account disconnect/> })
            .collect();
        view! {
            <table class="db-table" aria-labelledby="sign-in-heading">
                <thead>
                    <tr>
                        <th scope="col">{t!("Microsoft account")}</th>
                        <th scope="col">{t!("Connected")}</th>
                        <th scope="col">{t!("Last used")}</th>
                        <th scope="col">{t!("Change")}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        }
        .into_any()
    };
    let connect = if view.microsoft_ready {
        view! {
            <form method="post" action="/auth/msp/connect">
                <p class="db-field__hint">
                    {t!("Microsoft asks which account, then brings you back here. Daybind learns the account's name and ID and \
                     gets no access to anything in it.")}
                </p>
                <button type="submit" class="db-btn db-btn--secondary">{t!("Connect a Microsoft account")}</button>
            </form>
        }
        .into_any()
    } else {
        view! {
            <p>
                {t!("Sign-in with Microsoft is not set up for your MSP. An administrator can do that in Settings > \
                 Integrations > Providers.")}
            </p>
        }
        .into_any()
    };
    view! {
        <p>{password}</p>
        {accounts}
        {connect}
    }
    .into_any()
}

#[component]
fn Account(
    account: IdentityView,
    disconnect: ServerAction<DisconnectMicrosoftAccount>,
) -> impl IntoView {
    let used = match account.used {
        Some((datetime, text)) => view! { <TimeText datetime text/> }.into_any(),
        None => view! { <span>{t!("Never")}</span> }.into_any(),
    };
    let (datetime, text) = account.linked;
    let change = if account.removable {
        let label = t!("Disconnect {}", account.account);
        view! {
            <ActionForm action=disconnect>
                <input type="hidden" name="identity_id" value=account.identity_id.clone()/>
                <Submit label pending=disconnect.pending() look="secondary"/>
                <Why id=format!("why-{}", account.identity_id)/>
            </ActionForm>
        }
        .into_any()
    } else {
        view! { <span>{t!("This is your only way to sign in.")}</span> }.into_any()
    };
    view! {
        <tr>
            <th scope="row">{account.account}</th>
            <td data-label=t!("Connected")><TimeText datetime text/></td>
            <td data-label=t!("Last used")>{used}</td>
            <td data-label=t!("Change")>{change}</td>
        </tr>
    }
    .into_any()
}
