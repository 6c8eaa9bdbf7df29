//! One profile.

use daybind_domain::Cloud;
use daybind_domain::profile_view::ProfileDetailView;
use daybind_words::t;
use leptos::prelude::*;

use super::Asked;
use super::checks::Checks;
use super::guides::Guides;
use super::parts::{Act, Note, Send, address};
use super::secrets::Secrets;
use crate::pages::providers::standing;
use crate::pages::settings::category_address;
use crate::ui::{
    Announcement, Banner, BannerKind, ErrorSummary, Failed, PageHead, Section, SelectField,
    StatusTag, TextField,
};

const FIELDS: &[(&str, &str)] = &[
    ("display_name", "edit-name"),
    ("client_id", "edit-client"),
    ("directory_id", "edit-directory"),
    ("cloud", "edit-cloud"),
    ("confirm_name", "confirm-name"),
    ("overlap_hours", "overlap"),
    ("client_secret", "new-secret"),
];

/// The page.
pub(super) fn page(view: ProfileDetailView, asked: &Asked, error: Failed) -> AnyView {
    let id = view.profile.profile_id.clone();
    let here = match asked.panel.as_str() {
        "verify" | "rotate" => format!("&panel={}", asked.panel),
        _ => String::new(),
    };
    let announcement =
        said(&asked.saved).map(|text| view! { <Announcement text dismiss=address(&id, &here)/> });
    let content = match asked.panel.as_str() {
        "verify" => view! { <Checks view=view.clone() asked=asked.clone()/> }.into_any(),
        "rotate" => view! { <Secrets view=view.clone() rotate=true error/> }.into_any(),
        _ => view! { <Whole view=view.clone() asked=asked.clone() error/> }.into_any(),
    };
    let back = if here.is_empty() {
        view! { <a href=category_address("providers")>{t!("All profiles")}</a> }.into_any()
    } else {
        view! { <a href=address(&id, "")>{t!("Back to {}", view.profile.display_name)}</a> }
            .into_any()
    };
    view! {
        <p>{back}</p>
        <PageHead title=view.profile.display_name.clone() lead=error.with_untracked(Option::is_none)/>
        {announcement}
        <ErrorSummary error fields=FIELDS/>
        {content}
    }
    .into_any()
}

fn said(saved: &str) -> Option<&'static str> {
    Some(match saved {
        "updated" => t!("The changes are saved."),
        "archived" => t!("The profile is archived. It keeps its data and can be restored."),
        "restored" => t!("The profile is active again."),
        "verified" => t!("Microsoft was asked. The results are below."),
        "sign_in_tested" => t!("The test sign-in came back. Its result is below."),
        "staged" => {
            t!("The new secret is kept beside the one in use. Nothing has changed for any service.")
        }
        "accepted" => t!("Microsoft accepted the new secret."),
        "switched" => {
            t!(
                "The new secret is in use. You can go back to the previous one until it is destroyed."
            )
        }
        "switched_back" => t!("The previous secret is in use again."),
        "destroyed" => t!("The secret is destroyed."),
        _ => return None,
    })
}

#[component]
fn Whole(view: ProfileDetailView, asked: Asked, error: Failed) -> impl IntoView {
    let profile = view.profile.clone();
    let twins = (!view.twins.is_empty()).then(|| {
        let title = t!(
            "Another profile has the same Application (client) ID and Directory (tenant) ID: {}.",
            view.twins.join(", ")
        );
        view! { <Banner kind=BannerKind::Warning title><p>{t!("Two profiles of one application share its secrets in Entra. One is usually enough.")}</p></Banner> }
    });
    let used = if view.bound.is_empty() {
        view! { <p>{t!("No service uses this profile.")}</p> }.into_any()
    } else {
        let items = view
            .bound
            .iter()
            .map(|(consumer, label)| {
                let href = format!("{}#binding-{consumer}", category_address("providers"));
                view! { <li><a href=href>{label.clone()}</a></li> }
            })
            .collect_view();
        view! { <ul>{items}</ul> }.into_any()
    };
    let history = view
        .history
        .iter()
        .map(|line| view! { <li>{line.clone()}</li> })
        .collect_view();
    let guides = view.guides.clone();
    let log = format!(
        "/msp/operations?view=audit&subject=microsoft_profile:{}",
        profile.profile_id
    );
    view! {
        <p><StatusTag kind=standing(profile.standing) text=profile.verified.clone().unwrap_or_default()/></p>
        {twins}
        <Needs view=view.clone()/>
        <Identity view=view.clone() error/>
        <Secrets view=view.clone() rotate=false error/>
        <Checks view=view.clone() asked/>
        <Section title=t!("Used by") id="used-heading">{used}</Section>
        <Section title=t!("What to enter in Entra") id="entra-heading">
            <Guides guides/>
        </Section>
        <Leave view=view.clone() error/>
        <Section title=t!("History") id="history-heading">
            <ul>{history}</ul>
            <p><a href=log>{t!("Every change in the audit log")}</a></p>
        </Section>
    }
    .into_any()
}

/// Readiness, explained: what is missing, for whom, and what to do.
#[component]
fn Needs(view: ProfileDetailView) -> impl IntoView {
    let content = if view.needs.is_empty() {
        view! { <p>{t!("Nothing is missing. Verify says whether Microsoft agrees.")}</p> }
            .into_any()
    } else {
        let items = view
            .needs
            .into_iter()
            .map(|need| {
                let who = need.consumer.unwrap_or_else(|| t!("Every service").to_owned());
                let word = if need.blocks { t!("Blocks") } else { t!("Warning") };
                view! { <li><strong>{format!("{word} · {who}: ")}</strong>{need.what}". "{need.remedy}</li> }
            })
            .collect_view();
        view! { <ul>{items}</ul> }.into_any()
    };
    view! { <Section title=t!("Readiness") id="needs-heading">{content}</Section> }.into_any()
}

#[component]
fn Identity(view: ProfileDetailView, error: Failed) -> impl IntoView {
    let profile = view.profile;
    let expires_on = view.secret.map(|secret| secret.expires_on);
    let content = if view.can_update && !profile.archived {
        view! {
            <Act act="update" id=profile.profile_id version=profile.version>
                <TextField id="edit-name" name="display_name" label=t!("Display name") value=profile.display_name error/>
                <TextField
                    id="edit-client"
                    name="client_id"
                    label=t!("Application (client) ID")
                    hint=t!("On the app registration's Overview page.")
                    value=profile.client_id
                    mono=true
                    error
                />
                <TextField
                    id="edit-directory"
                    name="directory_id"
                    label=t!("Directory (tenant) ID")
                    hint=t!("The GUID from the same page, or one of the directory's verified domains.")
                    value=profile.directory_id
                    mono=true
                    error
                />
                <SelectField
                    id="edit-cloud"
                    name="cloud"
                    label=t!("Microsoft cloud")
                    hint=t!("The one the app registration is in. What was issued in another one has to be connected again.")
                    options=Cloud::choices()
                    selected=view.cloud
                    error
                />
                {expires_on.map(|value| view! {
                    <TextField
                        id="edit-expiry"
                        name="secret_expires_on"
                        label=t!("Client secret expires on")
                        kind="date"
                        value
                        optional=true
                        error
                    />
                })}
                <Note act="update" error/>
                <Send label=t!("Save changes") look="primary"/>
            </Act>
        }
        .into_any()
    } else {
        view! {
            <dl class="db-facts">
                <dt>{t!("Application (client) ID")}</dt>
                <dd><code>{profile.client_id}</code></dd>
                <dt>{t!("Directory (tenant) ID")}</dt>
                <dd><code>{profile.directory_id}</code></dd>
                <dt>{t!("Microsoft cloud")}</dt>
                <dd>{Cloud::parse(&view.cloud).unwrap_or_default().label()}</dd>
            </dl>
        }
        .into_any()
    };
    view! { <Section title=t!("Identity") id="identity-heading">{content}</Section> }.into_any()
}

/// Archive, restore, delete. While something uses the profile there is no button at all, only who and where.
#[component]
fn Leave(view: ProfileDetailView, error: Failed) -> impl IntoView {
    let profile = view.profile;
    let (id, version) = (profile.profile_id, profile.version);
    if !view.can_update {
        return ().into_any();
    }
    let content = if let Some(reason) = view.in_use {
        view! {
            <p>{t!("This profile can be neither archived nor deleted. ")}{reason}</p>
            <p><a href=category_address("providers")>{t!("Choose another profile for it")}</a></p>
        }
        .into_any()
    } else {
        let keep = if profile.archived {
            view! { <Act act="restore" id=id.clone() version><Note act="restore" error/><Send label=t!("Restore profile") look="primary"/></Act> }
                .into_any()
        } else {
            view! {
                <p>{t!("An archived profile keeps its data and can be restored, but no service can use it.")}</p>
                <Act act="archive" id=id.clone() version><Note act="archive" error/><Send label=t!("Archive profile")/></Act>
            }
            .into_any()
        };
        view! {
            {keep}
            <h3>{t!("Delete for good")}</h3>
            <p>{t!("The profile and its secrets are destroyed. The app registration in Entra stays.")}</p>
            <Act act="delete" id version>
                <TextField
                    id="confirm-name"
                    name="confirm_name"
                    label=t!("Type {} to confirm", profile.display_name)
                    error
                />
                <Note act="delete" error/>
                <Send label=t!("Delete profile") look="danger"/>
            </Act>
        }
        .into_any()
    };
    view! { <Section title=t!("Archive and delete") id="leave-heading">{content}</Section> }
        .into_any()
}
