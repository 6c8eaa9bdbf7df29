//! Settings > Integrations > Calendar, what waits for whom: the open conflicts of all people, to be looked at and not touched.

use daybind_app::api::calendar::list_calendar_conflicts;
use daybind_app::pages::failure::Failure;
use daybind_app::pages::query_value;
use daybind_app::pages::settings::category_address;
use daybind_app::ui::{Banner, BannerKind, CopyField};
use daybind_domain::conflict_view::{ConflictInboxView, InboxItemView, InboxPersonView};
use daybind_words::t;
use leptos::prelude::*;

/// Its address.
pub fn address() -> String {
    format!("{}&view=conflicts", category_address("calendar"))
}

/// The page.
#[component]
pub fn ConflictInbox() -> impl IntoView {
    let page = query_value("page");
    let found = Resource::new(move || page.get(), list_calendar_conflicts);
    view! {
        <p class="db-back"><a href=category_address("calendar")>{t!("All connections")}</a></p>
        <Transition fallback=|| view! { <p>{t!("Loading the conflicts …")}</p> }>
            {move || Suspend::new(async move {
                match found.await {
                    Ok(inbox) => view! { <Inbox inbox/> }.into_any(),
                    Err(error) => view! { <Failure error/> }.into_any(),
                }
            })}
        </Transition>
    }
    .into_any()
}

#[component]
fn Inbox(inbox: ConflictInboxView) -> impl IntoView {
    if inbox.total == 0 {
        return view! {
            <h2>{t!("Conflicts")}</h2>
            <Banner kind=BannerKind::Success title=t!("There are no conflicts: nobody has anything to decide.")>
                <p>{t!("Where both sides changed the same thing, its person is asked, and it is listed here until it is answered.")}</p>
            </Banner>
        }
        .into_any();
    }
    let lede = match inbox.total {
        1 => t!("One conflict waits for its person's answer.").to_owned(),
        many => t!("{many} conflicts wait for their people's answers."),
    };
    let people: Vec<_> = inbox.people.into_iter().map(person).collect();
    let pages = turns(inbox.page, inbox.pages);
    view! {
        <h2 class="db-lead">{t!("Conflicts")}</h2>
        <p>
            {lede}
            {t!(" Each is answered by the one whose calendar it is, since only they may read what it says. Nothing is written over meanwhile.")}
        </p>
        <CopyField label=t!("Link for whoever is asked") value=inbox.owners_page/>
        {people}
        {pages}
    }
    .into_any()
}

fn person(person: InboxPersonView) -> AnyView {
    let id = format!("conflicts-of-{}", person.user_id);
    let (section, table) = (id.clone(), id.clone());
    let count = person.items.len();
    let rows: Vec<_> = person.items.into_iter().map(row).collect();
    view! {
        <section class="db-section" aria-labelledby=section>
            <h3 id=id>{person.name}" ("{count}")"</h3>
            <table class="db-table" aria-labelledby=table>
                <thead>
                    <tr>
                        <th scope="col">{t!("Entry")}</th>
                        <th scope="col">{t!("Calendar")}</th>
                        <th scope="col">{t!("Differs in")}</th>
                        <th scope="col">{t!("Waiting")}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </section>
    }
    .into_any()
}

fn row(item: InboxItemView) -> AnyView {
    let title = item
        .title
        .unwrap_or_else(|| t!("An entry that is not shown to you").to_owned());
    let title = match item.entry_id {
        Some(id) => view! { <a href=format!("/msp/schedule?entry={id}")>{title}</a> }.into_any(),
        None => title.into_any(),
    };
    view! {
        <tr>
            <th scope="row">{title}</th>
            <td data-label=t!("Calendar")>{item.calendar}</td>
            <td data-label=t!("Differs in")>{item.differs}</td>
            <td data-label=t!("Waiting")>{item.age}<p class="db-field__hint">{t!("Since ")}{item.since}</p></td>
        </tr>
    }
    .into_any()
}

/// To the page before and after; nothing where there is only one.
fn turns(page: usize, pages: usize) -> Option<AnyView> {
    let to = |page: usize, label: &'static str| {
        let href = format!("{}&page={page}", address());
        view! { <a class="db-btn db-btn--secondary" href=href>{label}</a> }
    };
    (pages > 1).then(|| {
        let before = (page > 1).then(|| to(page - 1, t!("Previous page")));
        let after = (page < pages).then(|| to(page + 1, t!("Next page")));
        view! {
            <nav class="db-actions" aria-label=t!("Pages")>
                <p>{t!("Page {page} of {pages}.")}</p>
                {before}
                {after}
            </nav>
        }
        .into_any()
    })
}
