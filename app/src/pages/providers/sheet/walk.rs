//! The walkthrough to a new profile: six steps, each an address of its own, saved on the server as one goes.

use daybind_domain::Cloud;
use daybind_domain::profile_view::{DraftView, GuideView, ProfileDetailView};
use daybind_words::t;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use super::guides::{ApplicationUri, Scopes};
use super::parts::{Act, Copy, Send, Whose, address, entra};
use crate::api::profiles::BuildMicrosoftProfile;
use crate::pages::providers::standing;
use crate::pages::settings::category_address;
use crate::ui::{
    Banner, BannerKind, EmptyState, ErrorSummary, Failed, NoteField, PageHead, SecretField,
    SelectField, StatusTag, TextArea, TextField, message, ticked,
};

fn steps() -> [&'static str; 6] {
    [
        t!("What it is for"),
        t!("Register the app"),
        t!("Redirect URIs"),
        t!("IDs"),
        t!("Client secret"),
        t!("Permissions and verify"),
    ]
}

const FIELDS: &[(&str, &str)] = &[
    ("consumers", "for-msp_sso"),
    ("cloud", "new-cloud"),
    ("display_name", "new-name"),
    ("entered", "uri-0"),
    ("overview", "new-overview"),
    ("client_id", "new-client"),
    ("directory_id", "new-directory"),
    ("client_secret", "new-secret"),
    ("secret_expires_on", "new-expiry"),
];

fn step_address(step: u8) -> String {
    address("new", &format!("&panel={step}"))
}

/// The step the address names, but none that the answers so far do not lead to.
fn step_of(asked: &str, reached: u8) -> u8 {
    asked.parse().unwrap_or(reached).clamp(1, reached.max(1))
}

/// The page.
pub(super) fn page(
    draft: DraftView,
    made: Option<ProfileDetailView>,
    asked: &str,
    error: Failed,
) -> AnyView {
    let step = step_of(asked, draft.reached);
    if !draft.can_update {
        return view! {
            <PageHead title=t!("New profile")/>
            <EmptyState title=t!("Only administrators make profiles") text=t!("Ask one who may change system settings.")>
                <a class="db-btn" href=category_address("providers")>{t!("Back to Providers")}</a>
            </EmptyState>
        }
        .into_any();
    }
    let old = draft.old.clone().map(|when| {
        let title = t!("You began this on {when}.");
        view! {
            <Banner kind=BannerKind::Info title>
                <p>{t!("Entra may have changed since. Compare the values, or start over.")}</p>
            </Banner>
        }
    });
    let guides: Vec<GuideView> = draft
        .guides
        .iter()
        .filter(|guide| draft.consumers.contains(&guide.consumer))
        .cloned()
        .collect();
    let content = match (step, made) {
        (1, _) => view! { <Purpose draft=draft.clone() error/> }.into_any(),
        (2, _) => view! { <Register draft=draft.clone() error/> }.into_any(),
        (3, _) => view! { <Uris guides entered=draft.entered.clone() error/> }.into_any(),
        (4, _) => view! { <Ids draft=draft.clone() error/> }.into_any(),
        (6, Some(made)) => view! { <Finish made guides/> }.into_any(),
        _ => view! { <Secret draft=draft.clone() error/> }.into_any(),
    };
    let title = t!(
        "New profile: {}",
        steps()
            .get(usize::from(step) - 1)
            .copied()
            .unwrap_or_default()
    );
    view! {
        <p><a href=category_address("providers")>{t!("All profiles")}</a></p>
        <PageHead
            title
            lede=t!("Step {step} of 6. What you enter is kept; you can go on later.")
            lead=error.with_untracked(Option::is_none)
        />
        <Progress step reached=draft.reached/>
        {old}
        <ErrorSummary error fields=FIELDS/>
        {content}
        <Build act="close"><Send label=t!("Start over") look="quiet"/></Build>
    }
    .into_any()
}

#[component]
fn Progress(step: u8, reached: u8) -> impl IntoView {
    let items = (1_u8..)
        .zip(steps())
        .map(|(number, name)| {
            let current = (number == step).then_some("step");
            let done = number < reached && number != step;
            let text = view! {
                {name}
                {done.then(|| view! { <span class="db-visually-hidden">{t!(" (done)")}</span> })}
            };
            let text = if number <= reached {
                view! { <a href=step_address(number) aria-current=current>{text}</a> }.into_any()
            } else {
                text.into_any()
            };
            view! { <li class="db-stepper__step" data-state=done.then_some("done")>{text}</li> }
        })
        .collect_view();
    view! { <nav aria-label=t!("Steps")><ol class="db-stepper">{items}</ol></nav> }.into_any()
}

#[component]
fn Build(act: &'static str, children: Children) -> impl IntoView {
    view! {
        <form method="post" action=BuildMicrosoftProfile::url()>
            <input type="hidden" name="act" value=act/>
            {children()}
        </form>
    }
    .into_any()
}

#[component]
fn Purpose(draft: DraftView, error: Failed) -> impl IntoView {
    let chosen = ticked(error, "consumers", draft.consumers);
    let boxes = draft
        .guides
        .iter()
        .map(|guide| {
            let (id, help_id) = (
                format!("for-{}", guide.consumer),
                format!("for-{}-hint", guide.consumer),
            );
            let checked = chosen.contains(&guide.consumer);
            view! {
                <li>
                    <input id=id.clone() type="checkbox" name="consumers[]" value=guide.consumer.clone() checked=checked aria-describedby=help_id.clone()/>
                    <label for=id>{guide.label.clone()}</label>
                    <p class="db-field__hint" id=help_id>{guide.help.clone()}</p>
                </li>
            }
        })
        .collect_view();
    view! {
        <Build act="choose">
            <fieldset class="db-field">
                <legend class="db-field__label">{t!("What will use this profile?")}</legend>
                <p class="db-field__hint">{t!("The next steps show only what these need. Nothing is bound yet.")}</p>
                <ul class="db-checks">{boxes}</ul>
            </fieldset>
            <Send label=t!("Save and continue") look="primary"/>
        </Build>
    }
    .into_any()
}

#[component]
fn Register(draft: DraftView, error: Failed) -> impl IntoView {
    let name = if draft.display_name.is_empty() {
        "Daybind".to_owned()
    } else {
        draft.display_name.clone()
    };
    view! {
        <ol>
            <li>{t!("Open ")}<a href=entra(&draft.cloud) rel="external noreferrer">{t!("App registrations in the Microsoft Entra admin center")}</a>{t!(" and choose New registration.")}</li>
            <li>{t!("In another of Microsoft's clouds, open it ")}<a href=entra("us_gov_high") rel="external noreferrer">{t!("for the US Government")}</a>{t!(" or ")}<a href=entra("china") rel="external noreferrer">{t!("in China")}</a>{t!(" instead.")}</li>
            <li>{t!("Enter a name. Use the same one here, so that the two are found together.")}</li>
            <li>{t!("Supported account types: Accounts in this organizational directory only. Choose several directories only if people of other directories must sign in.")}</li>
            <li>{t!("Leave Redirect URI empty: the next step enters it. Choose Register.")}</li>
        </ol>
        <Copy label=t!("Suggested name") value=name.clone()/>
        <Build act="name">
            <TextField id="new-name" name="display_name" label=t!("Display name") hint=t!("As you entered it in Entra.") value=name error/>
            <SelectField
                id="new-cloud"
                name="cloud"
                label=t!("Microsoft cloud")
                hint=t!("The one you registered the app in. Each has accounts and addresses of its own; nothing goes to another.")
                options=Cloud::choices()
                selected=draft.cloud
                error
            />
            <Send label=t!("Save and continue") look="primary"/>
        </Build>
    }
    .into_any()
}

#[component]
fn Uris(guides: Vec<GuideView>, entered: Vec<String>, error: Failed) -> impl IntoView {
    let wrong = message(error, "entered");
    let entered = ticked(error, "entered", entered);
    let problems = guides
        .iter()
        .filter_map(|guide| guide.redirect_problem.clone())
        .take(1)
        .map(|title| view! { <Banner kind=BannerKind::Warning title></Banner> })
        .collect_view();
    let rows = guides
        .iter()
        .flat_map(|guide| {
            let label = guide.label.clone();
            guide.redirect_uris.iter().map(move |uri| (label.clone(), uri.clone()))
        })
        .enumerate()
        .map(|(n, (label, uri))| {
            let id = format!("uri-{n}");
            let checked = entered.contains(&uri);
            view! {
                <li>
                    <Copy label=t!("Redirect URI for {label}") value=uri.clone()/>
                    <input id=id.clone() type="checkbox" name="entered[]" value=uri checked=checked/>
                    <label for=id>{t!("Entered in Entra, for {label}")}</label>
                </li>
            }
        })
        .collect_view();
    view! {
        <p>{t!("In your app registration: Authentication > Add a platform > Web. Enter each of these exactly; upper and lower case count.")}</p>
        {problems}
        <Build act="uris">
            <fieldset class="db-field">
                <legend class="db-field__label">{t!("Redirect URIs")}</legend>
                {wrong.get_untracked().map(|text| view! { <p class="db-field__error">{text}</p> })}
                <ul class="db-checks">{rows}</ul>
            </fieldset>
            <Send label=t!("Save and continue") look="primary"/>
        </Build>
    }
    .into_any()
}

#[component]
fn Ids(draft: DraftView, error: Failed) -> impl IntoView {
    view! {
        <p>{t!("Open the app registration's Overview page. Copy both ids one by one, or the whole block with its labels.")}</p>
        <Build act="ids">
            <TextArea
                id="new-overview"
                name="overview"
                label=t!("The block from Overview")
                hint=t!("Daybind finds the ids in it by their labels and leaves the Object ID alone. Fields below that are filled count instead.")
                error
            />
            <TextField id="new-client" name="client_id" label=t!("Application (client) ID") value=draft.client_id mono=true optional=true error/>
            <TextField
                id="new-directory"
                name="directory_id"
                label=t!("Directory (tenant) ID")
                hint=t!("Daybind asks Microsoft whether the directory exists.")
                value=draft.directory_id
                mono=true
                optional=true
                error
            />
            <Send label=t!("Check and continue") look="primary"/>
        </Build>
    }
    .into_any()
}

#[component]
fn Secret(draft: DraftView, error: Failed) -> impl IntoView {
    if let Some(id) = draft.profile_id {
        return view! {
            <p>{t!("The profile is saved with its secret.")}</p>
            <p><a class="db-btn" href=address(&id, "&panel=rotate")>{t!("Rotate secret")}</a></p>
            <p><a class="db-btn db-btn--primary" href=step_address(6)>{t!("Continue")}</a></p>
        }
        .into_any();
    }
    view! {
        {draft.directory_note.map(|title| view! { <Banner kind=BannerKind::Info title></Banner> })}
        <p>{t!("In your app registration: Certificates & secrets > New client secret > Add. Copy the Value at once; Entra shows it only now. The Secret ID beside it is something else.")}</p>
        <Build act="secret">
            <Whose name=draft.display_name/>
            <SecretField id="new-secret" name="client_secret" label=t!("Client secret value") hint=t!("Stored encrypted and never shown again.") error/>
            <TextField
                id="new-expiry"
                name="secret_expires_on"
                label=t!("Expires on")
                kind="date"
                hint=t!("As Entra shows it. Daybind warns 60, 30, 14, 7 and 1 days before.")
                optional=true
                error
            />
            <NoteField id="new-note" error/>
            <Send label=t!("Save the profile") look="primary"/>
        </Build>
    }
    .into_any()
}

#[component]
fn Finish(made: ProfileDetailView, guides: Vec<GuideView>) -> impl IntoView {
    let id = made.profile.profile_id.clone();
    let permissions = guides
        .iter()
        .map(|guide| view! { <Scopes guide=guide.clone()/><ApplicationUri guide=guide.clone()/> })
        .collect_view();
    let binds = guides
        .iter()
        .filter(|guide| !made.bound.iter().any(|(consumer, _)| *consumer == guide.consumer))
        .map(|guide| {
            let href = format!(
                "{}&rebind={}&to={id}",
                category_address("providers"),
                guide.consumer
            );
            view! { <li><a class="db-btn" href=href>{t!("Review and use it for {}", guide.label)}</a></li> }
        })
        .collect_view();
    view! {
        <p>{t!("In your app registration: API permissions > Add a permission > Microsoft Graph > Delegated permissions. Then choose Grant admin consent.")}</p>
        {permissions}
        <h2>{t!("Verify")}</h2>
        <p><StatusTag kind=standing(made.profile.standing) text=made.profile.verified.unwrap_or_default()/></p>
        <Act act="verify" id=id.clone()><Send label=t!("Verify now") look="primary"/></Act>
        <h2>{t!("Bind")}</h2>
        <p>{t!("No service uses the profile until you say so.")}</p>
        <ul>{binds}</ul>
        <Build act="close"><Send label=t!("Finish")/></Build>
        <p><a href=address(&id, "")>{t!("Open the profile")}</a></p>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_leads_no_further_than_the_answers() {
        assert_eq!(step_of("6", 3), 3);
        assert_eq!(step_of("2", 3), 2);
        assert_eq!(step_of("", 3), 3);
        assert_eq!(step_of("0", 3), 1);
        assert_eq!(step_of("nonsense", 1), 1);
    }
}
