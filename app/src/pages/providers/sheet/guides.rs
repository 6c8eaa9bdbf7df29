//! What to enter in Entra, for each consumer of the edition.

use daybind_domain::profile_view::GuideView;
use daybind_words::t;
use leptos::prelude::*;

use super::parts::Copy;
use crate::ui::{Banner, BannerKind};

/// Redirect URIs, permissions with their reasons, and the Application ID URI.
#[component]
pub(super) fn Guides(
    /// One for each consumer.
    guides: Vec<GuideView>,
) -> impl IntoView {
    guides
        .into_iter()
        .map(|guide| {
            let label = guide.label.clone();
            let heading = format!("guide-{}", guide.consumer);
            let labelled = heading.clone();
            view! {
                <section class="db-section" aria-labelledby=labelled>
                    <h3 id=heading>{label}</h3>
                    <p>{guide.help.clone()}</p>
                    {guide.redirect_problem.clone().map(|text| view! {
                        <Banner kind=BannerKind::Warning title=text></Banner>
                    })}
                    <Uris guide=guide.clone()/>
                    <p class="db-field__hint">{t!("In Entra: Authentication > Add a platform > Web.")}</p>
                    <Scopes guide=guide.clone()/>
                    <ApplicationUri guide/>
                </section>
            }
        })
        .collect_view()
        .into_any()
}

#[component]
fn Uris(guide: GuideView) -> impl IntoView {
    let label = t!("Redirect URI for {}", guide.label);
    guide
        .redirect_uris
        .into_iter()
        .map(|value| view! { <Copy label=label.clone() value/> })
        .collect_view()
}

/// Permissions, each with its reason.
#[component]
pub(super) fn Scopes(
    /// Whose.
    guide: GuideView,
) -> impl IntoView {
    let label = t!("Delegated permissions for {}", guide.label);
    let rows = guide
        .scopes
        .into_iter()
        .map(|scope| {
            view! {
                <tr>
                    <th scope="row"><code>{scope.name}</code></th>
                    <td data-label=t!("Why")>{scope.reason}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <table class="db-table" aria-label=label>
            <thead><tr><th scope="col">{t!("Delegated permission")}</th><th scope="col">{t!("Why")}</th></tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
}

/// The Application ID URI, or what it needs.
#[component]
pub(super) fn ApplicationUri(
    /// Whose.
    guide: GuideView,
) -> impl IntoView {
    let label = t!("Application ID URI for {}", guide.label);
    guide.application_uri.map(|uri| {
        let value = match uri.value {
            Some(value) => view! { <Copy label value/> }.into_any(),
            None => view! { <p>{label}{t!(": not available yet")}</p> }.into_any(),
        };
        view! {
            {value}
            <p class="db-field__hint">{uri.note}</p>
        }
    })
}
