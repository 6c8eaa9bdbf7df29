//! The search: pages, what can be done there, and records, as one list of links.

use daybind_domain::search::{SearchGroup, SearchHit, SearchView};
use daybind_words::t;
use leptos::prelude::*;
use leptos_meta::Title;

use super::failure::Failure;
use super::query_value;
use crate::api::search::search;
use crate::ui::{EmptyState, PageHead};

/// The page, for its route.
#[must_use]
pub fn page() -> AnyView {
    view! { <SearchPage/> }.into_any()
}

/// `/msp/search`: `q` is what is looked for. Without it, every page that can be opened is listed.
#[component]
fn SearchPage() -> impl IntoView {
    let asked = query_value("q");
    let found = Resource::new(move || asked.get(), search);
    view! {
        <Title text=t!("Search · Daybind")/>
        <PageHead title=t!("Search") lede=t!("Everything here that you may open, by any part of its name, address or id.")/>
        // A plain form: what was found has an address.
        <form class="db-inline-form" method="get" action="/msp/search" role="search" aria-label=t!("Search")>
            <div class="db-field">
                <label for="search-q" class="db-field__label">{t!("Search for")}</label>
                <input
                    class="db-input"
                    id="search-q"
                    name="q"
                    type="search"
                    value=move || asked.get()
                    autocomplete="off"
                    spellcheck="false"
                />
            </div>
            <div class="db-actions">
                <button type="submit" class="db-btn db-btn--secondary">{t!("verb" => "Search")}</button>
            </div>
        </form>
        <Suspense fallback=|| view! { <p>{t!("Searching …")}</p> }>
            {move || Suspend::new(async move {
                match found.await {
                    Ok(view) => results(view),
                    Err(error) => view! { <Failure error/> }.into_any(),
                }
            })}
        </Suspense>
    }
    .into_any()
}

fn results(view: SearchView) -> AnyView {
    if view.groups.is_empty() {
        return view! {
            <EmptyState title=view.told text=t!("Every word must be in it: try fewer words, or less of one.")/>
        }
        .into_any();
    }
    let told = (!view.told.is_empty()).then(|| view! { <p>{view.told}</p> });
    let groups: Vec<_> = view.groups.into_iter().map(group).collect();
    view! { {told} <div class="db-search">{groups}</div> }.into_any()
}

fn group(group: SearchGroup) -> AnyView {
    let hits: Vec<_> = group.hits.into_iter().map(hit).collect();
    let name = group.title.clone();
    view! {
        <section class="db-section" aria-label=name>
            <h2 class="db-section__title">{group.title}</h2>
            <ul class="db-search__hits">{hits}</ul>
        </section>
    }
    .into_any()
}

fn hit(hit: SearchHit) -> AnyView {
    let detail = (!hit.detail.is_empty())
        .then(|| view! { " " <span class="db-search__detail">{hit.detail}</span> });
    view! {
        <li>
            <a href=hit.href>{hit.title}</a>
            {detail}
        </li>
    }
    .into_any()
}
