//! Settings > Sign-in requests: Microsoft accounts that belong to nobody yet, and whose they are.

use daybind_domain::sso::{CandidateView, IdentityRequestView, IdentityRequestsView};
use daybind_words::t;
use leptos::prelude::*;

use super::failure::Failure;
use super::query_value;
use super::settings::category_address;
use crate::api::sign_in::{ApproveSignInRequest, DeclineSignInRequest, list_sign_in_requests};
use crate::ui::{
    Announcement, EmptyState, ErrorSummary, PageHead, Section, SelectField, StatusKind, StatusTag,
    Submit, TimeText, Why, failed, keep_focus, successes,
};

#[derive(Clone, Copy)]
struct Actions {
    approve: ServerAction<ApproveSignInRequest>,
    decline: ServerAction<DeclineSignInRequest>,
}

/// The category.
#[component]
pub fn SignInRequestsPage() -> impl IntoView {
    let saved = query_value("saved");
    let actions = Actions {
        approve: ServerAction::new(),
        decline: ServerAction::new(),
    };
    let (approved, declined) = (successes(actions.approve), successes(actions.decline));
    let view = Resource::new(
        move || (approved.get(), declined.get()),
        |_| list_sign_in_requests(),
    );
    keep_focus(view, move || (approved.get(), declined.get()));
    let announcement = move || {
        let text = match saved.get().as_str() {
            "approved" => t!("The account is connected. Its owner can sign in with it now."),
            "declined" => t!("The account is declined. Whoever tries it is told so."),
            _ => return None,
        };
        Some(view! { <Announcement text dismiss=category_address("sign-in")/> })
    };
    view! {
        <PageHead
            title=t!("Sign-in requests")
            lede=t!("People who signed in at Microsoft with an account that belongs to nobody here yet.")
        />
        {announcement}
        <ErrorSummary error=failed(actions.approve)/>
        <ErrorSummary error=failed(actions.decline)/>
        <Transition fallback=|| view! { <p>{t!("Loading the requests …")}</p> }>
            {move || Suspend::new(async move {
                match view.await {
                    Ok(view) => view! { <Requests view actions/> }.into_any(),
                    Err(error) => view! { <Failure error/> }.into_any(),
                }
            })}
        </Transition>
    }
    .into_any()
}

#[component]
fn Requests(view: IdentityRequestsView, actions: Actions) -> impl IntoView {
    if view.requests.is_empty() {
        return view! {
            <Section title=t!("Nobody waits") id="requests-heading">
                <EmptyState
                    title=t!("No requests")
                    text=t!("When somebody signs in with a Microsoft account that is not connected to a person, it waits here \
                          for your decision.")
                />
            </Section>
        }
        .into_any();
    }
    let (people, may) = (view.people, view.may_decide);
    view.requests
        .into_iter()
        .map(|request| view! { <Request request people=people.clone() may actions/> })
        .collect_view()
        .into_any()
}

#[component]
fn Request(
    request: IdentityRequestView,
    people: Vec<CandidateView>,
    may: bool,
    actions: Actions,
) -> impl IntoView {
    let kind = if request.declined {
        StatusKind::Off
    } else {
        StatusKind::NeedsYou
    };
    let vouched = if request.verified {
        t!("Microsoft confirms that this directory owns the domain of the account's name.")
    } else {
        t!(
            "Microsoft does not vouch for the account's name: whoever runs the directory chose it. Ask the person."
        )
    };
    let (datetime, text) = request.requested;
    let id = format!("request-{}", request.request_id);
    let decide = if may {
        let suggested = request.suggested.clone().unwrap_or_default();
        let options = std::iter::once((String::new(), t!("Choose a person").to_owned()))
            .chain(
                people
                    .into_iter()
                    .map(|person| (person.user_id, person.label)),
            )
            .collect();
        let hint = if suggested.is_empty() {
            ""
        } else {
            t!(
                "The person with the same confirmed address is suggested. Check that it is really them."
            )
        };
        let (approve_label, decline_label) = (
            t!("Connect {}", request.account),
            t!("Decline {}", request.account),
        );
        let (approved, declined) = (request.request_id.clone(), request.request_id.clone());
        let person = format!("{id}-person");
        let (why_approve, why_decline) = (format!("{id}-why"), format!("{id}-why-decline"));
        let decline = (!request.declined).then(|| {
            view! {
                <ActionForm action=actions.decline>
                    <input type="hidden" name="request_id" value=declined/>
                    <Submit
                        label=decline_label
                        pending=actions.decline.pending()
                        look="danger"
                    />
                    <Why id=why_decline/>
                </ActionForm>
            }
        });
        view! {
            <ActionForm action=actions.approve>
                <input type="hidden" name="request_id" value=approved/>
                <SelectField
                    id=person
                    name="user_id"
                    label=t!("Whose account is it?")
                    options
                    selected=suggested
                    hint
                    error=failed(actions.approve)
                />
                <Submit label=approve_label pending=actions.approve.pending()/>
                <Why id=why_approve/>
            </ActionForm>
            {decline}
        }
        .into_any()
    } else {
        view! { <p>{t!("Read only: deciding needs the permission to change system settings.")}</p> }
            .into_any()
    };
    view! {
        <Section title=request.account.clone() id>
            <dl class="db-facts">
                <dt>{t!("Status")}</dt>
                <dd><StatusTag kind/>{request.declined.then_some(t!(" Declined"))}</dd>
                <dt>{t!("First asked")}</dt>
                <dd><TimeText datetime text/></dd>
                <dt>{t!("Directory (tenant) ID")}</dt>
                <dd><code>{request.directory_id}</code></dd>
                <dt>{t!("Object ID of the user")}</dt>
                <dd><code>{request.object_id}</code></dd>
            </dl>
            <p>{vouched}</p>
            {decide}
        </Section>
    }
    .into_any()
}
