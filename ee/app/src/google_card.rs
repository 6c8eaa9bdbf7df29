//! The tenant's own Google OAuth client, on the Providers page.

use daybind_app::api::calendar::{SaveGoogleClient, get_google_client};
use daybind_app::pages::failure::Failure;
use daybind_app::ui::{
    Banner, BannerKind, CopyField, ErrorSummary, SecretField, Section, StatusKind, StatusTag,
    Submit, TextField, failed, successes,
};
use daybind_domain::view::GoogleClientView;
use daybind_words::t;
use leptos::prelude::*;

const FIELDS: &[(&str, &str)] = &[
    ("client_id", "google-client"),
    ("client_secret", "google-secret"),
];

/// What is stored, and the form that replaces it. Loads again after a success only: a refusal keeps what was typed.
#[component]
pub fn GoogleCard() -> impl IntoView {
    let save = ServerAction::<SaveGoogleClient>::new();
    let saved = successes(save);
    let client = Resource::new(move || saved.get(), |_| get_google_client());
    view! {
        <Section title="Google" id="google-heading">
            <p>{t!("Technicians connect Google Calendar through your own OAuth client. Only Calendar uses it.")}</p>
            <ErrorSummary error=failed(save) fields=FIELDS/>
            <Transition fallback=|| view! { <p>{t!("Loading the OAuth client …")}</p> }>
                {move || Suspend::new(async move {
                    match client.await {
                        Ok(client) => view! { <Client client save/> }.into_any(),
                        Err(error) => view! { <Failure error/> }.into_any(),
                    }
                })}
            </Transition>
        </Section>
    }
    .into_any()
}

#[component]
fn Client(client: GoogleClientView, save: ServerAction<SaveGoogleClient>) -> impl IntoView {
    // Stored is not proven: only somebody's sign-in tests a client.
    let kind = if client.client_id.is_empty() || client.secret_hint.is_none() {
        StatusKind::NeedsYou
    } else {
        StatusKind::NotTested
    };
    let stored = client.secret_hint.is_some();
    let secret = client.secret_hint.unwrap_or_else(|| t!("None").to_owned());
    let shown = if client.client_id.is_empty() {
        t!("None").to_owned()
    } else {
        client.client_id.clone()
    };
    let form = if client.can_update {
        let error = failed(save);
        view! {
            <ActionForm action=save>
                <TextField
                    mono=true
                    id="google-client"
                    name="client_id"
                    label=t!("Client ID")
                    hint=t!("In the Google Cloud console: Google Auth Platform, Clients, a client of type Web application.")
                    value=client.client_id
                    error
                />
                <SecretField
                    id="google-secret"
                    name="client_secret"
                    label=t!("Client secret")
                    hint=t!("Leave it empty to keep the stored one. Daybind stores it encrypted and never shows it again.")
                    optional=stored
                    error
                />
                <p class="db-form__actions"><Submit label=t!("Save Google client") pending=save.pending()/></p>
            </ActionForm>
        }
        .into_any()
    } else {
        view! {
            <Banner kind=BannerKind::Info title=t!("You can read this but not change it.")>
                <p>{t!("Ask an administrator who may change system settings.")}</p>
            </Banner>
        }
        .into_any()
    };
    view! {
        <dl class="db-facts">
            <dt>{t!("Status")}</dt>
            <dd><StatusTag kind/></dd>
            <dt>{t!("Client ID")}</dt>
            <dd><code>{shown}</code></dd>
            <dt>{t!("Client secret")}</dt>
            <dd>{secret}</dd>
        </dl>
        <CopyField label=t!("Authorized redirect URI, to enter in the Google Cloud console") value=client.redirect_uri/>
        {form}
    }
    .into_any()
}
