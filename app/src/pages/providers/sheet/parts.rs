//! What the pages here share.

use daybind_domain::Cloud;
use daybind_words::t;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::api::profiles::ChangeMicrosoftProfile;
use crate::pages::settings::category_address;
use crate::ui::{Failed, NoteField, typed};

/// Entra's list of app registrations, in the portal of the cloud with this stored name.
pub(super) fn entra(cloud: &str) -> String {
    let portal = Cloud::parse(cloud).unwrap_or_default().portal();
    format!("{portal}/#view/Microsoft_AAD_RegisteredApps/ApplicationsListBlade")
}

/// The page of a profile.
pub(super) fn address(profile_id: &str, rest: &str) -> String {
    format!(
        "{}&profile={profile_id}{rest}",
        category_address("providers")
    )
}

/// A form that changes the profile.
#[component]
pub(super) fn Act(
    /// What it does.
    act: &'static str,
    /// The profile.
    id: String,
    /// The version the page was made from.
    #[prop(optional)]
    version: i64,
    /// Fields and button.
    children: Children,
) -> impl IntoView {
    view! {
        <form method="post" action=ChangeMicrosoftProfile::url()>
            <input type="hidden" name="act" value=act/>
            <input type="hidden" name="profile_id" value=id/>
            <input type="hidden" name="version" value=version/>
            {children()}
        </form>
    }
    .into_any()
}

/// The note of the form `act`. The forms of a page share one failure, so that what was typed goes back to its own.
#[component]
pub(super) fn Note(
    /// What the form does.
    act: &'static str,
    /// What went wrong.
    error: Failed,
) -> impl IntoView {
    let value = if typed(error, "act", String::new()) == act {
        typed(error, "note", String::new())
    } else {
        String::new()
    };
    view! { <NoteField id=format!("note-{act}") value/> }
}

/// Whose secret a form takes, for password stores; nobody sees it and it is not sent.
#[component]
pub(super) fn Whose(
    /// The profile's name.
    name: String,
) -> impl IntoView {
    view! { <input type="text" value=name autocomplete="username" hidden/> }
}

/// A submit button.
#[component]
pub(super) fn Send(
    /// Verb and object.
    #[prop(into)]
    label: String,
    /// `primary`, `secondary`, `quiet` or `danger`.
    #[prop(default = "secondary")]
    look: &'static str,
) -> impl IntoView {
    view! { <button type="submit" class=format!("db-btn db-btn--{look}")>{label}</button> }
}

/// A value to take to Entra. The button shows once the page can copy; the value can be marked by hand either way.
#[component]
pub(super) fn Copy(
    /// What it is.
    #[prop(into)]
    label: String,
    /// The value.
    #[prop(into)]
    value: String,
) -> impl IntoView {
    let name = t!("Copy {label}");
    view! {
        <div class="db-copyfield">
            <span class="db-copyfield__label">{label}</span>
            <div class="db-copyfield__row">
                <code class="db-copyfield__value">{value.clone()}</code>
                <button type="button" class="db-btn" data-copy=value aria-label=name>{t!("Copy")}</button>
            </div>
        </div>
    }
    .into_any()
}
