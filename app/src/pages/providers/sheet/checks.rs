//! The verify panel: each step, how it stands, why, and where in Entra to mend it.

use daybind_domain::profile_view::{CheckView, ProfileDetailView};
use daybind_services::verify::look_up;
use daybind_words::t;
use leptos::prelude::*;

use super::Asked;
use super::parts::{Act, Send, entra};
use crate::pages::providers::standing;
use crate::ui::{Banner, BannerKind, Section, StatusTag};

/// The panel.
#[component]
pub(super) fn Checks(
    /// The profile.
    view: ProfileDetailView,
    /// With a number to be explained, perhaps.
    asked: Asked,
) -> impl IntoView {
    let id = view.profile.profile_id.clone();
    let may = view.can_update && !view.profile.archived;
    let tests = may && view.checks.iter().any(|check| check.sign_in.is_some());
    let rows = view
        .checks
        .into_iter()
        .map(|check| {
            let test = check.sign_in.clone().filter(|_| may);
            view! { <Line check cloud=view.cloud.clone() id=id.clone() test/> }
        })
        .collect_view();
    let hint = tests.then(|| {
        view! {
            <p>{t!("A test sign-in goes to Microsoft and back with an account of yours. It signs nobody in and keeps nothing but how it ended. If Microsoft shows an error page instead of coming back, have its number explained below.")}</p>
        }
    });
    let run = may.then(|| {
        view! {
            <Act act="verify" id=id.clone()>
                <Send label=t!("Verify now") look="primary"/>
            </Act>
        }
    });
    view! {
        <Section title=t!("Verify") id="verify-heading">
            <p>{t!("Daybind asks Microsoft itself. What nobody has tried says so: a token proves ids and secret, not redirect URIs and consent.")}</p>
            <table class="db-table" aria-labelledby="verify-heading">
                <thead>
                    <tr>
                        <th scope="col">{t!("Check")}</th>
                        <th scope="col">{t!("Status")}</th>
                        <th scope="col">{t!("Cause and next step")}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
            {hint}
            {run}
            <LookUp id number=asked.number/>
        </Section>
    }
    .into_any()
}

#[component]
fn Line(
    check: CheckView,
    /// Stored name of the profile's cloud.
    cloud: String,
    /// The profile.
    id: String,
    /// The consumer a test sign-in can be started for.
    test: Option<String>,
) -> impl IntoView {
    let place = check.place.map(|place| {
        view! { <p>{t!("In ")}<a href=entra(&cloud) rel="external noreferrer">"Entra"</a>": "{place}</p> }
    });
    let more = check.more.map(|href| {
        view! { <p><a href=href rel="external noreferrer">{t!("Microsoft's page about this number")}</a></p> }
    });
    let ids = check
        .ids
        .into_iter()
        .map(|(name, value)| view! { <dt>{name}</dt><dd><code>{value}</code></dd> })
        .collect::<Vec<_>>();
    let ids = (!ids.is_empty()).then(|| view! { <dl class="db-facts">{ids}</dl> });
    let name = check.title.clone();
    let test = test.map(|consumer| {
        view! {
            <Act act="test_sign_in" id>
                <input type="hidden" name="which" value=consumer/>
                <Send label=name/>
            </Act>
        }
    });
    view! {
        <tr id=format!("check-{}", check.name)>
            <th scope="row">{check.title}</th>
            <td data-label=t!("Status")>
                <StatusTag kind=standing(check.standing)/>
                {check.when.map(|text| view! { <p class="db-field__hint">{text}</p> })}
            </td>
            <td data-label=t!("Cause and next step")>
                <p>{check.text}</p>
                {check.next_step.map(|text| view! { <p>{text}</p> })}
                {place}
                {ids}
                {more}
                {test}
            </td>
        </tr>
    }
    .into_any()
}

/// Whoever saw an error page of Microsoft's can have its number explained.
#[component]
fn LookUp(id: String, number: String) -> impl IntoView {
    let answer = (!number.is_empty()).then(|| look_up(&number));
    let (told, wrong) = match answer {
        None => (None, None),
        Some(Ok(words)) => (Some(words), None),
        Some(Err(error)) => (
            None,
            Some(error.field_message("number").unwrap_or(error.message)),
        ),
    };
    let told = told.map(|(number, words)| {
        let place =
            (!words.place.is_empty()).then(|| view! { <p>{t!("In Entra: ")}{words.place}</p> });
        view! {
            <Banner kind=BannerKind::Info title=t!("AADSTS{number}: {}", words.meaning)>
                <p>{words.next_step}</p>
                {place}
            </Banner>
        }
    });
    let refused = wrong.is_some();
    let described = if refused {
        "aadsts-hint number-error"
    } else {
        "aadsts-hint"
    };
    let invalid = refused.then_some("true");
    view! {
        <form method="get" action="/msp/settings">
            <input type="hidden" name="tab" value="integrations"/>
            <input type="hidden" name="category" value="providers"/>
            <input type="hidden" name="profile" value=id/>
            <input type="hidden" name="panel" value="verify"/>
            <div class="db-field" class:db-field--error=refused>
                <label class="db-field__label" for="aadsts">{t!("A number from Microsoft's error page")}</label>
                <p class="db-field__hint" id="aadsts-hint">{t!("For example AADSTS50011. Daybind says what it means and where to mend it.")}</p>
                {wrong.map(|text| view! { <p role="alert" class="db-field__error" id="number-error">{text}</p> })}
                <input class="db-input db-input--mono" id="aadsts" name="number" value=number aria-describedby=described aria-invalid=invalid autocomplete="off"/>
            </div>
            <Send label=t!("Explain")/>
        </form>
        {told}
    }
    .into_any()
}
