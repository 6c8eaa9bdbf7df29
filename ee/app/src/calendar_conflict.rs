//! Profile > Calendar, one disagreement: both versions of each field side by side, what both last agreed on between them.

use daybind_app::api::calendar::{
    ResolveCalendarConflict, get_calendar_conflict, preview_calendar_conflict,
};
use daybind_app::pages::failure::Failure;
use daybind_app::pages::query_value;
use daybind_app::ui::{
    Banner, BannerKind, ErrorSummary, Failed, Submit, failed, keep_focus, message,
    refused_as_changed, typed,
};
use daybind_domain::conflict_preview::ConflictPreviewView;
use daybind_domain::conflict_view::{ConflictFieldView, ConflictView};
use daybind_domain::connection_view::FactView;
use daybind_words::t;
use leptos::prelude::*;

use crate::own_conflicts::preview;

const BACK: &str = "/msp/profile?tab=calendar";

/// The form's fields, and where each is on the page.
const FIELDS: &[(&str, &str)] = &[
    ("choices[title]", "choose-title"),
    ("choices[notes]", "choose-notes"),
    ("choices[location]", "choose-location"),
    ("choices[time]", "choose-time"),
    ("choices[repetition]", "choose-repetition"),
    ("choices[availability]", "choose-availability"),
    ("choices[privacy]", "choose-privacy"),
];

/// The address of a disagreement's page.
pub fn address(conflict_id: &str) -> String {
    format!("{BACK}&conflict={conflict_id}")
}

/// The page of the disagreement with that id.
#[component]
pub fn ConflictChooser(conflict_id: String) -> impl IntoView {
    let answer = ServerAction::<ResolveCalendarConflict>::new();
    let (read, chosen) = (query_value("read"), query_value("chosen"));
    let error = failed(answer);
    // What was ticked stays otherwise.
    let stale = refused_as_changed(answer);
    let id = conflict_id.clone();
    let found = Resource::new(
        move || (stale.get(), conflict_id.clone()),
        |(_, id)| get_calendar_conflict(id),
    );
    keep_focus(found, move || stale.get());
    // What was chosen, where its result is looked at. A refusal leads back to the choice.
    let tried = Resource::new(
        move || (stale.get(), read.get(), chosen.get(), id.clone()),
        |(stale, read, chosen, id)| async move {
            if read.is_empty() || stale > 0 {
                return None;
            }
            Some(preview_calendar_conflict(id, read, chosen).await)
        },
    );
    view! {
        <p class="db-back"><a href=BACK>{t!("All of your calendars")}</a></p>
        <header class="db-page-head">
            <h1 id="conflict-heading" tabindex="-1">{t!("Compare and choose")}</h1>
        </header>
        <ErrorSummary error fields=FIELDS/>
        <Transition fallback=|| view! { <p>{t!("Loading both versions …")}</p> }>
            {move || Suspend::new(async move {
                let chosen = chosen.get_untracked();
                let lead = match tried.await {
                    Some(Ok(result)) => return view! { <Outcome result chosen answer/> }.into_any(),
                    Some(Err(found)) if error.with_untracked(Option::is_none) => {
                        Some(view! { <Failure error=found/> })
                    }
                    Some(Err(_)) => None,
                    None => None,
                };
                match found.await {
                    Ok(conflict) => view! { {lead}<Conflict conflict chosen answer/> }.into_any(),
                    Err(error) => view! { <Failure error/> }.into_any(),
                }
            })}
        </Transition>
    }
    .into_any()
}

/// What both sides will say, and the last step.
#[component]
fn Outcome(
    result: ConflictPreviewView,
    chosen: String,
    answer: ServerAction<ResolveCalendarConflict>,
) -> impl IntoView {
    let change = format!("{}&chosen={chosen}", address(&result.conflict_id));
    let choices: Vec<_> = chosen
        .split(',')
        .filter_map(|one| one.split_once(':'))
        .map(|(field, side)| {
            let name = format!("choices[{field}]");
            view! { <input type="hidden" name=name value=side.to_owned()/> }
        })
        .collect();
    let (id, fingerprint) = (result.conflict_id.clone(), result.fingerprint.clone());
    view! {
        <p>{t!("This is what both sides will say. Nothing is done before you confirm.")}</p>
        {preview(result)}
        <ActionForm action=answer>
            <input type="hidden" name="conflict_id" value=id/>
            <input type="hidden" name="fingerprint" value=fingerprint/>
            {choices}
            <div class="db-form__actions">
                <Submit label=t!("Confirm") pending=answer.pending()/>
                <a class="db-btn db-btn--quiet" href=change>{t!("Choose otherwise")}</a>
            </div>
        </ActionForm>
    }
    .into_any()
}

#[component]
fn Conflict(
    conflict: ConflictView,
    chosen: String,
    answer: ServerAction<ResolveCalendarConflict>,
) -> impl IntoView {
    let title = (!conflict.title.is_empty())
        .then(|| view! { <h2 class="db-lead">{conflict.title.clone()}</h2> });
    if let Some(note) = conflict.note {
        return view! {
            {title}
            <Banner kind=BannerKind::Info title=note>
                <p><a href=BACK>{t!("Back to your calendars")}</a></p>
            </Banner>
        }
        .into_any();
    }
    let calendar = conflict.calendar;
    let lede = t!(
        "Changed differently in the schedule and in {calendar}. Neither is written over before you choose."
    );
    let scope = (!conflict.scope.is_empty()).then(|| view! { <p>{conflict.scope}</p> });
    let error = failed(answer);
    let fields: Vec<_> = conflict
        .fields
        .into_iter()
        .map(|field| {
            let first = taken(&chosen, &field.part);
            view! { <Versions field calendar=calendar.clone() first error/> }
        })
        .collect();
    let same = (!conflict.same.is_empty()).then(|| {
        view! {
            <details class="db-disclosure">
                <summary>{t!("Everything else is the same, or settled")}</summary>
                {facts(conflict.same)}
            </details>
        }
    });
    let pending = answer.pending();
    let preset = move |side: &'static str, label: String| {
        view! {
            <button
                type="submit"
                class="db-btn db-btn--secondary"
                name="all"
                value=side
                formnovalidate=true
                disabled=move || pending.get()
            >
                {label}
            </button>
        }
    };
    view! {
        {title}
        <p>{lede}</p>
        {scope}
        {facts(conflict.changed)}
        <ActionForm action=answer>
            <input type="hidden" name="conflict_id" value=conflict.conflict_id/>
            <input type="hidden" name="fingerprint" value=conflict.fingerprint/>
            {fields}
            {same}
            <div class="db-form__actions">
                <Submit label=t!("Use what is chosen") pending/>
                <button type="submit" class="db-btn db-btn--secondary" name="step" value="preview" disabled=move || pending.get()>
                    {t!("Show the result first")}
                </button>
                {preset("schedule", t!("All from the schedule").to_owned())}
                {preset("calendar", t!("All from the calendar").to_owned())}
            </div>
        </ActionForm>
    }
    .into_any()
}

/// The side that `field:side`, joined by commas, names for that field; empty where it does not.
fn taken(chosen: &str, part: &str) -> String {
    let mut all = chosen.split(',').filter_map(|one| one.split_once(':'));
    all.find(|(field, _)| *field == part)
        .map(|(_, side)| side.to_owned())
        .unwrap_or_default()
}

/// One field: two versions to choose from, and the last agreed one between them.
#[component]
fn Versions(
    field: ConflictFieldView,
    calendar: String,
    first: String,
    error: Failed,
) -> impl IntoView {
    let name = format!("choices[{}]", field.part);
    let id = format!("choose-{}", field.part);
    let wrong = message(error, name.clone());
    let chosen = typed(error, &name, first);
    let card = |side: &'static str, title: String, text: String| {
        view! {
            <label class="db-choice">
                <input type="radio" name=name.clone() value=side checked=chosen == side required=true/>
                <span>
                    <span class="db-choice__title">{title}</span>
                    <span class="db-choice__text">{text}</span>
                </span>
            </label>
        }
    };
    let agreed = field
        .agreed
        .unwrap_or_else(|| t!("They were never in step.").to_owned());
    let (error_id, described) = (format!("{id}-error"), format!("{id}-error"));
    view! {
        <fieldset
            class="db-fieldset db-versions"
            class:db-field--error=move || wrong.with(Option::is_some)
            id=id
            tabindex="-1"
            aria-describedby=move || wrong.with(Option::is_some).then(|| described.clone())
        >
            <legend>{field.label}</legend>
            {move || {
                let id = error_id.clone();
                wrong.get().map(|text| view! { <p class="db-field__error" id=id>{text}</p> })
            }}
            <div class="db-versions__row">
                {card("schedule", t!("Schedule").to_owned(), field.schedule)}
                <p class="db-versions__agreed">
                    <span class="db-versions__label">{t!("Last agreed")}</span>
                    {agreed}
                </p>
                {card("calendar", calendar, field.calendar)}
            </div>
        </fieldset>
    }
    .into_any()
}

fn facts(facts: Vec<FactView>) -> impl IntoView {
    let facts: Vec<_> = facts
        .into_iter()
        .map(|fact| view! { <dt>{fact.label}</dt><dd>{fact.text}</dd> })
        .collect();
    view! { <dl class="db-facts">{facts}</dl> }
}
