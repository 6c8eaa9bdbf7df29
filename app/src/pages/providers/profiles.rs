//! The table of Microsoft profiles.

use daybind_domain::view::ProfileView;
use daybind_words::t;
use leptos::prelude::*;

use super::standing;
use crate::pages::settings::category_address;
use crate::ui::StatusTag;

/// Every profile with its identifiers, who uses it and how it is. Archived ones are folded away.
#[component]
pub(super) fn Profiles(
    /// Active ones first.
    profiles: Vec<ProfileView>,
) -> impl IntoView {
    let (archived, active): (Vec<_>, Vec<_>) =
        profiles.into_iter().partition(|profile| profile.archived);
    let old = (!archived.is_empty()).then(|| {
        let title = t!("Archived profiles ({})", archived.len());
        view! {
            <details class="db-disclosure">
                <summary>{title}</summary>
                {table(t!("Archived Microsoft profiles"), archived)}
            </details>
        }
    });
    view! {
        {(!active.is_empty()).then(|| table(t!("Microsoft profiles"), active))}
        {old}
    }
    .into_any()
}

fn table(label: &'static str, profiles: Vec<ProfileView>) -> AnyView {
    let rows: Vec<_> = profiles
        .into_iter()
        .map(|profile| view! { <Row profile/> })
        .collect();
    view! {
        <table class="db-table" aria-label=label>
            <thead>
                <tr>
                    <th scope="col">{t!("Name")}</th>
                    <th scope="col">{t!("Application (client) ID")}</th>
                    <th scope="col">{t!("Directory (tenant) ID")}</th>
                    <th scope="col">{t!("Client secret")}</th>
                    <th scope="col">{t!("Used by")}</th>
                    <th scope="col">{t!("Status")}</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

#[component]
fn Row(profile: ProfileView) -> impl IntoView {
    let kind = standing(profile.standing);
    let text = if profile.archived { "archived" } else { "" };
    let missing = (!profile.ready && !profile.archived).then(|| {
        view! { <p class="db-field__hint">{t!("Because {}.", profile.missing.join(", "))}</p> }
    });
    let used_by = if profile.used_by.is_empty() {
        t!("Nothing").to_owned()
    } else {
        profile.used_by.join(", ")
    };
    let expiry = profile
        .expiry
        .map(|(text, _)| view! { <p class="db-field__hint">{text}</p> });
    let verified = profile
        .verified
        .map(|text| view! { <p class="db-field__hint">{text}</p> });
    let href = format!(
        "{}&profile={}",
        category_address("providers"),
        profile.profile_id
    );
    view! {
        <tr>
            <th scope="row"><a href=href>{profile.display_name}</a></th>
            <td data-label=t!("Application (client) ID")><code>{profile.client_id}</code></td>
            <td data-label=t!("Directory (tenant) ID")><code>{profile.directory_id}</code></td>
            <td data-label=t!("Client secret")>{profile.secret_hint.unwrap_or_else(|| t!("Missing").to_owned())}{expiry}</td>
            <td data-label=t!("Used by")>{used_by}</td>
            <td data-label=t!("Status")><StatusTag kind text/>{missing}{verified}</td>
        </tr>
    }
    .into_any()
}
