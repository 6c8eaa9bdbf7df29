//! The form for one schedule entry.

use daybind_domain::view::{EntryView, PersonView, SessionView};
use daybind_words::t;
use leptos::prelude::*;

use super::failure::Failure;
use super::schedule::{Here, Leave};
use super::schedule_repeat::{RepeatFields, ScopeFields};
use crate::api::schedule::{
    DeleteScheduleEntry, SaveScheduleEntry, get_schedule_entry, list_schedule,
};
use crate::api::session::current_session;
use crate::entries::Entries;
use crate::error::ApiError;
use crate::ui::{
    ErrorSummary, Failed, SelectField, Submit, TextArea, TextField, described, failed, message,
    ticked,
};

const FIELDS: &[(&str, &str)] = &[
    ("title", "entry-title"),
    ("start", "entry-start"),
    ("end", "entry-end"),
    ("location", "entry-location"),
    ("notes", "entry-notes"),
    ("shows", "entry-shows"),
    ("private", "entry-private"),
    ("assignees", "entry-assignees"),
    ("repeat", "entry-repeat"),
    ("repeat_every", "entry-repeat-every"),
    ("repeat_ends", "entry-repeat-ends"),
    ("repeat_until", "entry-repeat-until"),
    ("repeat_count", "entry-repeat-count"),
    ("scope", "save-scope"),
];

/// The entry, the people who can be assigned, and who asks.
///
/// Then the week to go back to, and the day a new entry is offered for.
type Loaded = (Option<EntryView>, Vec<PersonView>, SessionView, [String; 2]);

async fn load(entry_id: String, part: String, week: String) -> Result<Loaded, ApiError> {
    let entry = if entry_id == "new" {
        None
    } else {
        Some(get_schedule_entry(entry_id, part).await?)
    };
    let (person, status) = (String::new(), String::new());
    let schedule = list_schedule(week, person, status, false).await?;
    Ok((
        entry,
        schedule.people,
        current_session().await?,
        [schedule.week_start, schedule.offered_day],
    ))
}

/// Creates (`entry_id` is `new`) or changes an entry. Loads once, so that what was typed survives a refusal.
#[component]
pub fn EntryPanel(
    /// The entry's id, or `new`.
    entry_id: String,
    /// The day of the occurrence of a series, or empty.
    part: String,
    /// When a new one begins, `YYYY-MM-DDTHH:MM`; may be empty or nonsense.
    at: String,
    /// Where to go back to.
    here: Here,
) -> impl IntoView {
    let save = ServerAction::<SaveScheduleEntry>::new();
    let delete = ServerAction::<DeleteScheduleEntry>::new();
    let heading = if entry_id == "new" {
        t!("New entry")
    } else {
        t!("Edit entry")
    };
    let back = here.address();
    let shown = if here.agenda { "agenda" } else { "" };
    let history = Entries::current()
        .entry_history
        .filter(|_| entry_id != "new")
        .map(|history| history(entry_id.clone()));
    let source = (entry_id, part, here.week);
    let loaded = Resource::new(
        move || source.clone(),
        |(entry_id, part, week)| load(entry_id, part, week),
    );
    view! {
        <section aria-labelledby="entry-heading">
            <header class="db-page-head"><h1 id="entry-heading">{heading}</h1></header>
            <Suspense fallback=|| view! { <p>{t!("Loading the entry …")}</p> }>
                {
                    let back = back.clone();
                    move || {
                        let (back, hour) = (back.clone(), hour_from(&at));
                        Suspend::new(async move {
                            match loaded.await {
                                Ok(loaded) => view! { <EntryForm loaded back hour shown save delete/> }.into_any(),
                                Err(error) => view! {
                                    <Failure error/>
                                    <p><a href=back>{t!("Back to the week")}</a></p>
                                }.into_any(),
                            }
                        })
                    }
                }
            </Suspense>
            {history}
        </section>
    }
    .into_any()
}

#[component]
fn EntryForm(
    loaded: Loaded,
    back: String,
    hour: Option<[String; 2]>,
    shown: &'static str,
    save: ServerAction<SaveScheduleEntry>,
    delete: ServerAction<DeleteScheduleEntry>,
) -> impl IntoView {
    let (entry, people, session, [week, day]) = loaded;
    let (saving, deleting) = (failed(save), failed(delete));
    // A new entry belongs to whoever plans it, until they choose otherwise.
    let chosen: Vec<String> = match &entry {
        Some(entry) => entry
            .assignees
            .iter()
            .map(|person| person.user_id.clone())
            .collect(),
        None => vec![session.user_id],
    };
    let remove = entry.clone().map(|entry| (entry, week.clone()));
    let (entry_id, version) = entry.as_ref().map_or((String::new(), 0), |entry| {
        (entry.entry_id.clone(), entry.version)
    });
    let (repeat, part) = entry.as_ref().map_or((None, None), |entry| {
        (entry.repeat.clone(), entry.part.clone())
    });
    let all_day = entry.as_ref().is_some_and(|entry| entry.all_day);
    let link = entry
        .as_ref()
        .and_then(|entry| entry.sync.as_ref()?.link.clone());
    let free = entry.as_ref().is_some_and(|entry| entry.shows == "free");
    let private = entry.as_ref().is_some_and(|entry| entry.private);
    let (title, start, end, location, notes) = match entry {
        Some(entry) => (
            entry.title,
            with_time(&entry.start_local),
            with_time(&entry.end_local),
            entry.location,
            entry.notes,
        ),
        None => {
            let [start, end] =
                hour.unwrap_or_else(|| ["09", "10"].map(|hour| format!("{day}T{hour}:00")));
            (String::new(), start, end, String::new(), String::new())
        }
    };
    let ticked = |name, was| {
        let first = if was {
            vec!["true".to_owned()]
        } else {
            Vec::new()
        };
        !ticked(saving, name, first).is_empty()
    };
    let (all_day, private) = (ticked("all_day", all_day), ticked("private", private));
    view! {
        {link.map(|link| view! { <Leave link/> })}
        <ErrorSummary error=saving fields=FIELDS/>
        <ActionForm action=save>
            <input type="hidden" name="entry_id" value=entry_id/>
            <input type="hidden" name="version" value=version.to_string()/>
            <input type="hidden" name="week" value=week/>
            <input type="hidden" name="shown" value=shown/>
            <TextField id="entry-title" name="title" label=t!("Title") value=title error=saving/>
            <TextField id="entry-start" name="start" label=t!("Starts") kind="datetime-local" value=start error=saving/>
            <TextField id="entry-end" name="end" label=t!("Ends") kind="datetime-local" value=end error=saving/>
            <div class="db-field db-field--check">
                <input
                    id="entry-all-day"
                    type="checkbox"
                    name="all_day"
                    value="true"
                    checked=all_day
                    aria-describedby="entry-all-day-hint"
                />
                <label for="entry-all-day">{t!("All day")}</label>
                <p class="db-field__hint" id="entry-all-day-hint">
                    {t!("From the first to the last day; the times of day are left out.")}
                </p>
            </div>
            <TextField id="entry-location" name="location" label=t!("Location (optional)") value=location optional=true error=saving/>
            <TextArea id="entry-notes" name="notes" label=t!("Notes (optional)") value=notes error=saving/>
            <SelectField
                id="entry-shows"
                name="shows"
                label=t!("Show as")
                options=[t!("Busy"), t!("Free")].map(|word| (word.to_lowercase(), word.to_owned())).to_vec()
                selected=if free { "free" } else { "busy" }
                error=saving
            />
            <Private checked=private error=saving/>
            <Assignees people chosen error=saving/>
            <RepeatFields repeat error=saving/>
            <ScopeFields part prefix="save" error=saving/>
            <p class="db-form__actions">
                <Submit label=t!("Save entry") pending=save.pending()/>
                <a class="db-btn db-btn--quiet" href=back>{t!("Cancel")}</a>
            </p>
        </ActionForm>
        {remove.map(|(entry, week)| view! { <Remove entry week shown delete error=deleting/> })}
    }
    .into_any()
}

/// The hour from `YYYY-MM-DDTHH:00`, as it stands in the address of a free hour; the last one of a day ends in that day.
fn hour_from(at: &str) -> Option<[String; 2]> {
    let (day, time) = at.split_once('T')?;
    let shaped = day.len() == 10 && day.chars().all(|c| c.is_ascii_digit() || c == '-');
    let hour: u8 = time.strip_suffix(":00")?.parse().ok()?;
    let end = match hour {
        0..=22 => format!("{:02}:00", hour + 1),
        23 => "23:59".to_owned(),
        _ => return None,
    };
    shaped.then(|| [format!("{day}T{hour:02}:00"), format!("{day}T{end}")])
}

/// All-day entries have dates; the inputs take date and time.
fn with_time(text: &str) -> String {
    if text.contains('T') {
        text.to_owned()
    } else {
        format!("{text}T00:00")
    }
}

#[component]
fn Private(checked: bool, error: Failed) -> impl IntoView {
    let wrong = message(error, "private");
    view! {
        <div class="db-field db-field--check" class:db-field--error=move || wrong.with(Option::is_some)>
            {move || wrong.get().map(|text| view! { <p class="db-field__error" id="entry-private-error">{text}</p> })}
            <input
                id="entry-private"
                type="checkbox"
                name="private"
                value="true"
                checked=checked
                aria-describedby=described("entry-private", "hint", wrong)
                aria-invalid=move || wrong.with(Option::is_some).then_some("true")
            />
            <label for="entry-private">{t!("Private")}</label>
            <p class="db-field__hint" id="entry-private-hint">
                {t!("Title, location and notes are for those who do it and those who plan for others; everybody else reads “Busy”.")}
            </p>
        </div>
    }
    .into_any()
}

#[component]
fn Assignees(people: Vec<PersonView>, chosen: Vec<String>, error: Failed) -> impl IntoView {
    let wrong = message(error, "assignees");
    let chosen = ticked(error, "assignees", chosen);
    let boxes: Vec<_> = people
        .into_iter()
        .map(|person| {
            let id = format!("assignee-{}", person.user_id);
            let checked = chosen.contains(&person.user_id);
            view! {
                <li>
                    <input id=id.clone() type="checkbox" name="assignees[]" value=person.user_id checked=checked/>
                    <label for=id>{person.name}</label>
                </li>
            }
        })
        .collect();
    view! {
        <fieldset
            class="db-field"
            class:db-field--error=move || wrong.with(Option::is_some)
            id="entry-assignees"
            tabindex="-1"
            aria-describedby=move || wrong.with(Option::is_some).then_some("entry-assignees-error")
        >
            <legend class="db-field__label">{t!("Who does it")}</legend>
            {move || wrong.get().map(|text| view! { <p class="db-field__error" id="entry-assignees-error">{text}</p> })}
            <ul class="db-checks">{boxes}</ul>
        </fieldset>
    }
    .into_any()
}

/// Deleting takes two steps: open, then confirm.
#[component]
fn Remove(
    entry: EntryView,
    week: String,
    shown: &'static str,
    delete: ServerAction<DeleteScheduleEntry>,
    error: Failed,
) -> impl IntoView {
    let part = entry.part;
    let after = if Entries::current().entry_history.is_some() {
        t!(" Its history can bring it back.")
    } else {
        t!(" This cannot be undone.")
    };
    view! {
        <ErrorSummary error/>
        <details class="db-disclosure">
            <summary>{t!("Delete this entry")}</summary>
            <p>"“"{entry.title}{t!("” is removed for everybody it is assigned to.")}{after}</p>
            <ActionForm action=delete>
                <input type="hidden" name="entry_id" value=entry.entry_id/>
                <input type="hidden" name="version" value=entry.version.to_string()/>
                <input type="hidden" name="week" value=week/>
                <input type="hidden" name="shown" value=shown/>
                <ScopeFields part prefix="delete" error/>
                <Submit label=t!("Delete entry") pending=delete.pending() look="danger"/>
            </ActionForm>
        </details>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::hour_from;

    #[test]
    fn a_free_hour_is_an_hour_of_its_day() {
        let hour = |at| hour_from(at).map(|[start, end]| format!("{start} {end}"));
        let said = |text: &str| Some(text.to_owned());
        assert_eq!(
            hour("2026-11-24T09:00"),
            said("2026-11-24T09:00 2026-11-24T10:00")
        );
        assert_eq!(
            hour("2026-11-24T23:00"),
            said("2026-11-24T23:00 2026-11-24T23:59")
        );
        for wrong in [
            "",
            "2026-11-24",
            "2026-11-24T24:00",
            "2026-11-24T09:30",
            "<\">T09:00",
        ] {
            assert_eq!(hour(wrong), None, "{wrong}");
        }
    }
}
