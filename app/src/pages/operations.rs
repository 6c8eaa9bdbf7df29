//! Operations: the edition's views, and the audit log: who changed what, when, from where and why. Filters and place stand in the address.

use daybind_domain::audit::{AuditChange, AuditPageView, AuditQuery, AuditRowView};
use daybind_words::t;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use super::failure::Failure;
use super::query_value;
use crate::api::audit::list_audit;
use crate::entries::Entries;
use crate::location::encode;
use crate::ui::{EmptyState, PageHead, SelectField, TextField, TimeText};

/// Where the log is, unfiltered.
const HERE: &str = "/msp/operations?view=audit";

fn address(query: &AuditQuery) -> String {
    query
        .pairs()
        .into_iter()
        .fold(HERE.to_owned(), |address, (name, value)| {
            format!("{address}&{name}={}", encode(value))
        })
}

/// The page, for its route.
#[must_use]
pub fn page() -> AnyView {
    view! { <OperationsPage/> }.into_any()
}

/// `/msp/operations`: `view` chooses what is shown. Stale addresses never arrive here: the server sends them on.
#[component]
fn OperationsPage() -> impl IntoView {
    let entries = Entries::current();
    let view = query_value("view");
    let shown = Memo::new(move |_| {
        let mut places = entries.operations.iter();
        view.with(|view| places.find(|place| view == place.key).copied())
    });
    // One view alone needs no way to it.
    let nav = (!entries.operations.is_empty()).then(|| {
        let here = move |key: Option<&'static str>| {
            move || (shown.get().map(|place| place.key) == key).then_some("page")
        };
        let links: Vec<_> = entries
            .operations
            .iter()
            .map(|place| {
                let href = format!("/msp/operations?view={}", place.key);
                view! { <li><a href=href aria-current=here(Some(place.key))>{(place.label)()}</a></li> }
            })
            .collect();
        view! {
            <nav class="db-tabs" aria-label=t!("Operations")>
                <ul>
                    {links}
                    <li><a href=HERE aria-current=here(None)>{t!("Audit log")}</a></li>
                </ul>
            </nav>
        }
    });
    view! {
        {nav}
        {move || match (shown.get(), entries.operations_view) {
            (Some(place), Some(view)) => {
                let title = format!("{} · Daybind", (place.label)());
                view! { <Title text=title/> {view(place.key)} }.into_any()
            }
            _ => view! { <AuditLog/> }.into_any(),
        }}
    }
    .into_any()
}

/// The audit log.
#[component]
fn AuditLog() -> impl IntoView {
    let map = use_query_map();
    let query = Memo::new(move |_| {
        map.with(|map| {
            let get = |name: &str| map.get(name).unwrap_or_default();
            AuditQuery {
                actor: get("actor"),
                action: get("action"),
                subject: get("subject"),
                from: get("from"),
                until: get("until"),
                after: get("after"),
            }
        })
    });
    let page = Resource::new(move || query.get(), list_audit);
    view! {
        <Title text=t!("Audit log · Daybind")/>
        <PageHead
            title=t!("Audit log")
            lede=t!("Every security-relevant change. Rows are added, never changed or removed.")
        />
        <Transition fallback=|| view! { <p>{t!("Loading the log …")}</p> }>
            {move || Suspend::new(async move {
                let asked = query.get_untracked();
                match page.await {
                    Ok(page) => view! { <Log page asked/> }.into_any(),
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
fn Log(page: AuditPageView, asked: AuditQuery) -> impl IntoView {
    let filtered = asked.is_filtered();
    let newest = (!asked.after.is_empty()).then(|| {
        let first = AuditQuery {
            after: String::new(),
            ..asked.clone()
        };
        view! { <a class="db-btn db-btn--quiet" href=address(&first)>{t!("Newest")}</a> }
    });
    let older = page.next.clone().map(|after| {
        let next = AuditQuery {
            after,
            ..asked.clone()
        };
        view! { <a class="db-btn db-btn--secondary" href=address(&next)>{t!("Older")}</a> }
    });
    let export = view! { <Export asked=asked.clone() rows=page.csv_rows/> };
    let table = if page.rows.is_empty() && filtered {
        view! {
            <EmptyState title=t!("No change matches these filters")>
                <a class="db-btn db-btn--secondary" href=HERE>{t!("Clear filters")}</a>
            </EmptyState>
        }
        .into_any()
    } else if page.rows.is_empty() {
        view! {
            <EmptyState title=t!("Nothing has been changed yet") text=t!("Changes of profiles, bindings and people will appear here.")/>
        }
        .into_any()
    } else {
        let rows: Vec<_> = page
            .rows
            .iter()
            .map(|row| view! { <Row row=row.clone()/> })
            .collect();
        view! {
            <table class="db-table" aria-label=t!("Changes, newest first")>
                <thead>
                    <tr>
                        <th scope="col">{t!("When")}</th>
                        <th scope="col">{t!("Who")}</th>
                        <th scope="col">{t!("What")}</th>
                        <th scope="col">{t!("Before and after")}</th>
                        <th scope="col">{t!("Note")}</th>
                        <th scope="col">{t!("From where")}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
            <nav class="db-actions" aria-label=t!("Pages of the log")>{newest}{older}</nav>
            {export}
        }
        .into_any()
    };
    view! {
        <div class="db-stack">
            <Filters page=page.clone() asked filtered/>
            {table}
        </div>
    }
    .into_any()
}

/// A plain form: its answer is an address that can be sent to a colleague.
#[component]
fn Filters(page: AuditPageView, asked: AuditQuery, filtered: bool) -> impl IntoView {
    let mut people = vec![
        (String::new(), t!("Everybody").to_owned()),
        ("server".to_owned(), t!("Daybind itself").to_owned()),
    ];
    people.extend(page.people.into_iter().map(|one| (one.user_id, one.name)));
    let mut actions = vec![(String::new(), t!("Everything").to_owned())];
    actions.extend(page.actions);
    // A group of actions comes from a link; it stays chosen.
    if !actions.iter().any(|(key, _)| *key == asked.action) {
        actions.push((asked.action.clone(), asked.action.clone()));
    }
    let clear = filtered
        .then(|| view! { <a class="db-btn db-btn--quiet" href=HERE>{t!("Clear filters")}</a> });
    view! {
        <form class="db-inline-form" method="get" action="/msp/operations" aria-label=t!("Filters")>
            <input type="hidden" name="view" value="audit"/>
            <SelectField id="audit-actor" name="actor" label=t!("Who") options=people selected=asked.actor optional=true/>
            <SelectField id="audit-action" name="action" label=t!("What") options=actions selected=asked.action optional=true/>
            <TextField id="audit-subject" name="subject" label=t!("Subject begins with") value=asked.subject optional=true mono=true/>
            <TextField id="audit-from" name="from" label=t!("From day") kind="date" value=asked.from optional=true/>
            <TextField id="audit-until" name="until" label=t!("To day") kind="date" value=asked.until optional=true/>
            <div class="db-actions">
                <button type="submit" class="db-btn db-btn--secondary">{t!("Filter")}</button>
                {clear}
            </div>
        </form>
    }
    .into_any()
}

#[component]
fn Row(row: AuditRowView) -> impl IntoView {
    let changes: Vec<_> = row
        .changes
        .into_iter()
        .map(|change| {
            let field = (!change.field.is_empty()).then(|| format!("{}: ", change.field));
            view! { <li>{field}<span data-record="">{told(&change)}</span></li> }
        })
        .collect();
    let changes = (!changes.is_empty()).then(|| view! { <ul>{changes}</ul> });
    let request = row
        .request_id
        .map(|id| view! { <p class="db-field__hint">{t!("Request ")}<code>{id}</code></p> });
    let agent = row
        .user_agent
        .map(|text| view! { <p class="db-field__hint">{text}</p> });
    view! {
        <tr>
            <th scope="row" data-label=t!("When")><TimeText datetime=row.at_utc text=row.at/></th>
            <td data-label=t!("Who")>{row.actor}</td>
            <td data-label=t!("What")>
                {row.action_text}
                <p class="db-field__hint" data-record="">{row.subject_text}</p>
            </td>
            <td data-label=t!("Before and after")>{changes}</td>
            <td data-label=t!("Note")>{row.note}</td>
            <td data-label=t!("From where") data-record="">{row.ip}{agent}{request}</td>
        </tr>
    }
    .into_any()
}

/// "Main → Spare"
fn told(change: &AuditChange) -> String {
    match (&change.before, &change.after) {
        (Some(before), Some(after)) => format!("{before} → {after}"),
        (Some(before), None) => t!("{before} → nothing"),
        (None, Some(after)) => after.clone(),
        (None, None) => t!("nothing").to_owned(),
    }
}

/// The download, with its limit said beforehand.
#[component]
fn Export(asked: AuditQuery, rows: usize) -> impl IntoView {
    let fields: Vec<_> = asked
        .pairs()
        .into_iter()
        .filter(|(name, _)| *name != "after")
        .map(|(name, value)| view! { <input type="hidden" name=name value=value.to_owned()/> })
        .collect();
    let rows = daybind_words::number(rows);
    let hint = t!(
        "The newest {rows} rows of these filters at most; the file's last line says when there are more."
    );
    view! {
        <form class="db-download" method="post" action="/msp/operations/audit.csv">
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
        let query = AuditQuery {
            action: "binding.".to_owned(),
            subject: "a&b ä".to_owned(),
            ..AuditQuery::default()
        };
        assert_eq!(
            address(&query),
            "/msp/operations?view=audit&action=binding.&subject=a%26b%20%C3%A4"
        );
    }

    #[test]
    fn changes_are_told_in_one_line() {
        let change = |before: Option<&str>, after: Option<&str>| {
            told(&AuditChange {
                field: "Cloud".to_owned(),
                before: before.map(str::to_owned),
                after: after.map(str::to_owned),
            })
        };
        assert_eq!(change(Some("A"), Some("B")), "A → B");
        assert_eq!(change(Some("A"), None), "A → nothing");
        assert_eq!(change(None, Some("changed")), "changed");
    }
}
