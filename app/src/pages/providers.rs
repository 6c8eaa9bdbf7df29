//! Settings > Integrations > Providers: Microsoft profiles and which service uses which.

use daybind_domain::view::{BindingView, ProfileView, ProvidersView};
use leptos::prelude::*;

use super::failure::Failure;
use super::forms::{
    Announcement, CopyField, ErrorSummary, Failed, Field, Submit, failed, successes,
};
use super::query_value;
use super::settings::category_address;
use crate::api::providers::{
    CreateMicrosoftProfile, SetMicrosoftConsumerBinding, list_microsoft_profiles,
};
use crate::entries::Entries;

const PROFILE_FIELDS: &[(&str, &str)] = &[
    ("display_name", "profile-name"),
    ("client_id", "profile-client"),
    ("directory_id", "profile-directory"),
    ("client_secret", "profile-secret"),
];

/// The Providers category: bindings, profiles, and the edition's further providers.
#[component]
pub fn ProvidersPage() -> impl IntoView {
    let entries = Entries::current();
    let (profile, saved) = (query_value("profile"), query_value("saved"));
    let create = ServerAction::<CreateMicrosoftProfile>::new();
    let bind = ServerAction::<SetMicrosoftConsumerBinding>::new();
    let (created, bound) = (successes(create), successes(bind));
    let view = Resource::new(
        move || (created.get(), bound.get()),
        |_| list_microsoft_profiles(),
    );
    let binding = failed(bind);
    let announcement = move || {
        let text = match saved.get().as_str() {
            "profile" => "The profile is saved. Choose below which service uses it.",
            "binding" => "The service now uses the profile you chose.",
            // The edition's own cards announce their forms' success here, too.
            "google" => "The OAuth client is saved.",
            _ => return None,
        };
        Some(view! { <Announcement text dismiss=category_address("providers")/> })
    };
    view! {
        <div class="db-page-head"><h1>"Providers"</h1></div>
        {announcement}
        <section class="db-section" aria-labelledby="microsoft-heading">
            <h2 id="microsoft-heading" class="db-section__title">"Microsoft"</h2>
            <p>{entries.microsoft_intro}</p>
            <p>"Each service below uses exactly the profile you choose. Nothing is chosen for you."</p>
            <ErrorSummary error=binding/>
            {move || (profile.get() == "new").then(|| view! { <NewProfile create/> })}
            <Transition fallback=|| view! { <p>"Loading the profiles …"</p> }>
                {move || Suspend::new(async move {
                    match view.await {
                        Ok(view) => view! { <Microsoft view bind empty=entries.microsoft_empty/> }.into_any(),
                        Err(error) => view! { <Failure error/> }.into_any(),
                    }
                })}
            </Transition>
        </section>
        {entries.provider_cards.map(|cards| cards())}
    }
    .into_any()
}

#[component]
fn Microsoft(
    view: ProvidersView,
    bind: ServerAction<SetMicrosoftConsumerBinding>,
    empty: &'static str,
) -> impl IntoView {
    let active: Vec<(String, String)> = view
        .profiles
        .iter()
        .filter(|profile| !profile.archived)
        .map(|profile| (profile.profile_id.clone(), profile.display_name.clone()))
        .collect();
    let may = view.can_update;
    let rows: Vec<_> = view
        .bindings
        .iter()
        .map(|binding| view! { <Bound binding=binding.clone() active=active.clone() may bind/> })
        .collect();
    let setups: Vec<_> = view
        .bindings
        .into_iter()
        .map(|binding| view! { <Setup binding/> })
        .collect();
    let profiles = if view.profiles.is_empty() {
        view! {
            <div class="db-empty">
                <p>"There is no Microsoft profile yet. "{empty}</p>
            </div>
        }
        .into_any()
    } else {
        view! { <Profiles profiles=view.profiles/> }.into_any()
    };
    let add = if may {
        let href = format!("{}&profile=new", category_address("providers"));
        view! { <p><a class="db-btn db-btn--secondary" href=href>"New profile"</a></p> }.into_any()
    } else {
        view! {
            <p class="db-banner db-banner--info">
                "You can read these settings but not change them. Ask an administrator who may change system settings."
            </p>
        }
        .into_any()
    };
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
        {setups}
        <h3>"Profiles"</h3>
        {profiles}
        {add}
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
    let (class, word) = match (binding.profile_id.is_some(), binding.ready) {
        (false, _) => ("db-status db-status--not_synced", "Not connected"),
        (true, true) => ("db-status db-status--not_synced", "Not tested"),
        (true, false) => ("db-status db-status--failed", "Needs you"),
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
            <td>
                {binding.profile_name.unwrap_or_else(|| "None".to_owned())}
                {binding.set_by.map(|text| view! { <p class="db-field__hint">{text}</p> })}
            </td>
            <td>
                <span class=class>{word}</span>
                {problem.map(|text| view! { <p class="db-field__hint">{text}</p> })}
            </td>
            <td>{change}</td>
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
    let id = format!("redirect-{}", binding.consumer);
    let scopes = binding.scopes.join(" ");
    view! {
        <details class="db-disclosure">
            <summary>{format!("Set up Entra for {}", binding.label)}</summary>
            {binding.redirect_uri.map(|value| view! {
                <CopyField id label="Redirect URI (Authentication > Web)" value/>
            })}
            <p>"Delegated permissions (API permissions > Microsoft Graph): "<code>{scopes}</code></p>
        </details>
    }
    .into_any()
}

#[component]
fn Profiles(profiles: Vec<ProfileView>) -> impl IntoView {
    let rows: Vec<_> = profiles
        .into_iter()
        .map(|profile| {
            let (class, word) = if profile.archived {
                ("db-status db-status--not_synced", "Archived")
            } else if profile.ready {
                ("db-status db-status--not_synced", "Not tested")
            } else {
                ("db-status db-status--failed", "Needs you")
            };
            let missing = (!profile.ready && !profile.archived)
                .then(|| view! { <p class="db-field__hint">{format!("Because {}.", profile.missing.join(", "))}</p> });
            let used_by =
                if profile.used_by.is_empty() { "Nothing".to_owned() } else { profile.used_by.join(", ") };
            view! {
                <tr>
                    <th scope="row">{profile.display_name}</th>
                    <td><code>{profile.client_id}</code></td>
                    <td><code>{profile.directory_id}</code></td>
                    <td>{profile.secret_hint.unwrap_or_else(|| "Missing".to_owned())}</td>
                    <td>{used_by}</td>
                    <td><span class=class>{word}</span>{missing}</td>
                </tr>
            }
        })
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
fn NewProfile(create: ServerAction<CreateMicrosoftProfile>) -> impl IntoView {
    let error: Failed = failed(create);
    view! {
        <section class="db-section" aria-labelledby="profile-heading">
            <h3 id="profile-heading">"New profile"</h3>
            <ErrorSummary error fields=PROFILE_FIELDS/>
            <ActionForm action=create>
                <Field
                    id="profile-name"
                    name="display_name"
                    label="Display name"
                    hint="How you tell this profile from others, for example “Contoso tenant”."
                    error
                />
                <Field
                    id="profile-client"
                    name="client_id"
                    label="Application (client) ID"
                    hint="In the Microsoft Entra admin center: App registrations, your app, Overview."
                    error
                />
                <Field
                    id="profile-directory"
                    name="directory_id"
                    label="Directory (tenant) ID"
                    hint="On the same Overview page, one line below."
                    error
                />
                <Field
                    id="profile-secret"
                    name="client_secret"
                    label="Client secret value"
                    hint="Under Certificates & secrets: the Value, not the Secret ID. Entra shows it only once. Daybind stores it encrypted and never shows it again."
                    kind="password"
                    autocomplete="off"
                    error
                />
                <p class="db-form__actions">
                    <Submit label="Save profile" pending=create.pending()/>
                    <a class="db-btn db-btn--quiet" href=category_address("providers")>"Cancel"</a>
                </p>
            </ActionForm>
        </section>
    }
    .into_any()
}
