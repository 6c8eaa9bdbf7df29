//! One week of the schedule.

use daybind_domain::view::{DayView, EntryView, LinkView, ScheduleView, SyncMark};
use leptos::prelude::*;
use leptos_meta::Title;

use super::failure::Failure;
use super::query_value;
use super::schedule_form::EntryPanel;
use crate::ApiError;
use crate::api::schedule::list_schedule;
use crate::ui::{Announcement, EmptyState};

/// The page, for its route.
#[must_use]
pub fn page() -> AnyView {
    view! { <SchedulePage/> }.into_any()
}

/// `/msp/schedule`: `week` is any day of the week shown, `entry` the entry being edited (`new` for a new one), `part` the
/// day of a series' occurrence, `saved` what has just been done.
#[component]
fn SchedulePage() -> impl IntoView {
    let (week, entry, saved) = (
        query_value("week"),
        query_value("entry"),
        query_value("saved"),
    );
    let part = query_value("part");
    // Opening and closing the form are part of the source: after a change the week is read again.
    let view = Resource::new(
        move || (week.get(), entry.get(), saved.get()),
        |(week, ..)| list_schedule(week),
    );
    let announcement = move || {
        let text = match saved.get().as_str() {
            "entry" => "The entry is saved.",
            "deleted" => "The entry is deleted.",
            _ => return None,
        };
        Some(view! { <Announcement text dismiss=address(&week.get(), "", "")/> })
    };
    // A form has the page to itself: it is the same on a phone and without scripts, and its heading is the page's.
    let body = move || {
        let id = entry.get();
        if id.is_empty() {
            view! { <Loaded view/> }.into_any()
        } else {
            view! { <EntryPanel entry_id=id part=part.get() week=week.get_untracked()/> }.into_any()
        }
    };
    view! {
        <Title text="Schedule · Daybind"/>
        {announcement}
        {body}
    }
    .into_any()
}

#[component]
fn Loaded(view: Resource<Result<ScheduleView, ApiError>>) -> impl IntoView {
    view! {
        <Transition fallback=|| view! { <p>"Loading the week …"</p> }>
            {move || Suspend::new(async move {
                match view.await {
                    Ok(view) => view! { <Week view/> }.into_any(),
                    Err(error) => view! { <h1>"Schedule"</h1><Failure error/> }.into_any(),
                }
            })}
        </Transition>
    }
    .into_any()
}

/// The schedule's address; every part may be empty.
#[must_use]
pub fn address(week: &str, entry: &str, part: &str) -> String {
    // They come from the address or the server; only what a date or an id is made of goes back into a link.
    let clean = |text: &str| -> String {
        text.chars()
            .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
            .collect()
    };
    let mut address = "/msp/schedule".to_owned();
    let parts = [("week", week), ("entry", entry), ("part", part)]
        .map(|(name, value)| (name, clean(value)));
    for (index, (name, value)) in parts
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .enumerate()
    {
        address.push(if index == 0 { '?' } else { '&' });
        address.push_str(name);
        address.push('=');
        address.push_str(value);
    }
    address
}

#[component]
fn Week(view: ScheduleView) -> impl IntoView {
    let week = view.week_start;
    let plan = address(&week, "new", "");
    let empty = view.days.iter().all(|day| day.entries.is_empty()).then(|| {
        view! {
            <EmptyState title="Nothing is planned this week">
                <a class="db-btn" href=plan>"Plan something"</a>
            </EmptyState>
        }
    });
    let days: Vec<_> = view
        .days
        .into_iter()
        .map(|day| view! { <Day day week=week.clone()/> })
        .collect();
    view! {
        <header class="db-page-head">
            <h1>"Schedule"</h1>
            <p class="db-page-head__lede">{view.week_title}" · times in "{view.time_zone}</p>
            <nav class="db-page-head__actions" aria-label="Weeks">
                <a class="db-btn db-btn--quiet" href=address(&view.previous, "", "")>"Previous week"</a>
                <a class="db-btn db-btn--quiet" href="/msp/schedule">"This week"</a>
                <a class="db-btn db-btn--quiet" href=address(&view.next, "", "")>"Next week"</a>
                <a class="db-btn db-btn--primary" href=address(&week, "new", "")>"New entry"</a>
            </nav>
        </header>
        {empty}
        <ol class="db-week db-agenda">{days}</ol>
    }
    .into_any()
}

#[component]
fn Day(day: DayView, week: String) -> impl IntoView {
    let content = if day.entries.is_empty() {
        view! { <p class="db-agenda__none">"Free"</p> }.into_any()
    } else {
        let entries: Vec<_> = day
            .entries
            .into_iter()
            .map(|entry| view! { <Entry entry week=week.clone()/> })
            .collect();
        view! { <ul class="db-agenda__entries">{entries}</ul> }.into_any()
    };
    view! {
        <li class="db-agenda__day">
            <h2 class="db-agenda__title"><time datetime=day.date>{day.title}</time></h2>
            {content}
        </li>
    }
    .into_any()
}

#[component]
fn Entry(entry: EntryView, week: String) -> impl IntoView {
    let names = entry
        .assignees
        .iter()
        .map(|person| person.name.as_str())
        .collect::<Vec<_>>()
        .join(", ");
    let status = match entry.status.as_str() {
        "cancelled" => Some("Cancelled"),
        "completed" => Some("Completed"),
        _ => None,
    };
    let marked = match (entry.private, entry.shows == "free") {
        (true, true) => Some("Private, shown as free"),
        (true, false) => Some("Private"),
        (false, true) => Some("Shown as free"),
        (false, false) => None,
    };
    // Occurrences share a title: the day tells their links apart.
    let (edit, part) = match entry.part {
        Some(part) => (format!("Edit {}, {}", entry.title, part.day), part.day),
        None => (format!("Edit {}", entry.title), String::new()),
    };
    view! {
        <li class="db-agenda__entry">
            <p class="db-agenda__time">{entry.time_text}</p>
            <h3 class="db-agenda__name">{entry.title}</h3>
            {(!entry.location.is_empty()).then(|| view! { <p class="db-agenda__place">{entry.location}</p> })}
            {(!names.is_empty()).then(|| view! { <p class="db-agenda__people">{names}</p> })}
            {entry.repeat.map(|repeat| view! { <p class="db-agenda__people">{repeat.text}</p> })}
            {marked.map(|words| view! { <p class="db-agenda__people">{words}</p> })}
            {status.map(|word| view! { <p class="db-agenda__state">{word}</p> })}
            {entry.sync.map(|mark| view! { <Mark mark/> })}
            <a class="db-agenda__edit" href=address(&week, &entry.entry_id, &part) aria-label=edit>"Edit"</a>
        </li>
    }
    .into_any()
}

/// How an entry stands outside Daybind: a word, its class, and why.
#[component]
fn Mark(mark: SyncMark) -> impl IntoView {
    let state = match mark.state.as_str() {
        known @ ("synced" | "waiting" | "conflict" | "failed") => known,
        _ => "not_synced",
    };
    view! {
        <p class="db-agenda__sync">
            <span class=format!("db-status db-status--{state}")>{mark.word}</span>
            " "
            <span class="db-agenda__detail">{mark.detail}</span>
        </p>
        {mark.link.map(|link| view! { <Leave link/> })}
    }
    .into_any()
}

/// A link that leaves Daybind: to a page of its own, which learns nothing of this one.
#[component]
pub fn Leave(link: LinkView) -> impl IntoView {
    view! {
        <p class="db-agenda__people">
            <a href=link.href target="_blank" rel="noopener noreferrer">
                {link.text}
                <span class="db-visually-hidden">" (opens in a new tab)"</span>
            </a>
        </p>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::address;

    /// A page that is left for learns nothing of this one, and the address stays an attribute.
    #[cfg(feature = "ssr")]
    #[test]
    fn links_out_open_by_themselves() {
        use daybind_domain::view::LinkView;
        use leptos::prelude::*;
        let link = LinkView {
            text: "Join".to_owned(),
            href: "https://meet.example/?a=\"><script>&b".to_owned(),
        };
        let html = Owner::new().with(|| {
            super::Leave(super::LeaveProps { link })
                .into_view()
                .to_html()
        });
        assert!(html.contains("rel=\"noopener noreferrer\""), "{html}");
        assert!(html.contains("target=\"_blank\"") && html.contains("(opens in a new tab)"));
        assert!(
            html.contains("href=\"https://meet.example/?a=&quot;") && !html.contains("<script>"),
            "{html}"
        );
    }

    #[test]
    fn addresses_carry_dates_and_ids_only() {
        assert_eq!(
            address("2026-11-23", "new", ""),
            "/msp/schedule?week=2026-11-23&entry=new"
        );
        assert_eq!(address("", "", ""), "/msp/schedule");
        assert_eq!(
            address("&x=<", "a\"b", "2026-11-24"),
            "/msp/schedule?week=x&entry=ab&part=2026-11-24"
        );
    }
}
