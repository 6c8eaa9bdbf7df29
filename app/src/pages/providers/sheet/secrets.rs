//! The client secret: the one in use, the one that waits, the one before, and the forms of a rollover.

use daybind_domain::profile_view::{ProfileDetailView, SecretView};
use daybind_services::profiles::secrets::{OVERLAP_CHOICES, OVERLAP_HOURS};
use daybind_words::t;
use leptos::prelude::*;

use super::parts::{Act, Note, Send, Whose, address};
use crate::ui::{Banner, BannerKind, Failed, SecretField, Section, SelectField, TextField, Why};

/// The secret in use and, in the panel `rotate`, everything that changes it.
#[component]
pub(super) fn Secrets(
    /// The profile.
    view: ProfileDetailView,
    /// Shows the forms.
    rotate: bool,
    /// What went wrong.
    error: Failed,
) -> impl IntoView {
    let id = view.profile.profile_id.clone();
    let may = view.can_update && !view.profile.archived;
    let warning = view.secret.as_ref().filter(|secret| secret.warns).map(|secret| {
        let title = t!("The client secret needs a successor. {}.", secret.expires);
        view! { <Banner kind=BannerKind::Warning title><p>{t!("Create a new one in Entra and rotate it here before then.")}</p></Banner> }
    });
    let current = match view.secret.clone() {
        Some(secret) => view! { <Facts secret/> }.into_any(),
        None => view! { <p>{t!("No client secret is stored. Without one no service can use this profile.")}</p> }.into_any(),
    };
    let open = (may && !rotate).then(|| {
        let label = if view.secret.is_some() {
            t!("Rotate secret")
        } else {
            t!("Add secret")
        };
        view! { <p><a class="db-btn" href=address(&id, "&panel=rotate")>{label}</a></p> }
    });
    let waiting = view.next.clone().map(|secret| {
        view! { <Waiting secret id=id.clone() version=view.profile.version may error/> }
    });
    let before = view.previous.clone().map(|secret| {
        view! { <Before secret id=id.clone() version=view.profile.version may/> }
    });
    let stage = (may && rotate).then(|| {
        let name = view.profile.display_name.clone();
        view! { <Stage id=id.clone() name again=view.next.is_some() error/> }
    });
    view! {
        <Section title=t!("Client secret") id="secret-heading">
            {warning}
            {current}
            {open}
            {waiting}
            {before}
            {stage}
        </Section>
    }
    .into_any()
}

#[component]
fn Facts(secret: SecretView) -> impl IntoView {
    view! {
        <dl class="db-facts">
            <dt>{t!("Value")}</dt>
            <dd><code>{secret.hint}</code>{t!(" (stored encrypted, never shown)")}</dd>
            <dt>{t!("Added")}</dt>
            <dd>{secret.added}</dd>
            <dt>{t!("Expiry")}</dt>
            <dd>{secret.expires}</dd>
            {secret.note.map(|text| view! { <dt>{t!("Note")}</dt><dd>{text}</dd> })}
        </dl>
    }
    .into_any()
}

#[component]
fn Waiting(
    secret: SecretView,
    id: String,
    version: i64,
    may: bool,
    error: Failed,
) -> impl IntoView {
    let next = if secret.usable {
        let options = OVERLAP_CHOICES
            .iter()
            .map(|hours| {
                let text = match hours {
                    1 => t!("1 hour").to_owned(),
                    24 => t!("1 day").to_owned(),
                    hours => t!("{} days", hours / 24),
                };
                (hours.to_string(), text)
            })
            .collect();
        view! {
            <Act act="switch" id=id.clone() version>
                <SelectField
                    id="overlap"
                    name="overlap_hours"
                    label=t!("Keep the previous secret for")
                    hint=t!("Until then one click goes back to it. Then it is destroyed.")
                    options
                    selected=OVERLAP_HOURS.to_string()
                    error
                />
                <Note act="switch" error/>
                <Send label=t!("Switch to the new secret now") look="primary"/>
            </Act>
        }
        .into_any()
    } else {
        view! { <Act act="verify_next" id=id.clone()><Send label=t!("Verify the new secret") look="primary"/></Act> }
            .into_any()
    };
    view! {
        <h3>{t!("New secret, not in use yet")}</h3>
        <Facts secret/>
        {may.then(|| view! {
            {next}
            <Act act="discard" id>
                <input type="hidden" name="which" value="next"/>
                <Send label=t!("Destroy the new secret") look="danger"/>
                <Why id="why-discard-next"/>
            </Act>
        })}
    }
    .into_any()
}

#[component]
fn Before(secret: SecretView, id: String, version: i64, may: bool) -> impl IntoView {
    view! {
        <h3>{t!("Previous secret")}</h3>
        <Facts secret/>
        {may.then(|| view! {
            <Act act="switch_back" id=id.clone() version><Send label=t!("Go back to the previous secret")/><Why id="why-switch-back"/></Act>
            <Act act="discard" id>
                <input type="hidden" name="which" value="previous"/>
                <Send label=t!("Destroy the previous secret") look="danger"/>
                <Why id="why-discard-previous"/>
            </Act>
        })}
    }
    .into_any()
}

#[component]
fn Stage(id: String, name: String, again: bool, error: Failed) -> impl IntoView {
    let note = if again {
        t!("Another value takes the place of the one that waits.")
    } else {
        t!(
            "Daybind asks Microsoft about it first. The secret in use stays in use until you switch."
        )
    };
    view! {
        <h3>{t!("Bring in a new secret")}</h3>
        <p>{note}</p>
        <Act act="stage" id>
            <Whose name/>
            <SecretField
                id="new-secret"
                name="client_secret"
                label=t!("Client secret value")
                hint=t!("In Entra: Certificates & secrets > New client secret. Copy the Value, not the Secret ID.")
                error
            />
            <TextField
                id="new-expiry"
                name="secret_expires_on"
                label=t!("Expires on")
                kind="date"
                hint=t!("As Entra shows it. Daybind warns 60, 30, 14, 7 and 1 days before.")
                optional=true
                error
            />
            <Note act="stage" error/>
            <Send label=t!("Verify and keep beside the current one") look="primary"/>
        </Act>
    }
    .into_any()
}
