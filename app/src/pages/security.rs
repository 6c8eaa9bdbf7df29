//! Profile > Security: the browsers one is signed in with, and one's password.

use daybind_domain::session::{SessionRow, SessionsView};
use daybind_words::t;
use leptos::prelude::*;

use super::failure::Failure;
use super::query_value;
use crate::api::session::current_session;
use crate::api::sessions::{ChangeOwnPassword, EndOtherSessions, EndSession, list_sessions};
use crate::ui::{
    Announcement, ErrorSummary, PageHead, SecretField, Section, SelectField, Submit, Why, failed,
    keep_focus, successes,
};

const FIELDS: &[(&str, &str)] = &[
    ("current", "password-current"),
    ("new", "password-new"),
    ("repeated", "password-repeated"),
];

/// The Security tab. Administrators may look at somebody else's sessions: `person` in the address.
#[component]
pub fn SecurityPage() -> impl IntoView {
    let (person, saved) = (query_value("person"), query_value("saved"));
    let end = ServerAction::<EndSession>::new();
    let end_others = ServerAction::<EndOtherSessions>::new();
    let (ended, others_ended) = (successes(end), successes(end_others));
    let sessions = Resource::new(
        move || (person.get(), ended.get(), others_ended.get()),
        |(person, ..)| list_sessions(person),
    );
    keep_focus(sessions, move || (ended.get(), others_ended.get()));
    let session = Resource::new(|| (), |()| current_session());
    let announcement = move || {
        let text = match saved.get().as_str() {
            "session" => t!("The session has ended. Its browser is signed out."),
            "sessions" => t!("All other sessions have ended."),
            "password" => t!("Your password is changed, and your other sessions have ended."),
            _ => return None,
        };
        Some(view! { <Announcement text dismiss="/msp/profile?tab=security"/> })
    };
    view! {
        <PageHead title=t!("Security")/>
        {announcement}
        <Section title=t!("Where you are signed in") id="sessions-heading">
            <ErrorSummary error=failed(end)/>
            <ErrorSummary error=failed(end_others)/>
            <Transition fallback=|| view! { <p>{t!("Loading the sessions …")}</p> }>
                {move || Suspend::new(async move {
                    match sessions.await {
                        Ok(view) => view! { <Sessions view end end_others/> }.into_any(),
                        Err(error) => view! { <Failure error/> }.into_any(),
                    }
                })}
            </Transition>
        </Section>
        {move || person.with(String::is_empty).then(|| view! {
            <Suspense>
                {move || Suspend::new(async move {
                    let email = session.await.map(|session| session.email).unwrap_or_default();
                    view! { <Password email/> }
                })}
            </Suspense>
        })}
    }
    .into_any()
}

#[component]
fn Sessions(
    view: SessionsView,
    end: ServerAction<EndSession>,
    end_others: ServerAction<EndOtherSessions>,
) -> impl IntoView {
    let SessionsView {
        sessions,
        person_id,
        person_name,
        can_end,
        people,
    } = view;
    let own = person_id.is_empty();
    let others = sessions.iter().filter(|session| !session.current).count();
    let whose = if own {
        t!("A session ends when it is not used for 12 hours, at the latest after 7 days. End one you do not know, \
         and change your password.")
            .to_owned()
    } else {
        t!("These are the sessions of {person_name}.")
    };
    let table = if sessions.is_empty() {
        view! { <p>{t!("{person_name} is not signed in anywhere.")}</p> }.into_any()
    } else {
        let rows: Vec<_> = sessions
            .into_iter()
            .map(|session| view! { <Row session person_id=person_id.clone() can_end end/> })
            .collect();
        view! {
            <table class="db-table" aria-labelledby="sessions-heading">
                <thead>
                    <tr>
                        <th scope="col">{t!("Device")}</th>
                        <th scope="col">{t!("Signed in with")}</th>
                        <th scope="col">{t!("From")}</th>
                        <th scope="col">{t!("Signed in")}</th>
                        <th scope="col">{t!("Last used")}</th>
                        <th scope="col">{t!("End")}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        }
        .into_any()
    };
    let label = if own {
        t!("End all other sessions").to_owned()
    } else {
        t!("End all sessions of {person_name}")
    };
    let person = person_id.clone();
    let all = (can_end && others > 0).then(|| {
        view! {
            <ActionForm action=end_others>
                <input type="hidden" name="person" value=person/>
                <p class="db-form__actions">
                    <Submit label pending=end_others.pending() look="secondary"/>
                </p>
                <Why id="why-others"/>
            </ActionForm>
        }
    });
    let choose = (!people.is_empty()).then(|| {
        let mut options = vec![(String::new(), t!("Yourself").to_owned())];
        options.extend(people.into_iter().map(|person| (person.user_id, person.name)));
        view! {
            <form method="get" action="/msp/profile">
                <input type="hidden" name="tab" value="security"/>
                <SelectField
                    id="sessions-person"
                    name="person"
                    label=t!("Whose sessions")
                    hint=t!("Administrators can end the sessions of everybody in their MSP.")
                    options
                    selected=person_id.clone()
                    optional=true
                />
                <p class="db-form__actions">
                    <button type="submit" class="db-btn db-btn--secondary">{t!("Show these sessions")}</button>
                </p>
            </form>
        }
    });
    view! {
        <p>{whose}</p>
        {table}
        {all}
        {choose}
    }
    .into_any()
}

#[component]
fn Row(
    session: SessionRow,
    person_id: String,
    can_end: bool,
    end: ServerAction<EndSession>,
) -> impl IntoView {
    let from = if session.address.is_empty() {
        t!("Unknown").to_owned()
    } else {
        session.address
    };
    let change = if session.current {
        view! { <span>{t!("This is the session you are using")}</span> }.into_any()
    } else if can_end {
        let label = t!("End the session on {}", session.device);
        view! {
            <ActionForm action=end>
                <input type="hidden" name="session_id" value=session.session_id.clone()/>
                <input type="hidden" name="person" value=person_id/>
                <Submit label pending=end.pending() look="secondary"/>
                <Why id=format!("why-{}", session.session_id)/>
            </ActionForm>
        }
        .into_any()
    } else {
        view! { <span>{t!("Read only")}</span> }.into_any()
    };
    view! {
        <tr>
            <th scope="row">{session.device}</th>
            <td data-label=t!("Signed in with")>{session.method}</td>
            <td data-label=t!("From")>{from}</td>
            <td data-label=t!("Signed in")>{session.created}</td>
            <td data-label=t!("Last used")>{session.last_seen}</td>
            <td data-label=t!("End")>{change}</td>
        </tr>
    }
    .into_any()
}

#[component]
fn Password(email: String) -> impl IntoView {
    let change = ServerAction::<ChangeOwnPassword>::new();
    let error = failed(change);
    view! {
        <Section title=t!("Password") id="password-heading">
            <p>{t!("Changing it ends all your other sessions.")}</p>
            <ErrorSummary error fields=FIELDS/>
            <ActionForm action=change>
                // Tells password stores whose password changes; the server takes the session's.
                <input type="text" value=email autocomplete="username" hidden/>
                <SecretField
                    id="password-current"
                    name="current"
                    label=t!("Current password")
                    autocomplete="current-password"
                    error
                />
                <SecretField
                    id="password-new"
                    name="new"
                    label=t!("New password")
                    hint=t!("At least 12 characters. Several words together are easy to remember and hard to guess.")
                    error
                />
                <SecretField id="password-repeated" name="repeated" label=t!("New password again") error/>
                <p class="db-form__actions"><Submit label=t!("Change password") pending=change.pending()/></p>
            </ActionForm>
        </Section>
    }
    .into_any()
}
