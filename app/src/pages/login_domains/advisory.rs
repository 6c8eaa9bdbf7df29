//! The advisory list of login domains.

use daybind_domain::login_domain::{LoginDomainView, LoginDomainsView};
use daybind_words::t;
use leptos::prelude::*;

use super::{ClaimTag, ReadOnly};
use crate::api::login_domains::{AddLoginDomain, RemoveLoginDomain, list_login_domains};
use crate::pages::failure::Failure;
use crate::ui::{
    EmptyState, ErrorSummary, NoteField, Section, Submit, TextField, Why, failed, keep_focus,
    successes,
};

const FIELDS: &[(&str, &str)] = &[("domain", "login-domain")];

/// The list, and the form that adds to it. Loads again after a success only.
#[component]
pub(super) fn AdvisoryDomains() -> impl IntoView {
    let add = ServerAction::<AddLoginDomain>::new();
    let remove = ServerAction::<RemoveLoginDomain>::new();
    let (added, removed) = (successes(add), successes(remove));
    let list = Resource::new(
        move || (added.get(), removed.get()),
        |_| list_login_domains(),
    );
    keep_focus(list, move || (added.get(), removed.get()));
    view! {
        <Section title=t!("Login domains") id="login-domains">
            <p>
                {t!("People whose work email is in one of these domains are offered your Microsoft sign-in. \
                 Daybind does not check whose a domain is.")}
            </p>
            <ErrorSummary error=failed(add) fields=FIELDS/>
            <ErrorSummary error=failed(remove)/>
            <Transition fallback=|| view! { <p>{t!("Loading the login domains …")}</p> }>
                {move || Suspend::new(async move {
                    match list.await {
                        Ok(view) => view! { <Domains view add remove/> }.into_any(),
                        Err(error) => view! { <Failure error/> }.into_any(),
                    }
                })}
            </Transition>
        </Section>
    }
    .into_any()
}

#[component]
fn Domains(
    view: LoginDomainsView,
    add: ServerAction<AddLoginDomain>,
    remove: ServerAction<RemoveLoginDomain>,
) -> impl IntoView {
    let may = view.can_update;
    let list = if view.domains.is_empty() {
        view! {
            <EmptyState
                title=t!("There is no login domain yet")
                text=t!("Until one is listed, everybody signs in with a password.")
            />
        }
        .into_any()
    } else {
        let rows: Vec<_> = view
            .domains
            .into_iter()
            .map(|domain| view! { <Row domain may remove/> })
            .collect();
        view! {
            <table class="db-table" aria-labelledby="login-domains">
                <thead>
                    <tr>
                        <th scope="col">{t!("Domain")}</th>
                        <th scope="col">{t!("Status")}</th>
                        <th scope="col">{t!("Your people")}</th>
                        <th scope="col">{t!("Listed or changed by")}</th>
                        <th scope="col">{t!("Change")}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        }
        .into_any()
    };
    let form = if may {
        view! {
            <ActionForm action=add>
                <TextField
                    id="login-domain"
                    name="domain"
                    label=t!("Domain")
                    hint=t!("What stands after the @ of your technicians' work email, for example contoso.com.")
                    mono=true
                    error=failed(add)
                />
                <NoteField id="login-domain-note" error=failed(add)/>
                <p class="db-form__actions"><Submit label=t!("Add login domain") pending=add.pending()/></p>
            </ActionForm>
        }
        .into_any()
    } else {
        view! { <ReadOnly/> }.into_any()
    };
    view! {
        {list}
        {form}
    }
    .into_any()
}

#[component]
fn Row(
    domain: LoginDomainView,
    may: bool,
    remove: ServerAction<RemoveLoginDomain>,
) -> impl IntoView {
    let contested = domain.contested.then(|| {
        view! {
            <p class="db-field__hint">
                {t!("Another MSP of this installation lists this domain as well. People you have are led to you; for others, whoever listed it first counts.")}
            </p>
        }
    });
    let label = t!("Remove {}", domain.domain);
    let change = if may {
        view! {
            <ActionForm action=remove>
                <input type="hidden" name="domain_id" value=domain.domain_id.clone()/>
                <Submit label pending=remove.pending() look="secondary"/>
                <Why id=format!("why-{}", domain.domain_id)/>
            </ActionForm>
        }
        .into_any()
    } else {
        view! { <span>{t!("Read only")}</span> }.into_any()
    };
    view! {
        <tr>
            <th scope="row">{domain.domain}{contested}</th>
            <td data-label=t!("Status")><ClaimTag status=domain.status/></td>
            <td data-label=t!("Your people")>{domain.people}</td>
            <td data-label=t!("Listed or changed by")>{domain.changed}</td>
            <td data-label=t!("Change")>{change}</td>
        </tr>
    }
    .into_any()
}
