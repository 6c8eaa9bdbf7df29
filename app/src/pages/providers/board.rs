//! The bindings board: one row for each service, with what it uses and the form that changes it.

use daybind_domain::view::BindingView;
use leptos::prelude::*;

use crate::api::providers::SetMicrosoftConsumerBinding;
use crate::ui::{CopyField, StatusKind, StatusTag, Submit};

/// The board, and below it what to enter in Entra for each service.
#[component]
pub(super) fn Board(
    /// One for each service this edition shows.
    bindings: Vec<BindingView>,
    /// Id and name of every profile that can be chosen.
    active: Vec<(String, String)>,
    /// Whether the reader may change bindings.
    may: bool,
    /// Changes one.
    bind: ServerAction<SetMicrosoftConsumerBinding>,
) -> impl IntoView {
    let rows: Vec<_> = bindings
        .iter()
        .map(|binding| view! { <Bound binding=binding.clone() active=active.clone() may bind/> })
        .collect();
    let setups: Vec<_> = bindings
        .into_iter()
        .map(|binding| view! { <Setup binding/> })
        .collect();
    view! {
        <h3 id="bindings-heading">"Which service uses which profile"</h3>
        <table class="db-table db-board" aria-labelledby="bindings-heading">
            <thead>
                <tr>
                    <th scope="col">"Service"</th>
                    <th scope="col">"Profile"</th>
                    <th scope="col">"Status"</th>
                    <th scope="col">"Change"</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
        <div>{setups}</div>
    }
    .into_any()
}

/// One service: what it uses, whether that works, and the form that changes it.
#[component]
fn Bound(
    binding: BindingView,
    active: Vec<(String, String)>,
    may: bool,
    bind: ServerAction<SetMicrosoftConsumerBinding>,
) -> impl IntoView {
    let kind = match (binding.profile_id.is_some(), binding.ready) {
        (false, _) => StatusKind::NotConnected,
        (true, true) => StatusKind::NotTested,
        (true, false) => StatusKind::NeedsYou,
    };
    let problem = if binding.profile_id.is_none() {
        Some("Until a profile is chosen this service does not use Microsoft.".to_owned())
    } else {
        binding
            .problem
            .clone()
            .map(|text| format!("Because {text}."))
    };
    let change = if !may {
        view! { <span>"Read only"</span> }.into_any()
    } else if active.is_empty() {
        view! { <span>"Create a profile first."</span> }.into_any()
    } else {
        view! { <Choose binding=binding.clone() active bind/> }.into_any()
    };
    view! {
        <tr id=format!("binding-{}", binding.consumer)>
            <th scope="row">
                {binding.label}
                <p class="db-field__hint">{binding.help}</p>
            </th>
            <td data-label="Profile">
                {binding.profile_name.unwrap_or_else(|| "None".to_owned())}
                {binding.set_by.map(|text| view! { <p class="db-field__hint">{text}</p> })}
            </td>
            <td data-label="Status">
                <StatusTag kind/>
                {problem.map(|text| view! { <p class="db-field__hint">{text}</p> })}
            </td>
            <td data-label="Change">{change}</td>
        </tr>
    }
    .into_any()
}

#[component]
fn Choose(
    binding: BindingView,
    active: Vec<(String, String)>,
    bind: ServerAction<SetMicrosoftConsumerBinding>,
) -> impl IntoView {
    let id = format!("profile-for-{}", binding.consumer);
    // What is bound may be archived; then nothing in the list is chosen, and nothing is chosen for the reader.
    let none = !active
        .iter()
        .any(|(profile, _)| Some(profile) == binding.profile_id.as_ref());
    let options: Vec<_> = active
        .into_iter()
        .map(|(profile_id, name)| {
            let selected = Some(&profile_id) == binding.profile_id.as_ref();
            view! { <option value=profile_id selected=selected>{name}</option> }
        })
        .collect();
    view! {
        <ActionForm action=bind>
            <input type="hidden" name="consumer" value=binding.consumer/>
            <label class="db-visually-hidden" for=id.clone()>{format!("Profile for {}", binding.label)}</label>
            <select class="db-select" id=id name="profile_id" required>
                {none.then(|| view! { <option value="" selected=true>"Choose a profile"</option> })}
                {options}
            </select>
            <Submit label=format!("Use for {}", binding.label) pending=bind.pending() look="secondary"/>
        </ActionForm>
    }
    .into_any()
}

/// What to enter in Entra for one service.
#[component]
fn Setup(binding: BindingView) -> impl IntoView {
    let scopes = binding.scopes.join(" ");
    let label = format!("Redirect URI for {}", binding.label);
    view! {
        <details class="db-disclosure">
            <summary>{format!("Set up Entra for {}", binding.label)}</summary>
            {binding.redirect_uri.map(|value| view! {
                <CopyField label value/>
                <p class="db-field__hint">"In Entra: Authentication, platform Web."</p>
            })}
            <p>"Delegated permissions (API permissions > Microsoft Graph): "<code>{scopes}</code></p>
        </details>
    }
    .into_any()
}
