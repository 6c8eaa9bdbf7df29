//! The form for a new Microsoft profile.

use daybind_domain::Cloud;
use daybind_words::t;
use leptos::prelude::*;

use crate::api::providers::CreateMicrosoftProfile;
use crate::pages::settings::category_address;
use crate::ui::{
    ErrorSummary, Failed, NoteField, PanelHead, SecretField, SelectField, Submit, TextField, failed,
};

const FIELDS: &[(&str, &str)] = &[
    ("display_name", "profile-name"),
    ("client_id", "profile-client"),
    ("directory_id", "profile-directory"),
    ("cloud", "profile-cloud"),
    ("client_secret", "profile-secret"),
];

/// What an admin copies from Entra, field by field.
#[component]
pub(super) fn NewProfile(
    /// Creates it.
    create: ServerAction<CreateMicrosoftProfile>,
) -> impl IntoView {
    let error: Failed = failed(create);
    view! {
        <section class="db-panel" aria-labelledby="profile-heading">
            <PanelHead id="profile-heading" title=t!("New profile")/>
            // No step by number: one goes on where one was.
            <p><a href=format!("{}&profile=new&panel=next", category_address("providers"))>{t!("New to Entra? Go step by step.")}</a></p>
            <ErrorSummary error fields=FIELDS/>
            <ActionForm action=create>
                <TextField
                    id="profile-name"
                    name="display_name"
                    label=t!("Display name")
                    hint=t!("How you tell this profile from others, for example “Contoso tenant”.")
                    error
                />
                <TextField
                    id="profile-client"
                    name="client_id"
                    label=t!("Application (client) ID")
                    hint=t!("In the Microsoft Entra admin center: App registrations, your app, Overview.")
                    mono=true
                    error
                />
                <TextField
                    id="profile-directory"
                    name="directory_id"
                    label=t!("Directory (tenant) ID")
                    hint=t!("On the same Overview page, one line below.")
                    mono=true
                    error
                />
                <SelectField
                    id="profile-cloud"
                    name="cloud"
                    label=t!("Microsoft cloud")
                    hint=t!("The one the app registration is in.")
                    options=Cloud::choices()
                    error
                />
                <SecretField
                    id="profile-secret"
                    name="client_secret"
                    label=t!("Client secret value")
                    hint=t!("Under Certificates & secrets: the Value, not the Secret ID. Entra shows it only once. Daybind stores it encrypted and never shows it again.")
                    error
                />
                <NoteField id="profile-note" error/>
                <p class="db-form__actions">
                    <Submit label=t!("Save profile") pending=create.pending()/>
                    <a class="db-btn db-btn--quiet" href=category_address("providers")>{t!("Cancel")}</a>
                </p>
            </ActionForm>
        </section>
    }
    .into_any()
}
