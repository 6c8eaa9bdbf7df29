//! The part of the entry form that says how an entry repeats, and which occurrences of a series are meant.

use daybind_domain::view::{PartView, RepeatView};
use daybind_words::t;
use leptos::prelude::*;

use crate::ui::{Failed, SelectField, TextField, message, ticked, typed};

fn kinds() -> [(&'static str, &'static str); 6] {
    [
        ("", t!("Does not repeat")),
        ("daily", t!("Every day")),
        ("weekly", t!("Every week")),
        ("monthly", t!("Every month, on the same date")),
        ("monthly_day", t!("Every month, on the same weekday")),
        ("yearly", t!("Every year")),
    ]
}

fn weekdays() -> [(&'static str, &'static str); 7] {
    [
        ("MO", t!("Monday")),
        ("TU", t!("Tuesday")),
        ("WE", t!("Wednesday")),
        ("TH", t!("Thursday")),
        ("FR", t!("Friday")),
        ("SA", t!("Saturday")),
        ("SU", t!("Sunday")),
    ]
}

fn ends() -> [(&'static str, &'static str); 3] {
    [
        ("", t!("Never")),
        ("until", t!("After a day")),
        ("count", t!("After so many times")),
    ]
}

fn scopes() -> [(&'static str, &'static str); 3] {
    [
        ("this", t!("Only this one")),
        ("following", t!("This and the following")),
        ("all", t!("The whole series")),
    ]
}

fn choices(known: &[(&str, &str)]) -> Vec<(String, String)> {
    known
        .iter()
        .map(|(value, text)| ((*value).to_owned(), (*text).to_owned()))
        .collect()
}

/// How an entry repeats. Closed until it does.
#[component]
pub fn RepeatFields(
    /// How it does now.
    repeat: Option<RepeatView>,
    /// The form's failure.
    error: Failed,
) -> impl IntoView {
    let repeats = repeat.is_some() || !typed(error, "repeat", String::new()).is_empty();
    let open = move || {
        repeats
            || error.with(|error| {
                error.as_ref().is_some_and(|error| {
                    error
                        .fields
                        .iter()
                        .any(|wrong| wrong.field.starts_with("repeat"))
                })
            })
    };
    let shown = repeat.unwrap_or_else(|| RepeatView {
        kind: String::new(),
        every: 1,
        days: Vec::new(),
        ends: String::new(),
        until: String::new(),
        count: String::new(),
        text: String::new(),
    });
    let mut kinds = choices(&kinds());
    if shown.kind == "keep" {
        kinds.push(("keep".to_owned(), shown.text.clone()));
    }
    let on = ticked(error, "repeat_days", shown.days);
    let days: Vec<_> = weekdays()
        .iter()
        .map(|(code, name)| {
            let id = format!("repeat-{}", code.to_lowercase());
            let checked = on.iter().any(|day| day == code);
            view! {
                <li>
                    <input id=id.clone() type="checkbox" name="repeat_days[]" value=*code checked=checked/>
                    <label for=id>{*name}</label>
                </li>
            }
        })
        .collect();
    view! {
        <details class="db-disclosure" open=open>
            <summary>{t!("Repeat")}</summary>
            <SelectField
                id="entry-repeat"
                name="repeat"
                label=t!("Repeats")
                options=kinds
                selected=shown.kind
                optional=true
                error=error
            />
            <TextField
                id="entry-repeat-every"
                name="repeat_every"
                label=t!("Every (number of days, weeks, months or years)")
                kind="number"
                value=shown.every.to_string()
                error=error
            />
            <fieldset class="db-field" aria-describedby="entry-repeat-days-hint">
                <legend class="db-field__label">{t!("On (optional)")}</legend>
                <p class="db-field__hint" id="entry-repeat-days-hint">
                    {t!("For an entry that repeats every week; without a day, that of its start.")}
                </p>
                <ul class="db-checks">{days}</ul>
            </fieldset>
            <SelectField
                id="entry-repeat-ends"
                name="repeat_ends"
                label=t!("Stops repeating")
                options=choices(&ends())
                selected=shown.ends
                optional=true
                error=error
            />
            <TextField
                id="entry-repeat-until"
                name="repeat_until"
                label=t!("Last day (optional)")
                kind="date"
                value=shown.until
                optional=true
                error=error
            />
            <TextField
                id="entry-repeat-count"
                name="repeat_count"
                label=t!("How many times (optional)")
                kind="number"
                value=shown.count
                optional=true
                error=error
            />
        </details>
    }
    .into_any()
}

/// Which occurrences a change or a deletion is about; nothing for an entry on its own.
#[component]
pub fn ScopeFields(
    /// The occurrence.
    part: Option<PartView>,
    /// In front of the ids, one for each form of the page.
    prefix: &'static str,
    /// The form's failure.
    error: Failed,
) -> impl IntoView {
    let part = part?;
    let wrong = message(error, "scope");
    let chosen = typed(error, "scope", "this".to_owned());
    let choices: Vec<_> = scopes()
        .iter()
        .map(|(value, text)| {
            let id = format!("{prefix}-scope-{value}");
            let checked = *value == chosen;
            view! {
                <li>
                    <input id=id.clone() type="radio" name="scope" value=*value checked=checked/>
                    <label for=id>{*text}</label>
                </li>
            }
        })
        .collect();
    let error_id = format!("{prefix}-scope-error");
    let described = error_id.clone();
    Some(
        view! {
            <input type="hidden" name="day" value=part.day/>
            <input type="hidden" name="series_version" value=part.series_version.to_string()/>
            <fieldset
                class="db-field"
                class:db-field--error=move || wrong.with(Option::is_some)
                id=format!("{prefix}-scope")
                tabindex="-1"
                aria-describedby=move || wrong.with(Option::is_some).then(|| described.clone())
            >
                <legend class="db-field__label">{t!("Which ones")}</legend>
                {move || {
                    let id = error_id.clone();
                    wrong.get().map(|text| view! { <p class="db-field__error" id=id>{text}</p> })
                }}
                <ul class="db-checks">{choices}</ul>
            </fieldset>
        }
        .into_any(),
    )
}
