//! The table of Microsoft profiles.

use daybind_domain::view::ProfileView;
use leptos::prelude::*;

use crate::ui::{StatusKind, StatusTag};

/// Every profile with its identifiers, who uses it and how it is.
#[component]
pub(super) fn Profiles(
    /// Active ones first.
    profiles: Vec<ProfileView>,
) -> impl IntoView {
    let rows: Vec<_> = profiles
        .into_iter()
        .map(|profile| view! { <Row profile/> })
        .collect();
    view! {
        <table class="db-table" aria-label="Microsoft profiles">
            <thead>
                <tr>
                    <th scope="col">"Name"</th>
                    <th scope="col">"Application (client) ID"</th>
                    <th scope="col">"Directory (tenant) ID"</th>
                    <th scope="col">"Client secret"</th>
                    <th scope="col">"Used by"</th>
                    <th scope="col">"Status"</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

#[component]
fn Row(profile: ProfileView) -> impl IntoView {
    let (kind, text) = if profile.archived {
        (StatusKind::Off, "archived")
    } else if profile.ready {
        (StatusKind::NotTested, "")
    } else {
        (StatusKind::NeedsYou, "")
    };
    let missing = (!profile.ready && !profile.archived).then(|| {
        view! { <p class="db-field__hint">{format!("Because {}.", profile.missing.join(", "))}</p> }
    });
    let used_by = if profile.used_by.is_empty() {
        "Nothing".to_owned()
    } else {
        profile.used_by.join(", ")
    };
    view! {
        <tr>
            <th scope="row">{profile.display_name}</th>
            <td data-label="Application (client) ID"><code>{profile.client_id}</code></td>
            <td data-label="Directory (tenant) ID"><code>{profile.directory_id}</code></td>
            <td data-label="Client secret">{profile.secret_hint.unwrap_or_else(|| "Missing".to_owned())}</td>
            <td data-label="Used by">{used_by}</td>
            <td data-label="Status"><StatusTag kind text/>{missing}</td>
        </tr>
    }
    .into_any()
}
