//! Why did this change? The list below an entry's form.

use daybind_app::api::calendar::get_schedule_entry_history;
use daybind_app::pages::failure::Failure;
use daybind_app::ui::CopyField;
use daybind_domain::view::{EntryHistoryItem, EntryHistoryView};
use daybind_words::t;
use leptos::prelude::*;

/// What happened to an entry, newest first.
#[component]
pub fn EntryHistory(entry_id: String) -> impl IntoView {
    let id = entry_id.clone();
    let found = Resource::new(move || entry_id.clone(), get_schedule_entry_history);
    view! {
        <section class="db-history" aria-labelledby="history-heading">
            <h2 id="history-heading">{t!("Why did this change?")}</h2>
            <Suspense fallback=|| view! { <p>{t!("Loading the history …")}</p> }>
                {move || {
                    let id = id.clone();
                    Suspend::new(async move {
                    match found.await {
                        Ok(history) => told(history, &id),
                        Err(error) => view! { <Failure error/> }.into_any(),
                    }
                })}}
            </Suspense>
        </section>
    }
    .into_any()
}

fn told(history: EntryHistoryView, entry_id: &str) -> AnyView {
    let kept = t!("Kept for {} days.", history.kept_days);
    if history.items.is_empty() {
        return view! { <p>{t!("Nothing has happened to it yet that is still on record. ")}{kept}</p> }
            .into_any();
    }
    let more = history.more.then_some(t!("There was more before. "));
    let items: Vec<_> = history
        .items
        .into_iter()
        .map(|one| {
            let restore = restore(entry_id, &one);
            item(one, None, restore)
        })
        .collect();
    let deleted = history
        .deleted
        .then(|| view! { <p>{t!("The entry is deleted. Restore a version to have it back.")}</p> });
    view! {
        {deleted}
        <ol class="db-history__list">{items}</ol>
        <p class="db-history__kept">{more}{kept}</p>
        <details class="db-disclosure">
            <summary>{t!("Copy as text for a ticket")}</summary>
            <CopyField label=t!("Text for a ticket") value=history.as_text lines=true/>
        </details>
    }
    .into_any()
}

/// The way to restore what the entry said from then on.
fn restore(entry_id: &str, item: &EntryHistoryItem) -> Option<AnyView> {
    (!item.version_id.is_empty()).then(|| {
        let href = format!("/msp/schedule?entry={entry_id}&version={}", item.version_id);
        let of = item.at.clone();
        view! {
            <p>
                <a href=href>{t!("Restore this version")}<span class="db-visually-hidden">": "{of}</span></a>
            </p>
        }
        .into_any()
    })
}

/// One thing that happened; `about` says to what, where that is not said around it, and `then` is what can be done with it.
pub fn item(item: EntryHistoryItem, about: Option<AnyView>, then: Option<AnyView>) -> AnyView {
    let lane = match item.side.as_str() {
        "schedule" => t!("Schedule"),
        "calendar" => t!("Calendar"),
        _ => t!("Nothing changed"),
    };
    let fields: Vec<_> = item
        .fields
        .into_iter()
        .map(|field| {
            let before = if field.before.is_empty() {
                t!("nothing").to_owned()
            } else {
                field.before
            };
            let after = if field.after.is_empty() {
                t!("nothing").to_owned()
            } else {
                field.after
            };
            view! {
                <li>
                    {field.field}": "<del>{before}</del>" "<span aria-hidden="true">"→"</span>
                    <span class="db-visually-hidden">{t!(" now ")}</span>" "<ins>{after}</ins>
                </li>
            }
        })
        .collect();
    let fields =
        (!fields.is_empty()).then(|| view! { <ul class="db-history__fields">{fields}</ul> });
    let why = (!item.why.is_empty()).then(|| view! { <p class="db-history__why">{item.why}</p> });
    let run = (!item.run.is_empty())
        .then(|| view! { <p class="db-history__run">{t!("Reference: ")}{item.run}</p> });
    view! {
        <li class=format!("db-history__item db-history__item--{}", item.side)>
            <p class="db-history__when">
                <time datetime=item.at_utc>{item.at}</time>
                <span class="db-history__lane">{lane}</span>
            </p>
            {about}
            <p class="db-history__title">{item.title}</p>
            {fields}
            {why}
            {run}
            {then}
        </li>
    }
    .into_any()
}
