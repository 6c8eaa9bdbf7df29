//! Settings > Integrations > Calendar: how calendar sync stands for the whole MSP. Filters and page stand in the address.

use daybind_app::api::calendar::{ManageCalendarConnections, get_calendar_settings};
use daybind_app::live::{Changed, moves};
use daybind_app::location::encode;
use daybind_app::pages::failure::Failure;
use daybind_app::pages::query_value;
use daybind_app::pages::settings::category_address;
use daybind_app::ui::{
    Announcement, BannerKind, EmptyState, ErrorSummary, PageHead, Section, SelectField, StatusKind,
    StatusTag, Submit, TextField, failed, keep_focus, successes,
};
use daybind_domain::view::{
    CalendarSettingsView, ConnectionView, CoverageQuery, CoverageView, PersonView,
};
use daybind_words::t;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::calendar_pause::lengths;
use crate::conflict_inbox::{self, ConflictInbox};
use crate::connection::status;
use crate::connection_detail::{ConnectionDetail, facts};

fn address(query: &CoverageQuery) -> String {
    query
        .pairs()
        .into_iter()
        .fold(category_address("calendar"), |address, (name, value)| {
            format!("{address}&{name}={}", encode(value))
        })
}

/// The category: coverage, the connections that were asked for, and what can be connected.
#[component]
pub fn CalendarSettings() -> impl IntoView {
    let map = use_query_map();
    let query = Memo::new(move |_| {
        map.with(|map| {
            let get = |name: &str| map.get(name).unwrap_or_default();
            CoverageQuery {
                show: get("show"),
                provider: get("provider"),
                find: get("find"),
                page: get("page"),
            }
        })
    });
    let (saved, connection) = (query_value("saved"), query_value("connection"));
    let view = query_value("view");
    let counts = (query_value("done"), query_value("left"));
    let announcement = move || {
        let here = match connection.get() {
            id if id.is_empty() => address(&query.get()),
            id => single(&id),
        };
        let number = |count: Memo<String>| count.with(|count| count.parse().unwrap_or(0));
        told(&saved.get(), number(counts.0), number(counts.1)).map(|(kind, text)| {
            view! { <Announcement kind text dismiss=here/> }
        })
    };
    view! {
        <PageHead
            title=t!("Calendar")
            lede=t!("Technicians connect their own calendars under Profile > Calendar. Here you see how that stands.")
        />
        {announcement}
        {move || match connection.get() {
            _ if view.with(|view| view == "conflicts") => view! { <ConflictInbox/> }.into_any(),
            id if id.is_empty() => view! { <Connections query/> }.into_any(),
            id => view! { <ConnectionDetail connection_id=id/> }.into_any(),
        }}
    }
    .into_any()
}

/// The address of one connection's page.
fn single(connection_id: &str) -> String {
    let all = category_address("calendar");
    format!("{all}&connection={}", encode(connection_id))
}

/// What became of what was asked for.
fn told(action: &str, done: usize, left: usize) -> Option<(BannerKind, String)> {
    let many = match done {
        1 => t!("1 connection").to_owned(),
        done => t!("{done} connections"),
    };
    let mut text = match action {
        "sync" => t!("A sync of {many} has been started."),
        "pause" if done == 1 => t!("{many} is paused."),
        "pause" => t!("{many} are paused."),
        "resume" if done == 1 => t!("{many} is going on."),
        "resume" => t!("{many} are going on."),
        "resync" => t!("The next sync of {many} reads everything again. It has been started."),
        "renew" if done == 1 => t!(
            "The push subscription of {many} is renewed now. The connection's page says under Health what came of it."
        ),
        "renew" => t!(
            "The push subscriptions of {many} are renewed now. Each connection's page says under Health what came of it."
        ),
        _ => return None,
    };
    match left {
        0 => return Some((BannerKind::Success, text)),
        1 => text.push_str(t!(
            " One was left as it is: this cannot be done with it now."
        )),
        left => text.push_str(&t!(
            " {left} were left as they are: this cannot be done with them now."
        )),
    }
    Some((BannerKind::Warning, text))
}

/// Coverage and list.
#[component]
fn Connections(query: Memo<CoverageQuery>) -> impl IntoView {
    let manage = ServerAction::<ManageCalendarConnections>::new();
    let managed = successes(manage);
    let view = Resource::new(
        move || (managed.get(), query.get()),
        |(_, query)| get_calendar_settings(query),
    );
    keep_focus(view, move || managed.get());
    view! {
        <ErrorSummary error=failed(manage) fields=&[("connection_ids", "manage-action"), ("hours", "manage-hours")]/>
        <Transition fallback=|| view! { <p>{t!("Loading the connections …")}</p> }>
            {move || Suspend::new(async move {
                let asked = query.get_untracked();
                match view.await {
                    Ok(view) => view! { <Overview view asked manage/> }.into_any(),
                    Err(error) => view! { <Failure error/> }.into_any(),
                }
            })}
        </Transition>
        <Changed
            topics=&["connection", "conflict"]
            shown=view
            read=move || get_calendar_settings(query.get_untracked())
            text=t!("The connections have changed.")
            news=moves
        />
    }
    .into_any()
}

#[component]
fn Overview(
    view: CalendarSettingsView,
    asked: CoverageQuery,
    manage: ServerAction<ManageCalendarConnections>,
) -> impl IntoView {
    let (can_update, matching) = (view.can_update, view.matching);
    let (title, list) = if asked.show == "without" {
        (
            t!("People without a connection"),
            people(view.without, &asked),
        )
    } else {
        let title = match asked.show.as_str() {
            "attention" => t!("Connections that need attention"),
            "conflicts" => t!("Connections with conflicts"),
            "paused" => t!("Paused connections"),
            _ => t!("Connections"),
        };
        let some = can_update && !view.connections.is_empty();
        let list = connections(view.connections, &asked, some);
        if some {
            let asked = asked.clone();
            let list = view! { <Manage asked matching manage list/> };
            (title, list.into_any())
        } else {
            (title, list)
        }
    };
    let pages = turns(&asked, view.page, view.pages, view.matching);
    let file = (matching > 0).then(|| view! { <Export asked=asked.clone()/> });
    view! {
        <Coverage coverage=view.coverage show=asked.show.clone()/>
        <Section title=title id="connections-heading">
            <Filters asked/>
            {list}
            {pages}
            {file}
        </Section>
        <Ready microsoft_profile=view.microsoft_profile google_ready=view.google_ready/>
        <Section title=t!("Rules") id="rules-heading">
            <p>{t!("They hold for every connection. What an owner chose stands on the page of the connection.")}</p>
            {facts(view.rules)}
        </Section>
    }
    .into_any()
}

/// Four numbers that are filters (the conflicts lead to their list), and the share in words and as a bar.
#[component]
fn Coverage(coverage: CoverageView, show: String) -> impl IntoView {
    let without = coverage.people.saturating_sub(coverage.connected);
    let figures: Vec<_> = [
        ("", t!("Connected"), coverage.connected),
        ("without", t!("Not connected"), without),
        ("attention", t!("Need attention"), coverage.attention),
        ("conflicts", t!("Conflicts"), coverage.conflicts),
        ("paused", t!("Paused"), coverage.paused),
    ]
    .into_iter()
    // Rests are rare; where there is none it says nothing.
    .filter(|(key, _, count)| *key != "paused" || *count > 0)
    .map(|(key, label, count)| {
        let query = CoverageQuery {
            show: key.to_owned(),
            ..CoverageQuery::default()
        };
        let current = (show == key).then_some("true");
        // What waits for an answer is a list of its own.
        let href = match key {
            "conflicts" => conflict_inbox::address(),
            _ => address(&query),
        };
        view! {
            <li class="db-coverage__figure">
                <a href=href aria-current=current>
                    <span class="db-coverage__count">{count}</span>
                    " "
                    {label}
                </a>
            </li>
        }
    })
    .collect();
    let share = t!(
        "{} of {} people have connected a calendar.",
        coverage.connected,
        coverage.people
    );
    view! {
        <section class="db-coverage" aria-labelledby="coverage-heading">
            <h2 id="coverage-heading" class="db-visually-hidden">{t!("Coverage")}</h2>
            <ul class="db-coverage__figures">{figures}</ul>
            <meter
                class="db-coverage__bar"
                min="0"
                max=coverage.people.max(1).to_string()
                value=coverage.connected.to_string()
                aria-labelledby="coverage-share"
            ></meter>
            <p id="coverage-share">{share}</p>
        </section>
    }
    .into_any()
}

/// A plain form: its answer is an address that can be sent to a colleague.
#[component]
fn Filters(asked: CoverageQuery) -> impl IntoView {
    let filtered = asked.pairs().iter().any(|(name, _)| *name != "page");
    let clear = filtered.then(|| {
        view! { <a class="db-btn db-btn--quiet" href=category_address("calendar")>{t!("Clear filters")}</a> }
    });
    let shows = [
        ("", t!("All connections")),
        ("attention", t!("Need attention")),
        ("conflicts", t!("Conflicts")),
        ("paused", t!("Paused")),
        ("without", t!("Not connected")),
    ]
    .map(|(key, label)| (key.to_owned(), label.to_owned()))
    .to_vec();
    let providers = [
        ("", t!("Both")),
        ("google", "Google Calendar"),
        ("microsoft", "Outlook"),
    ]
    .map(|(key, label)| (key.to_owned(), label.to_owned()))
    .to_vec();
    view! {
        <form class="db-inline-form" method="get" action="/msp/settings" aria-label=t!("Filters")>
            <input type="hidden" name="tab" value="integrations"/>
            <input type="hidden" name="category" value="calendar"/>
            <SelectField id="coverage-show" name="show" label=t!("Show") options=shows selected=asked.show optional=true/>
            <SelectField id="coverage-provider" name="provider" label=t!("Provider") options=providers selected=asked.provider optional=true/>
            <TextField id="coverage-find" name="find" label=t!("Search") value=asked.find optional=true/>
            <div class="db-actions">
                <button type="submit" class="db-btn db-btn--secondary">{t!("Filter")}</button>
                {clear}
            </div>
        </form>
    }
    .into_any()
}

fn people(people: Vec<PersonView>, asked: &CoverageQuery) -> AnyView {
    if people.is_empty() {
        let title = if asked.find.is_empty() {
            t!("Everybody has a connected calendar")
        } else {
            t!("Nobody without a connection matches")
        };
        return view! { <EmptyState title/> }.into_any();
    }
    let people: Vec<_> = people
        .into_iter()
        .map(|person| view! { <li>{person.name}</li> })
        .collect();
    view! {
        <p>{t!("They connect their calendars themselves, under Profile > Calendar.")}</p>
        <ul>{people}</ul>
    }
    .into_any()
}

fn connections(rows: Vec<ConnectionView>, asked: &CoverageQuery, choose: bool) -> AnyView {
    if rows.is_empty() {
        let known = ["", "attention", "conflicts", "paused"].contains(&asked.show.as_str());
        let narrowed = !asked.find.is_empty() || !asked.provider.is_empty() || !known;
        return match (narrowed, asked.show.as_str()) {
            (true, _) => view! { <EmptyState title=t!("No connection matches these filters")/> }.into_any(),
            (_, "attention") => view! {
                <EmptyState title=t!("Nothing needs attention") text=t!("Every connection works by itself.")/>
            }
            .into_any(),
            (_, "conflicts") => view! {
                <EmptyState title=t!("There are no conflicts") text=t!("Where both sides changed the same thing, its person is asked.")/>
            }
            .into_any(),
            (_, "paused") => view! { <EmptyState title=t!("No connection is paused")/> }.into_any(),
            _ => view! {
                <EmptyState
                    title=t!("Nobody has connected a calendar yet")
                    text=t!("Technicians do that under Profile > Calendar.")
                />
            }
            .into_any(),
        };
    }
    let rows: Vec<_> = rows.into_iter().map(|one| row(one, choose)).collect();
    view! {
        <table class="db-table" aria-labelledby="connections-heading">
            <thead>
                <tr>
                    {choose.then(|| view! { <th scope="col">{t!("Choose")}</th> })}
                    <th scope="col">{t!("Person")}</th>
                    <th scope="col">{t!("Account")}</th>
                    <th scope="col">{t!("Calendar")}</th>
                    <th scope="col">{t!("Status")}</th>
                    <th scope="col">{t!("Last sync")}</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

/// All that match, as a file.
#[component]
fn Export(asked: CoverageQuery) -> impl IntoView {
    let fields: Vec<_> = asked
        .pairs()
        .into_iter()
        .filter(|(name, _)| *name != "page")
        .map(|(name, value)| view! { <input type="hidden" name=name value=value.to_owned()/> })
        .collect();
    view! {
        <form method="post" action="/msp/settings/connections.csv" class="db-export">
            {fields}
            <button type="submit" class="db-btn db-btn--quiet">{t!("Download as CSV")}</button>
        </form>
    }
    .into_any()
}

/// Does the same with many: those that are ticked, or all that match.
#[component]
fn Manage(
    asked: CoverageQuery,
    matching: usize,
    manage: ServerAction<ManageCalendarConnections>,
    list: AnyView,
) -> impl IntoView {
    let hidden: Vec<_> = asked
        .pairs()
        .into_iter()
        .map(|(name, value)| {
            let (name, value) = (format!("query[{name}]"), value.to_owned());
            view! { <input type="hidden" name=name value=value/> }
        })
        .collect();
    let actions = [
        ("sync", t!("Sync now")),
        ("pause", t!("Pause")),
        ("resume", t!("Resume")),
        ("resync", t!("Read everything again")),
        ("renew", t!("Renew subscription")),
    ]
    .map(|(key, label)| (key.to_owned(), label.to_owned()))
    .to_vec();
    let all = match matching {
        1 => t!("The one that matches").to_owned(),
        many => t!("All {many} that match, on every page"),
    };
    view! {
        <ActionForm action=manage>
            {hidden}
            {list}
            <fieldset class="db-manage">
                <legend class="db-field__label">{t!("With the chosen connections")}</legend>
                <p class="db-field db-field--check">
                    <input type="checkbox" name="all" value="true" id="manage-all"/>
                    <label for="manage-all">{all}</label>
                </p>
                <div class="db-inline-form">
                    <SelectField id="manage-action" name="action" label=t!("Do") options=actions selected="sync"/>
                    <SelectField id="manage-hours" name="hours" label=t!("Pauses last") options=lengths() selected="24" optional=true/>
                    <div class="db-actions">
                        <Submit label=t!("Apply") pending=manage.pending() look="secondary"/>
                    </div>
                </div>
            </fieldset>
        </ActionForm>
    }
    .into_any()
}

fn row(connection: ConnectionView, choose: bool) -> AnyView {
    let href = single(&connection.connection_id);
    let choose = choose.then(|| {
        let label = format!("{}, {}", connection.owner, connection.provider_label);
        view! {
            <td data-label=t!("Choose")>
                <input
                    type="checkbox"
                    name="connection_ids[]"
                    value=connection.connection_id.clone()
                    aria-label=label
                />
            </td>
        }
    });
    let kind = status(&connection.status);
    let calendar = if connection.calendar_name.is_empty() {
        t!("Not chosen yet").to_owned()
    } else {
        connection.calendar_name
    };
    let way = match connection.direction.as_str() {
        "to_external" => t!("Changes go there"),
        "from_external" => t!("Changes come from there"),
        _ => t!("Both ways"),
    };
    view! {
        <tr>
            {choose}
            <th scope="row"><a href=href>{connection.owner}</a></th>
            <td data-label=t!("Account")>{connection.provider_label}<p class="db-field__hint">{connection.account}</p><p class="db-field__hint">{connection.through}</p></td>
            <td data-label=t!("Calendar")>{calendar}<p class="db-field__hint">{way}</p></td>
            <td data-label=t!("Status")><StatusTag kind/><p class="db-field__hint">{connection.status_text}</p></td>
            <td data-label=t!("Last sync")>{connection.last_sync.unwrap_or_else(|| t!("Never").to_owned())}</td>
        </tr>
    }
    .into_any()
}

/// To the page before and after; nothing where there is only one.
fn turns(asked: &CoverageQuery, page: usize, pages: usize, matching: usize) -> Option<AnyView> {
    let to = |page: usize, label: &'static str| {
        let query = CoverageQuery {
            page: page.to_string(),
            ..asked.clone()
        };
        view! { <a class="db-btn db-btn--secondary" href=address(&query)>{label}</a> }
    };
    (pages > 1).then(|| {
        let before = (page > 1).then(|| to(page - 1, t!("Previous page")));
        let after = (page < pages).then(|| to(page + 1, t!("Next page")));
        view! {
            <nav class="db-actions" aria-label=t!("Pages")>
                <p>{t!("Page {page} of {pages}, {matching} altogether.")}</p>
                {before}
                {after}
            </nav>
        }
        .into_any()
    })
}

/// What can be connected. Stored is not proven: only somebody's connection tests it.
#[component]
fn Ready(microsoft_profile: Option<String>, google_ready: bool) -> impl IntoView {
    let (outlook_kind, outlook) = match microsoft_profile {
        Some(name) => (
            StatusKind::NotTested,
            t!("Calendar uses the Microsoft profile “{name}”."),
        ),
        None => (
            StatusKind::NotConnected,
            t!("No Microsoft profile is chosen for Calendar, so Outlook cannot be connected.")
                .to_owned(),
        ),
    };
    let (google_kind, google) = if google_ready {
        (
            StatusKind::NotTested,
            t!("Your Google OAuth client is stored."),
        )
    } else {
        (
            StatusKind::NotConnected,
            t!("No Google OAuth client is stored, so Google Calendar cannot be connected."),
        )
    };
    view! {
        <Section title=t!("What can be connected") id="ready-heading">
            <dl class="db-facts">
                <dt>"Outlook"</dt>
                <dd><StatusTag kind=outlook_kind/><p class="db-field__hint">{outlook}</p></dd>
                <dt>"Google Calendar"</dt>
                <dd><StatusTag kind=google_kind/><p class="db-field__hint">{google}</p></dd>
            </dl>
            <p><a href=category_address("providers")>{t!("Change this under Providers")}</a></p>
        </Section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_keeps_what_was_asked() {
        let query = CoverageQuery {
            show: "attention".to_owned(),
            find: "a&b ä".to_owned(),
            ..CoverageQuery::default()
        };
        assert_eq!(
            address(&query),
            "/msp/settings?tab=integrations&category=calendar&show=attention&find=a%26b%20%C3%A4"
        );
    }
}
