//! Operations > Activity: what sync did, run by run. Filters, place and the opened run stand in the address.

use daybind_app::api::activity::list_calendar_activity;
use daybind_app::api::calendar::ManageCalendarConnections;
use daybind_app::location::encode;
use daybind_app::pages::failure::Failure;
use daybind_app::ui::{
    CopyField, EmptyState, ErrorSummary, PageHead, PanelHead, Section, SelectField, StatusKind,
    StatusTag, Submit, TextField, TimeText, failed,
};
use daybind_domain::activity::{ActivityPageView, ActivityQuery, RunDetailView, RunView};
use daybind_words::t;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::activity_live::{Following, News};
use crate::entry_history::item;

/// Where the list is, unfiltered.
const HERE: &str = "/msp/operations?view=activity";

fn address(query: &ActivityQuery) -> String {
    query
        .pairs()
        .into_iter()
        .fold(HERE.to_owned(), |address, (name, value)| {
            format!("{address}&{name}={}", encode(value))
        })
}

/// The page.
#[component]
pub fn Activity() -> impl IntoView {
    let map = use_query_map();
    let query = Memo::new(move |_| {
        map.with(|map| {
            let get = |name: &str| map.get(name).unwrap_or_default();
            ActivityQuery {
                find: get("find"),
                connection: get("connection"),
                cause: get("cause"),
                result: get("result"),
                from: get("from"),
                until: get("until"),
                after: get("after"),
                run: get("run"),
            }
        })
    });
    let page = Resource::new(move || query.get(), list_calendar_activity);
    let news = News::of(query, page);
    view! {
        <PageHead title=t!("Activity") lede=t!("What each sync did, and why it did nothing.")/>
        <Following news/>
        <Transition fallback=|| view! { <p>{t!("Loading the activity …")}</p> }>
            {move || Suspend::new(async move {
                let asked = query.get_untracked();
                match page.await {
                    Ok(page) => view! { <Runs page asked/> }.into_any(),
                    Err(error) => view! {
                        <Failure error/>
                        <p><a class="db-btn db-btn--secondary" href=HERE>{t!("Clear filters")}</a></p>
                    }.into_any(),
                }
            })}
        </Transition>
    }
    .into_any()
}

#[component]
fn Runs(page: ActivityPageView, asked: ActivityQuery) -> impl IntoView {
    let filtered = asked.is_filtered();
    let opened = page
        .opened
        .map(|detail| view! { <Opened detail asked=asked.clone()/> });
    let list = if page.rows.is_empty() && filtered {
        view! {
            <EmptyState title=t!("No sync matches these filters")>
                <a class="db-btn db-btn--secondary" href=HERE>{t!("Clear filters")}</a>
            </EmptyState>
        }
        .into_any()
    } else if page.rows.is_empty() {
        view! {
            <EmptyState
                title=t!("Nothing has been synced yet")
                text=t!("As soon as somebody has connected a calendar under Profile > Calendar, each sync that did something appears here.")
            />
        }
        .into_any()
    } else {
        let rows: Vec<_> = page
            .rows
            .into_iter()
            .map(|run| view! { <Row run asked=asked.clone()/> })
            .collect();
        let newest = (!asked.after.is_empty()).then(|| {
            let first = ActivityQuery {
                after: String::new(),
                run: String::new(),
                ..asked.clone()
            };
            view! { <a class="db-btn db-btn--quiet" href=address(&first)>{t!("Newest")}</a> }
        });
        let older = page.next.map(|after| {
            let next = ActivityQuery {
                after,
                run: String::new(),
                ..asked.clone()
            };
            view! { <a class="db-btn db-btn--secondary" href=address(&next)>{t!("Older")}</a> }
        });
        view! {
            <table class="db-table" aria-label=t!("Syncs, newest first")>
                <thead>
                    <tr>
                        <th scope="col">{t!("When")}</th>
                        <th scope="col">{t!("Whose calendar")}</th>
                        <th scope="col">{t!("Set off by")}</th>
                        <th scope="col">{t!("Result")}</th>
                        <th scope="col">{t!("Took")}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
            <nav class="db-actions" aria-label=t!("Pages of the activity")>{newest}{older}</nav>
            <Export asked=asked.clone() rows=page.csv_rows/>
        }
        .into_any()
    };
    let kept = t!(
        "A look that found nothing to do is recorded only when somebody asked for it. Runs are kept for {} days.",
        page.kept_days
    );
    view! {
        <Section title=t!("Syncs") id="syncs-heading">
            <div class="db-stack">
                <Filters asked filtered/>
                {opened}
                {list}
                <p class="db-field__hint">{kept}</p>
            </div>
        </Section>
    }
    .into_any()
}

/// A plain form: its answer is an address that can be sent to a colleague.
#[component]
fn Filters(asked: ActivityQuery, filtered: bool) -> impl IntoView {
    let list = |all: &[(&str, &str)]| -> Vec<(String, String)> {
        all.iter()
            .map(|(key, label)| ((*key).to_owned(), (*label).to_owned()))
            .collect()
    };
    let causes = list(&[
        ("", t!("Anything")),
        ("notification", t!("The calendar told of a change")),
        ("schedule", t!("A change in the schedule")),
        ("person", t!("Somebody asked for it")),
        ("poll", t!("A regular look")),
        ("start", t!("The connection began or went on")),
        ("retry", t!("Tried again after a failure")),
    ]);
    let results = list(&[
        ("", t!("Any")),
        ("changed", t!("Something was changed")),
        ("nothing", t!("Nothing was changed")),
        ("failed", t!("Failed")),
        ("paused", t!("Stopped to ask")),
    ]);
    let only = (!asked.connection.is_empty()).then(|| {
        view! { <input type="hidden" name="connection" value=asked.connection.clone()/> }
    });
    let one = (!asked.connection.is_empty()).then(
        || view! { <p class="db-field__hint">{t!("Only the syncs of one connection are shown.")}</p> },
    );
    let clear = filtered
        .then(|| view! { <a class="db-btn db-btn--quiet" href=HERE>{t!("Clear filters")}</a> });
    view! {
        {one}
        <form class="db-inline-form" method="get" action="/msp/operations" aria-label=t!("Filters")>
            <input type="hidden" name="view" value="activity"/>
            {only}
            <TextField id="activity-find" name="find" label=t!("Person, account or calendar") value=asked.find optional=true/>
            <SelectField id="activity-cause" name="cause" label=t!("Set off by") options=causes selected=asked.cause optional=true/>
            <SelectField id="activity-result" name="result" label=t!("Result") options=results selected=asked.result optional=true/>
            <TextField id="activity-from" name="from" label=t!("From day") kind="date" value=asked.from optional=true/>
            <TextField id="activity-until" name="until" label=t!("To day") kind="date" value=asked.until optional=true/>
            <div class="db-actions">
                <button type="submit" class="db-btn db-btn--secondary">{t!("Filter")}</button>
                {clear}
            </div>
        </form>
    }
    .into_any()
}

fn tag(outcome: &str) -> StatusKind {
    match outcome {
        "failed" => StatusKind::Failed,
        "paused" => StatusKind::NeedsYou,
        _ => StatusKind::Working,
    }
}

#[component]
fn Row(run: RunView, asked: ActivityQuery) -> impl IntoView {
    let kind = tag(&run.outcome);
    let current = (asked.run == run.run_id).then_some("true");
    let href = address(&ActivityQuery {
        run: run.run_id.clone(),
        ..asked
    });
    view! {
        <tr aria-current=current>
            <th scope="row" data-label=t!("When")>
                <a href=href><TimeText datetime=run.at_utc text=run.at/></a>
            </th>
            <td data-label=t!("Whose calendar")>{run.owner}<p class="db-field__hint">{run.calendar}</p></td>
            <td data-label=t!("Set off by")>{run.cause}</td>
            <td data-label=t!("Result")><StatusTag kind/><p class="db-field__hint">{run.result}</p></td>
            <td data-label=t!("Took")>{run.took}</td>
        </tr>
    }
    .into_any()
}

/// What one run did.
#[component]
fn Opened(detail: RunDetailView, asked: ActivityQuery) -> impl IntoView {
    let manage = ServerAction::<ManageCalendarConnections>::new();
    let close = address(&ActivityQuery {
        run: String::new(),
        ..asked
    });
    let run = detail.run;
    let kind = tag(&run.outcome);
    let items: Vec<_> = detail
        .items
        .into_iter()
        .map(|one| item(one.item, about(one.entry, one.entry_id), None))
        .collect();
    let list = if items.is_empty() {
        view! { <p>{t!("It changed no entry and no event.")}</p> }.into_any()
    } else {
        view! { <ol class="db-history__list">{items}</ol> }.into_any()
    };
    let more = detail
        .more
        .then(|| view! { <p class="db-field__hint">{t!("It did more than is shown here; each entry's own history has it all.")}</p> });
    let whose = run.connection_id.clone();
    let again = detail.can_sync.then(|| {
        view! {
            <ActionForm action=manage>
                <input type="hidden" name="action" value="sync"/>
                <input type="hidden" name="connection_ids[]" value=whose/>
                <input type="hidden" name="single" value="true"/>
                <Submit label=t!("Sync this calendar now") pending=manage.pending() look="secondary"/>
            </ActionForm>
        }
    });
    let connection = format!(
        "/msp/settings?tab=integrations&category=calendar&connection={}",
        run.connection_id
    );
    view! {
        <section class="db-sheet" aria-labelledby="run-heading">
            <PanelHead id="run-heading" title=format!("{}, {}", run.owner, run.at)/>
            <ErrorSummary error=failed(manage)/>
            <p><StatusTag kind/></p>
            <dl class="db-facts">
                <dt>{t!("Calendar")}</dt>
                <dd><a href=connection>{run.calendar}</a></dd>
                <dt>{t!("Set off by")}</dt>
                <dd>{run.cause}</dd>
                <dt>{t!("Result")}</dt>
                <dd>{run.result}</dd>
                <dt>{t!("Took")}</dt>
                <dd>{run.took}</dd>
            </dl>
            <CopyField label=t!("Run, as the logs name it") value=run.run_id/>
            {list}
            {more}
            <div class="db-actions">
                {again}
                <a class="db-btn db-btn--quiet" href=close>{t!("Close")}</a>
            </div>
        </section>
    }
    .into_any()
}

/// The entry, by a link where it is still there.
fn about(title: String, entry_id: Option<String>) -> Option<AnyView> {
    (!title.is_empty()).then(|| match entry_id {
        Some(id) => {
            let href = format!("/msp/schedule?entry={id}");
            view! { <p><a href=href>{title}</a></p> }.into_any()
        }
        None => view! { <p>{title}{t!(" (deleted)")}</p> }.into_any(),
    })
}

/// The download, with its limit said beforehand.
#[component]
fn Export(asked: ActivityQuery, rows: usize) -> impl IntoView {
    let fields: Vec<_> = asked
        .pairs()
        .into_iter()
        .filter(|(name, _)| !matches!(*name, "after" | "run"))
        .map(|(name, value)| view! { <input type="hidden" name=name value=value.to_owned()/> })
        .collect();
    let rows = daybind_words::number(rows);
    let hint = t!(
        "The newest {rows} rows of these filters at most; the file's last line says when there are more."
    );
    view! {
        <form class="db-download" method="post" action="/msp/operations/activity.csv">
            {fields}
            <p class="db-field__hint" id="export-hint">{hint}</p>
            <button type="submit" class="db-btn db-btn--secondary" aria-describedby="export-hint">{t!("Download as CSV")}</button>
        </form>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_keeps_what_was_asked() {
        let query = ActivityQuery {
            find: "a&b ä".to_owned(),
            result: "failed".to_owned(),
            run: "r".to_owned(),
            ..ActivityQuery::default()
        };
        assert_eq!(
            address(&query),
            "/msp/operations?view=activity&find=a%26b%20%C3%A4&result=failed&run=r"
        );
        assert!(query.is_filtered());
    }
}
