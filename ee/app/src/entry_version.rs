//! An earlier version of an entry: what restoring it would change, and the form that does it. And the history of an entry that
//! has no page any more.

use daybind_app::api::calendar::{RestoreScheduleEntryVersion, get_schedule_entry_version};
use daybind_app::pages::failure::Failure;
use daybind_app::ui::{
    Banner, BannerKind, ErrorSummary, Submit, failed, keep_focus, refused_as_changed,
};
use daybind_domain::version_view::EntryVersionView;
use daybind_domain::view::EntryHistoryField;
use daybind_words::t;
use leptos::prelude::*;

use crate::entry_history::EntryHistory;

/// Stands in the address for all versions.
pub const ALL: &str = "all";

/// The page of an entry's version; of [`ALL`], that of its history alone.
#[component]
pub fn EntryVersion(entry_id: String, version_id: String) -> impl IntoView {
    let back = format!("/msp/schedule?entry={entry_id}");
    if version_id == ALL {
        return view! {
            <header class="db-page-head"><h1>{t!("History of an entry")}</h1></header>
            <EntryHistory entry_id/>
        }
        .into_any();
    }
    let restore = ServerAction::<RestoreScheduleEntryVersion>::new();
    let error = failed(restore);
    let stale = refused_as_changed(restore);
    let found = Resource::new(
        move || (stale.get(), version_id.clone()),
        |(_, version_id)| get_schedule_entry_version(version_id),
    );
    keep_focus(found, move || stale.get());
    view! {
        <p class="db-back"><a href=back>{t!("Back to the entry")}</a></p>
        <header class="db-page-head">
            <h1 id="version-heading" tabindex="-1">{t!("Restore an earlier version")}</h1>
        </header>
        <ErrorSummary error/>
        <Transition fallback=|| view! { <p>{t!("Loading both versions …")}</p> }>
            {move || Suspend::new(async move {
                match found.await {
                    Ok(version) => view! { <Version version restore/> }.into_any(),
                    Err(error) => view! { <Failure error/> }.into_any(),
                }
            })}
        </Transition>
    }
    .into_any()
}

#[component]
fn Version(
    version: EntryVersionView,
    restore: ServerAction<RestoreScheduleEntryVersion>,
) -> impl IntoView {
    let back = format!("/msp/schedule?entry={}", version.entry_id);
    let notes: Vec<_> = version
        .notes
        .into_iter()
        .map(|note| view! { <p>{note}</p> })
        .collect();
    let changes = changes(version.fields);
    let form = match version.refused {
        Some(why) => view! {
            <Banner kind=BannerKind::Info title=t!("This version cannot be restored")>
                <p>{why}</p>
            </Banner>
        }
        .into_any(),
        None => view! {
            <p>
                {t!("Who does it stays as it is. The calendars of who does it follow with the next sync, and what the entry says now stays in its history.")}
            </p>
            <ActionForm action=restore>
                <input type="hidden" name="version_id" value=version.version_id/>
                <input type="hidden" name="version" value=version.version.to_string()/>
                <input type="hidden" name="read_at" value=version.read_at/>
                <p class="db-form__actions">
                    <Submit label=t!("Restore this version") pending=restore.pending()/>
                    <a class="db-btn db-btn--quiet" href=back>{t!("Cancel")}</a>
                </p>
            </ActionForm>
        }
        .into_any(),
    };
    view! {
        <div class="db-stack">
            <h2>{version.title}</h2>
            <p>{version.origin}</p>
            {notes}
            {changes}
            {form}
        </div>
    }
    .into_any()
}

/// What it says now, and what it would say again.
fn changes(fields: Vec<EntryHistoryField>) -> Option<AnyView> {
    let shown = |text: String| match text.as_str() {
        "" => "nothing".to_owned(),
        _ => text,
    };
    let rows: Vec<_> = fields
        .into_iter()
        .map(|field| {
            view! {
                <tr>
                    <th scope="row">{field.field}</th>
                    <td data-label=t!("Now")>{shown(field.before)}</td>
                    <td data-label=t!("Restored")>{shown(field.after)}</td>
                </tr>
            }
        })
        .collect();
    (!rows.is_empty()).then(|| {
        view! {
            <table class="db-table" aria-label=t!("What would change")>
                <thead>
                    <tr>
                        <th scope="col">{t!("Field")}</th>
                        <th scope="col">{t!("Now")}</th>
                        <th scope="col">{t!("Restored")}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        }
        .into_any()
    })
}
