//! Profile > Calendar, all of one's own disagreements: ticked, previewed, and answered at once. List and preview are addresses.

use daybind_app::api::calendar::{AnswerCalendarConflicts, list_own_calendar_conflicts};
use daybind_app::live::{Changed, moves};
use daybind_app::pages::failure::Failure;
use daybind_app::pages::{query_value, query_values};
use daybind_app::ui::{Banner, BannerKind, ErrorSummary, Submit, failed};
use daybind_domain::conflict_preview::{ConflictPreviewView, OwnConflictsView};
use daybind_words::t;
use leptos::prelude::*;
use leptos::tachys::view::keyed::keyed;

use crate::calendar_conflict::address;

/// Its address.
pub const HERE: &str = "/msp/profile?tab=calendar&view=conflicts";

/// The page: what taking a side would do where the address names one, the list otherwise.
#[component]
pub fn OwnConflicts() -> impl IntoView {
    let answer = ServerAction::<AnswerCalendarConflicts>::new();
    let (side, done) = (query_value("side"), query_value("done"));
    let (picks, left) = (query_values("pick"), query_values("left"));
    let found = Resource::new(
        move || (side.get(), picks.get(), left.get(), done.get()),
        |(side, picks, left, _)| list_own_calendar_conflicts(side, picks, left),
    );
    let back = move || {
        if side.with(String::is_empty) {
            ("/msp/profile?tab=calendar", t!("All of your calendars"))
        } else {
            (HERE, t!("All of your conflicts"))
        }
    };
    let result = move || {
        let done: usize = done.with(|done| done.parse().ok())?;
        Some(outcome(done, left.with(Vec::len)))
    };
    view! {
        <p class="db-back"><a href=move || back().0>{move || back().1}</a></p>
        <header class="db-page-head">
            <h1 id="conflicts-heading" tabindex="-1">{t!("Your conflicts")}</h1>
        </header>
        <ErrorSummary error=failed(answer)/>
        {result}
        <Transition fallback=|| view! { <p>{t!("Loading your conflicts …")}</p> }>
            {move || Suspend::new(async move {
                let chosen = side.get_untracked();
                match found.await {
                    Ok(view) if chosen.is_empty() => list(view),
                    Ok(view) => view! { <Preview view side=chosen answer/> }.into_any(),
                    Err(error) => view! { <Failure error/> }.into_any(),
                }
            })}
        </Transition>
        <Changed
            topics=&["conflict"]
            shown=found
            read=move || {
                list_own_calendar_conflicts(side.get_untracked(), picks.get_untracked(), left.get_untracked())
            }
            text=t!("Your conflicts have changed.")
            news=moves
        />
    }
    .into_any()
}

/// What came of an answer.
fn outcome(done: usize, left: usize) -> AnyView {
    let title = match done {
        0 => t!("No conflict was settled.").to_owned(),
        1 => t!("One conflict is settled. Both sides follow with the sync that starts now.")
            .to_owned(),
        done => {
            t!("{done} conflicts are settled. Both sides follow with the sync that starts now.")
        }
    };
    let (kind, left) = match left {
        0 => (BannerKind::Success, None),
        1 => (
            BannerKind::Warning,
            Some(t!("One was left alone, since a side changed after you had read it.").to_owned()),
        ),
        left => (
            BannerKind::Warning,
            Some(t!(
                "{left} were left alone, since a side changed after you had read them."
            )),
        ),
    };
    view! {
        <Banner kind title=title>
            {left.map(|left| view! { <p>{left}</p> })}
            <p><a href=HERE>{t!("Dismiss")}</a></p>
        </Banner>
    }
    .into_any()
}

fn list(view: OwnConflictsView) -> AnyView {
    if view.conflicts.is_empty() {
        return view! {
            <Banner kind=BannerKind::Success title=t!("There are no conflicts: you have nothing to decide.")>
                <p>{t!("Where both sides changed the same thing, you are asked here.")}</p>
            </Banner>
        }
        .into_any();
    }
    let more = view.more.then(
        || view! { <p>{t!("The oldest 100 are shown; the others follow when these are answered.")}</p> },
    );
    // A row stays with its conflict when the list is read anew, and with it its tick.
    let rows = keyed(
        view.conflicts,
        |one| one.conflict_id.clone(),
        |_, one| (|_| {}, row(one)),
    );
    view! {
        <div class="db-stack">
            <p>{t!("Tick those to answer at once. You see what each will be before anything is done.")}</p>
            {more}
            <form class="db-stack" method="get" action="/msp/profile">
                <input type="hidden" name="tab" value="calendar"/>
                <input type="hidden" name="view" value="conflicts"/>
                <table class="db-table" aria-labelledby="conflicts-heading">
                    <thead>
                        <tr>
                            <th scope="col">{t!("Choose")}</th>
                            <th scope="col">{t!("Entry")}</th>
                            <th scope="col">{t!("Schedule")}</th>
                            <th scope="col">{t!("Calendar")}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
                <div class="db-field db-field--check">
                    <input type="checkbox" name="pick" value="all" id="pick-all"/>
                    <label for="pick-all">{t!("All of them")}</label>
                </div>
                <div class="db-form__actions">
                    <button type="submit" class="db-btn db-btn--secondary" name="side" value="schedule">{t!("Preview the schedule for all ticked")}</button>
                    <button type="submit" class="db-btn db-btn--secondary" name="side" value="calendar">{t!("Preview the calendar for all ticked")}</button>
                </div>
            </form>
        </div>
    }
    .into_any()
}

fn row(one: ConflictPreviewView) -> AnyView {
    let left = one.left.then(
        || view! { <p class="db-field__hint">{t!("A side changed since; this was left alone.")}</p> },
    );
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for field in one.fields {
        ours.push(view! { <p>{field.label.clone()}": "{field.schedule}</p> });
        theirs.push(view! { <p>{field.label}": "{field.calendar}</p> });
    }
    let label = format!("{}, {}", one.title, one.calendar);
    view! {
        <tr>
            <td data-label=t!("Choose")>
                <input type="checkbox" name="pick" value=one.conflict_id.clone() aria-label=label/>
            </td>
            <th scope="row">
                <a href=address(&one.conflict_id)>{one.title}</a>
                {left}
            </th>
            <td data-label=t!("Schedule")>{ours}{one.note}</td>
            <td data-label=t!("Calendar")>{one.calendar}{theirs}</td>
        </tr>
    }
    .into_any()
}

#[component]
fn Preview(
    view: OwnConflictsView,
    side: String,
    answer: ServerAction<AnswerCalendarConflicts>,
) -> impl IntoView {
    if view.conflicts.is_empty() {
        return view! {
            <Banner kind=BannerKind::Info title=t!("Nothing that is open is ticked. Tick at least one conflict.")>
                <p><a href=HERE>{t!("Back to the list")}</a></p>
            </Banner>
        }
        .into_any();
    }
    let seen: Vec<_> = view
        .conflicts
        .iter()
        .filter(|one| one.note.is_none())
        .map(|one| {
            let read = format!("{}:{}", one.conflict_id, one.fingerprint);
            view! { <input type="hidden" name="seen[]" value=read/> }
        })
        .collect();
    let label = match (seen.len(), side.as_str()) {
        (0, _) => String::new(),
        (1, "schedule") => t!("Take the schedule’s version").to_owned(),
        (1, _) => t!("Take the calendar’s version").to_owned(),
        (many, "schedule") => t!("Take the schedule’s version of all {many}"),
        (many, _) => t!("Take the calendar’s version of all {many}"),
    };
    let send =
        (!label.is_empty()).then(|| view! { <Submit label=label pending=answer.pending()/> });
    let conflicts: Vec<_> = view.conflicts.into_iter().map(preview).collect();
    view! {
        <p>{t!("This is what each will be. Nothing is done before you confirm.")}</p>
        {conflicts}
        <ActionForm action=answer>
            <input type="hidden" name="side" value=side/>
            {seen}
            <div class="db-form__actions">
                {send}
                <a class="db-btn db-btn--quiet" href=HERE>{t!("Cancel")}</a>
            </div>
        </ActionForm>
    }
    .into_any()
}

/// What a conflict will be.
pub fn preview(one: ConflictPreviewView) -> AnyView {
    let id = format!("conflict-{}", one.conflict_id);
    let (section, table) = (id.clone(), id.clone());
    let scope = (!one.scope.is_empty()).then(|| view! { <p>{one.scope}</p> });
    let note = one.note.map(|note| view! { <p>{note}</p> });
    let calendar = one.calendar;
    let rows: Vec<_> = one
        .fields
        .into_iter()
        .map(|field| {
            view! {
                <tr>
                    <th scope="row">{field.label}</th>
                    <td data-label=t!("Schedule")>{field.schedule}</td>
                    <td data-label=calendar.clone()>{field.calendar}</td>
                    <td data-label=t!("Both will say")>{field.result}</td>
                    <td data-label=t!("Changes in")>{field.changes}</td>
                </tr>
            }
        })
        .collect();
    let fields = (!rows.is_empty()).then(|| {
        view! {
            <table class="db-table" aria-labelledby=table>
                <thead>
                    <tr>
                        <th scope="col">{t!("Field")}</th>
                        <th scope="col">{t!("Schedule")}</th>
                        <th scope="col">{calendar}</th>
                        <th scope="col">{t!("Both will say")}</th>
                        <th scope="col">{t!("Changes in")}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        }
    });
    view! {
        <section class="db-section db-stack" aria-labelledby=section>
            <h2 id=id>{one.title}</h2>
            {scope}
            {note}
            {fields}
        </section>
    }
    .into_any()
}
