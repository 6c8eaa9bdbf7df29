//! One week of the schedule.

use daybind_domain::view::{DayView, EntryView, LinkView, PersonView, ScheduleView, SyncMark};
use daybind_words::t;
use leptos::prelude::*;
use leptos_meta::Title;

use super::failure::Failure;
use super::query_value;
use super::schedule_form::EntryPanel;
use super::schedule_grid::Grid;
use crate::ApiError;
use crate::api::schedule::list_schedule;
use crate::entries::Entries;
use crate::ui::{Announcement, EmptyState, SelectField};

/// The page, for its route.
#[must_use]
pub fn page() -> AnyView {
    view! { <SchedulePage/> }.into_any()
}

/// `/msp/schedule`: `week` is any day of the week shown, `as` how it is shown (`agenda`; otherwise a grid where there is
/// room), `person` and `status` what is left of it, `entry` the entry being edited (`new` for a new one), `at` when a new
/// one begins, `part` the day of a series' occurrence, `version` one it once had, `saved` what has just been done, `gone` the
/// entry that was deleted.
#[component]
fn SchedulePage() -> impl IntoView {
    let here = Here::current();
    let (entry, saved) = (query_value("entry"), query_value("saved"));
    let (part, at) = (query_value("part"), query_value("at"));
    let (version, gone) = (query_value("version"), query_value("gone"));
    // Opening and closing the form are part of the source: after a change the week is read again.
    let view = Resource::new(
        move || (here.get(), entry.get(), saved.get()),
        |(here, ..)| list_schedule(here.week, here.person, here.status, !here.agenda),
    );
    let announcement = move || {
        let text = match saved.get().as_str() {
            "entry" => t!("The entry is saved."),
            "deleted" => t!("The entry is deleted."),
            "restored" => t!("The earlier version is restored."),
            _ => return None,
        };
        let again = Entries::current()
            .entry_version
            .filter(|_| !gone.with(String::is_empty))
            .map(
                |_| view! { <p><a href=past_of(&gone.get())>{t!("Its history, to restore it")}</a></p> },
            );
        Some(view! {
            <Announcement text dismiss=here.get().address()/>
            {again}
        })
    };
    // A form has the page to itself: it is the same on a phone and without scripts, and its heading is the page's.
    let body = move || {
        let id = entry.get();
        let past = Entries::current().entry_version;
        let past = past.filter(|_| !version.with(String::is_empty));
        if id.is_empty() {
            view! { <Loaded view here/> }.into_any()
        } else if let Some(past) = past {
            past(id, version.get())
        } else {
            view! {
                <EntryPanel entry_id=id part=part.get() at=at.get() here=here.get_untracked()/>
            }
            .into_any()
        }
    };
    view! {
        <Title text=t!("Schedule · Daybind")/>
        {announcement}
        {body}
    }
    .into_any()
}

#[component]
fn Loaded(view: Resource<Result<ScheduleView, ApiError>>, here: Memo<Here>) -> impl IntoView {
    view! {
        <Transition fallback=|| view! { <p>{t!("Loading the week …")}</p> }>
            {move || Suspend::new(async move {
                let asked = here.get_untracked();
                match view.await {
                    Ok(view) => view! { <Week view asked/> }.into_any(),
                    Err(error) => view! { <h1>{t!("Schedule")}</h1><Failure error/> }.into_any(),
                }
            })}
        </Transition>
    }
    .into_any()
}

/// The history of an entry that is deleted.
fn past_of(entry: &str) -> String {
    let id: String = entry
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
        .collect();
    format!("/msp/schedule?entry={id}&version=all")
}

/// What is shown of the schedule; it stands in the address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Here {
    /// Any day of the week; empty for this week.
    pub week: String,
    /// The agenda was chosen, at any width.
    pub agenda: bool,
    /// Only what this user does.
    pub person: String,
    /// Only entries of this status.
    pub status: String,
}

impl Here {
    fn current() -> Memo<Self> {
        let (week, shown) = (query_value("week"), query_value("as"));
        let (person, status) = (query_value("person"), query_value("status"));
        Memo::new(move |_| Self {
            week: week.get(),
            agenda: shown.get() == "agenda",
            person: person.get(),
            status: status.get(),
        })
    }

    fn is_filtered(&self) -> bool {
        !(self.person.is_empty() && self.status.is_empty())
    }

    fn shown(&self) -> &'static str {
        if self.agenda { "agenda" } else { "" }
    }

    fn with(&self, more: [(&str, &str); 3]) -> String {
        // They come from the address or the server; only what a date, a time or an id is made of goes back into a link.
        let clean = |text: &str| -> String {
            text.chars()
                .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | ':'))
                .collect()
        };
        let own = [
            ("week", self.week.as_str()),
            ("as", self.shown()),
            ("person", &self.person),
            ("status", &self.status),
        ];
        let mut address = "/msp/schedule".to_owned();
        let parts = own.into_iter().chain(more);
        let parts = parts.map(|(name, value)| (name, clean(value)));
        for (index, (name, value)) in parts.filter(|(_, value)| !value.is_empty()).enumerate() {
            address.push(if index == 0 { '?' } else { '&' });
            address.push_str(name);
            address.push('=');
            address.push_str(&value);
        }
        address
    }

    /// The address of what is shown.
    #[must_use]
    pub fn address(&self) -> String {
        self.with([("", ""); 3])
    }

    /// The address of an entry; of a series, of the occurrence of the day `part`.
    #[must_use]
    pub fn entry(&self, entry: &str, part: &str) -> String {
        self.with([("entry", entry), ("part", part), ("", "")])
    }

    /// The address of a new entry that begins then, `YYYY-MM-DDTHH:MM`.
    #[must_use]
    pub fn new_at(&self, at: &str) -> String {
        self.with([("entry", "new"), ("at", at), ("", "")])
    }

    /// The same as a list.
    #[must_use]
    pub fn agenda(&self) -> String {
        let agenda = Self {
            agenda: true,
            ..self.clone()
        };
        agenda.address()
    }

    fn of_week(&self, week: &str) -> Self {
        Self {
            week: week.to_owned(),
            ..self.clone()
        }
    }
}

#[component]
fn Week(view: ScheduleView, asked: Here) -> impl IntoView {
    let here = asked.of_week(&view.week_start);
    let (plan, filtered) = (here.entry("new", ""), here.is_filtered());
    let nothing = view.days.iter().all(|day| day.entries.is_empty());
    let empty = nothing.then(|| {
        if filtered {
            view! { <EmptyState title=t!("No entry of this week matches these filters")/> }
                .into_any()
        } else {
            view! {
                <EmptyState title=t!("Nothing is planned this week")>
                    <a class="db-btn" href=plan>{t!("Plan something")}</a>
                </EmptyState>
            }
            .into_any()
        }
    });
    let days: Vec<_> = view
        .days
        .into_iter()
        .map(|day| view! { <Day day here=here.clone()/> })
        .collect();
    let grid = view.grid.map(|grid| {
        let here = here.clone();
        view! { <div class="db-schedule__wide"><Grid grid here/></div> }
    });
    let list = if grid.is_some() {
        "db-schedule__narrow"
    } else {
        ""
    };
    let other = Here {
        agenda: !here.agenda,
        ..here.clone()
    };
    // Only where there is room for a grid there is a choice.
    let choice = if here.agenda {
        t!("Show as week")
    } else {
        t!("Show as agenda")
    };
    let link = |week: &str| here.of_week(week).address();
    let (previous, today, next) = (link(&view.previous), link(""), link(&view.next));
    view! {
        <header class="db-page-head">
            <h1>{t!("Schedule")}</h1>
            <p class="db-page-head__lede">{view.week_title}{t!(" · times in ")}{view.time_zone}</p>
            <nav class="db-page-head__actions" aria-label=t!("Weeks")>
                <a class="db-btn db-btn--quiet" href=previous>{t!("Previous week")}</a>
                <a class="db-btn db-btn--quiet" href=today>{t!("This week")}</a>
                <a class="db-btn db-btn--quiet" href=next>{t!("Next week")}</a>
                <a class="db-btn db-btn--quiet db-schedule__choice" href=other.address()>{choice}</a>
                <a class="db-btn db-btn--primary" href=here.entry("new", "")>{t!("New entry")}</a>
            </nav>
        </header>
        <Filters here=here.clone() people=view.people/>
        {empty}
        {grid}
        <div class=list><ol class="db-agenda">{days}</ol></div>
    }
    .into_any()
}

/// Who and which; a form like any other, its answers stand in the address.
#[component]
fn Filters(here: Here, people: Vec<PersonView>) -> impl IntoView {
    let clear = here.is_filtered().then(|| {
        let all = Here {
            person: String::new(),
            status: String::new(),
            ..here.clone()
        };
        view! { <a class="db-btn db-btn--quiet" href=all.address()>{t!("Clear filters")}</a> }
    });
    let shown = here
        .agenda
        .then(|| view! { <input type="hidden" name="as" value="agenda"/> });
    // Who sees only themselves has nobody to choose.
    let person = (people.len() > 1).then(|| {
        let mut options = vec![(String::new(), t!("Everybody").to_owned())];
        options.extend(people.into_iter().map(|one| (one.user_id, one.name)));
        let selected = here.person;
        view! { <SelectField id="schedule-person" name="person" label=t!("Person") options selected optional=true/> }
    });
    let statuses = [
        ("", t!("Every status")),
        ("scheduled", t!("Scheduled")),
        ("completed", t!("Completed")),
        ("cancelled", t!("Cancelled")),
    ]
    .map(|(key, word)| (key.to_owned(), word.to_owned()))
    .to_vec();
    view! {
        <form class="db-inline-form db-schedule__filters" method="get" action="/msp/schedule" aria-label=t!("Filters")>
            <input type="hidden" name="week" value=here.week/>
            {shown}
            {person}
            <SelectField id="schedule-status" name="status" label=t!("Status") options=statuses selected=here.status optional=true/>
            <div class="db-actions">
                <button type="submit" class="db-btn db-btn--secondary">{t!("Filter")}</button>
                {clear}
            </div>
        </form>
    }
    .into_any()
}

#[component]
fn Day(day: DayView, here: Here) -> impl IntoView {
    let content = if day.entries.is_empty() {
        view! { <p class="db-agenda__none">{t!("Free")}</p> }.into_any()
    } else {
        let entries: Vec<_> = day
            .entries
            .into_iter()
            .map(|entry| view! { <Entry entry here=here.clone()/> })
            .collect();
        view! { <ul class="db-agenda__entries">{entries}</ul> }.into_any()
    };
    let id = format!("day-{}", day.date);
    view! {
        <li class="db-agenda__day" id=id>
            <h2 class="db-agenda__title"><time datetime=day.date>{day.title}</time></h2>
            {content}
        </li>
    }
    .into_any()
}

#[component]
pub(super) fn Entry(entry: EntryView, here: Here) -> impl IntoView {
    let names = entry
        .assignees
        .iter()
        .map(|person| person.name.as_str())
        .collect::<Vec<_>>()
        .join(", ");
    let status = match entry.status.as_str() {
        "cancelled" => Some(t!("Cancelled")),
        "completed" => Some(t!("Completed")),
        _ => None,
    };
    let marked = match (entry.private, entry.shows == "free") {
        (true, true) => Some(t!("Private, shown as free")),
        (true, false) => Some(t!("Private")),
        (false, true) => Some(t!("Shown as free")),
        (false, false) => None,
    };
    // Occurrences share a title: the day tells their links apart.
    let (edit, part) = match entry.part {
        Some(part) => (t!("Edit {}, {}", entry.title, part.day), part.day),
        None => (t!("Edit {}", entry.title), String::new()),
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
            <a class="db-agenda__edit" href=here.entry(&entry.entry_id, &part) aria-label=edit>{t!("Edit")}</a>
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

/// The link that goes with an entry. One that leaves Daybind opens a page of its own, which learns nothing of this one.
#[component]
pub fn Leave(link: LinkView) -> impl IntoView {
    if link.href.starts_with("/msp/") {
        return view! { <p class="db-agenda__people"><a href=link.href>{link.text}</a></p> }
            .into_any();
    }
    view! {
        <p class="db-agenda__people">
            <a href=link.href target="_blank" rel="noopener noreferrer">
                {link.text}
                <span class="db-visually-hidden">{t!(" (opens in a new tab)")}</span>
            </a>
        </p>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::Here;

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
        let week = Here::default().of_week("2026-11-23");
        assert_eq!(
            week.entry("new", ""),
            "/msp/schedule?week=2026-11-23&entry=new"
        );
        assert_eq!(
            week.new_at("2026-11-24T09:00"),
            "/msp/schedule?week=2026-11-23&entry=new&at=2026-11-24T09:00"
        );
        assert_eq!(Here::default().address(), "/msp/schedule");
        let here = Here {
            week: "&x=<".to_owned(),
            agenda: true,
            person: "0d-1".to_owned(),
            status: "cancelled\"".to_owned(),
        };
        assert_eq!(
            here.entry("a\"b", "2026-11-24"),
            "/msp/schedule?week=x&as=agenda&person=0d-1&status=cancelled&entry=ab&part=2026-11-24"
        );
    }
}
