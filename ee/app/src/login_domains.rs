//! Login domains with their proof: claiming, what to publish, what DNS showed, revoking.

use daybind_app::api::login_domains::{
    CheckDomainClaim, RemoveLoginDomain, RenewDomainClaim, RequestDomainClaim, RevokeDomainClaim,
    list_domain_claims,
};
use daybind_app::api::session::current_session;
use daybind_app::pages::failure::Failure;
use daybind_app::pages::login_domains::{ClaimTag, ReadOnly, people_there};
use daybind_app::ui::{
    CopyField, EmptyState, ErrorSummary, Failed, NoteField, Section, Submit, TextField, Why,
    failed, keep_focus, successes,
};
use daybind_domain::login_domain::{ChallengeView, ClaimStatus, ClaimView, DomainClaimsView};
use daybind_words::t;
use leptos::prelude::*;

const FIELDS: &[(&str, &str)] = &[("domain", "login-domain")];

/// What can be done with a domain. One action each for the whole list: at most one form is under way at a time.
#[derive(Clone, Copy)]
struct Actions {
    request: ServerAction<RequestDomainClaim>,
    renew: ServerAction<RenewDomainClaim>,
    check: ServerAction<CheckDomainClaim>,
    revoke: ServerAction<RevokeDomainClaim>,
    remove: ServerAction<RemoveLoginDomain>,
}

/// The claims of the MSP. While one is pending, an open page reads the list again every minute, as often as the server
/// asks DNS by itself.
#[component]
pub fn LoginDomains() -> impl IntoView {
    let actions = Actions {
        request: ServerAction::new(),
        renew: ServerAction::new(),
        check: ServerAction::new(),
        revoke: ServerAction::new(),
        remove: ServerAction::new(),
    };
    let done = (
        successes(actions.request),
        successes(actions.renew),
        successes(actions.check),
        successes(actions.revoke),
        successes(actions.remove),
    );
    let minute = RwSignal::new(0_u32);
    let list = Resource::new(
        move || {
            (
                done.0.get(),
                done.1.get(),
                done.2.get(),
                done.3.get(),
                done.4.get(),
                minute.get(),
            )
        },
        |_| list_domain_claims(),
    );
    keep_focus(list, move || {
        (
            done.0.get(),
            done.1.get(),
            done.2.get(),
            done.3.get(),
            done.4.get(),
        )
    });
    Effect::new(move |_| {
        let timer = set_interval_with_handle(
            move || minute.update(|n| *n = n.wrapping_add(1)),
            std::time::Duration::from_secs(60),
        );
        on_cleanup(move || {
            if let Ok(timer) = timer {
                timer.clear();
            }
        });
    });
    view! {
        <Section title=t!("Login domains") id="login-domains">
            <p>
                {t!("People whose work email is in a verified domain are offered your Microsoft sign-in. You verify a domain by \
                 publishing a TXT record in its DNS. Until then it leads nobody anywhere.")}
            </p>
            <ErrorSummary error=failed(actions.request) fields=FIELDS/>
            <ErrorSummary error=failed(actions.renew)/>
            <ErrorSummary error=failed(actions.check)/>
            <ErrorSummary error=failed(actions.revoke)/>
            <ErrorSummary error=failed(actions.remove)/>
            <Transition fallback=|| view! { <p>{t!("Loading the login domains …")}</p> }>
                {move || Suspend::new(async move {
                    match list.await {
                        Ok(view) => view! { <Claims view actions/> }.into_any(),
                        Err(error) => view! { <Failure error/> }.into_any(),
                    }
                })}
            </Transition>
            <Claim request=actions.request/>
        </Section>
    }
    .into_any()
}

/// The form that claims a domain. It stands outside the list, so that reading the list again keeps what was typed.
#[component]
fn Claim(request: ServerAction<RequestDomainClaim>) -> impl IntoView {
    let error = failed(request);
    let session = Resource::new(|| (), |()| current_session());
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                let may = session.await.is_ok_and(|session| session.can_update_settings);
                may.then(|| view! { <ClaimForm request error/> })
            })}
        </Suspense>
    }
    .into_any()
}

#[component]
fn ClaimForm(request: ServerAction<RequestDomainClaim>, error: Failed) -> impl IntoView {
    view! {
        <ActionForm action=request>
            <TextField
                id="login-domain"
                name="domain"
                label=t!("Domain")
                hint=t!("What stands after the @ of your technicians' work email, for example contoso.com.")
                mono=true
                error
            />
            <NoteField id="login-domain-note" error/>
            <p class="db-form__actions"><Submit label=t!("Claim domain") pending=request.pending()/></p>
        </ActionForm>
    }
    .into_any()
}

#[component]
fn Claims(view: DomainClaimsView, actions: Actions) -> impl IntoView {
    let may = view.can_update;
    let read_only = (!may).then(|| view! { <ReadOnly/> });
    let list = if view.claims.is_empty() {
        view! {
            <EmptyState
                title=t!("There is no login domain yet")
                text=t!("Until one is verified, everybody signs in with a password.")
            />
        }
        .into_any()
    } else {
        let claims: Vec<_> = view
            .claims
            .into_iter()
            .map(|claim| view! { <One claim may actions/> })
            .collect();
        view! { <div>{claims}</div> }.into_any()
    };
    view! {
        {read_only}
        {list}
    }
    .into_any()
}

#[component]
fn One(claim: ClaimView, may: bool, actions: Actions) -> impl IntoView {
    let ClaimView { domain, challenge } = claim;
    let name = domain.domain.clone();
    let heading = format!("claim-{}", domain.domain_id);
    let labelled_by = heading.clone();
    let contested = domain.contested.then(|| {
        view! {
            <p>
                {t!("Another MSP of this installation lists this domain as well. Only whoever has verified it is offered to people.")}
            </p>
        }
    });
    let pending = domain.status == ClaimStatus::Pending;
    let record = challenge
        .filter(|_| pending || domain.status == ClaimStatus::Verified)
        .map(|challenge| view! { <Record challenge domain=name.clone() pending/> });
    let buttons = may.then(|| {
        view! { <Buttons domain_id=domain.domain_id.clone() name=name.clone() status=domain.status actions/> }
    });
    let revoke = (may && matches!(domain.status, ClaimStatus::Pending | ClaimStatus::Verified))
        .then(|| {
            view! {
                <Revoke
                    domain_id=domain.domain_id.clone()
                    name=name.clone()
                    impact=people_there(&domain)
                    revoke=actions.revoke
                />
            }
        });
    let people = people_there(&domain);
    view! {
        <article class="db-claim" aria-labelledby=labelled_by>
            <h3 id=heading>{name}</h3>
            <dl class="db-facts">
                <dt>{t!("Status")}</dt>
                <dd><ClaimTag status=domain.status/></dd>
                <dt>{t!("Changed by")}</dt>
                <dd>{domain.changed}</dd>
                <dt>{t!("Your people")}</dt>
                <dd>{people}</dd>
            </dl>
            {contested}
            {record}
            {buttons}
            {revoke}
        </article>
    }
    .into_any()
}

/// The record to publish, and what DNS showed the last time.
#[component]
fn Record(challenge: ChallengeView, domain: String, pending: bool) -> impl IntoView {
    let publish = pending.then(|| {
        view! {
            <p>{t!("Publish this TXT record in the DNS of {domain}. Daybind looks for it every minute in the first hour, then less often, until {}.", challenge.expires)}</p>
            <CopyField label=t!("Host of the TXT record for {domain}") value=challenge.host/>
            <CopyField label=t!("Value of the TXT record for {domain}") value=challenge.value/>
        }
    });
    let seen = if challenge.seen.is_empty() {
        view! { <p>{t!("No TXT record was seen.")}</p> }.into_any()
    } else {
        let rows: Vec<_> = challenge
            .seen
            .into_iter()
            .map(|text| view! { <li><code>{text}</code></li> })
            .collect();
        view! {
            <p>{t!("These TXT records were seen:")}</p>
            <ul>{rows}</ul>
        }
        .into_any()
    };
    let last = if challenge.checked.is_empty() {
        view! { <p>{t!("DNS has not been asked yet.")}</p> }.into_any()
    } else {
        view! {
            <details class="db-disclosure" open=pending>
                <summary>{t!("What DNS showed on {}", challenge.checked)}</summary>
                <p>{challenge.outcome}</p>
                {seen}
            </details>
        }
        .into_any()
    };
    view! {
        {publish}
        {last}
    }
    .into_any()
}

#[component]
fn Buttons(
    domain_id: String,
    name: String,
    status: ClaimStatus,
    actions: Actions,
) -> impl IntoView {
    let Actions {
        request,
        renew,
        check,
        remove,
        ..
    } = actions;
    let pending = status == ClaimStatus::Pending;
    let proof = (pending || status == ClaimStatus::Verified).then(|| {
        let (id, label) = (domain_id.clone(), t!("Check {name} now"));
        view! {
            <ActionForm action=check>
                <input type="hidden" name="domain_id" value=id/>
                <Submit label pending=check.pending() look="secondary"/>
            </ActionForm>
        }
    });
    let again = pending.then(|| {
        let (id, label) = (domain_id.clone(), t!("Make a new record for {name}"));
        view! {
            <ActionForm action=renew>
                <input type="hidden" name="domain_id" value=id/>
                <Submit label pending=renew.pending() look="quiet"/>
            </ActionForm>
        }
    });
    let claim = proof.is_none().then(|| {
        let (verify, removal) = (t!("Verify {name}"), t!("Remove {name}"));
        let why = format!("why-{domain_id}");
        view! {
            <ActionForm action=request>
                <input type="hidden" name="domain" value=name/>
                <Submit label=verify pending=request.pending() look="secondary"/>
            </ActionForm>
            <ActionForm action=remove>
                <input type="hidden" name="domain_id" value=domain_id/>
                <Submit label=removal pending=remove.pending() look="quiet"/>
                <Why id=why/>
            </ActionForm>
        }
    });
    view! { <div class="db-actions">{proof}{again}{claim}</div> }.into_any()
}

/// Revoking shows whom it concerns and asks for a tick; the form works without script.
#[component]
fn Revoke(
    domain_id: String,
    name: String,
    impact: String,
    revoke: ServerAction<RevokeDomainClaim>,
) -> impl IntoView {
    let id = format!("confirm-{domain_id}");
    let note_id = format!("revoke-note-{domain_id}");
    view! {
        <details class="db-disclosure">
            <summary>{t!("Revoke {name}")}</summary>
            <p>{t!("{impact}. After this, {name} leads nobody to your Microsoft sign-in; they sign in with a password. Sessions that are open stay open.")}</p>
            <ActionForm action=revoke>
                <input type="hidden" name="domain_id" value=domain_id/>
                <div class="db-field db-field--check">
                    <input id=id.clone() type="checkbox" name="confirmed" value="yes" required/>
                    <label for=id>{t!("I have read whom this concerns")}</label>
                </div>
                <NoteField id=note_id/>
                <p class="db-form__actions">
                    <Submit label=t!("Revoke {name}") pending=revoke.pending() look="danger"/>
                </p>
            </ActionForm>
        </details>
    }
    .into_any()
}
