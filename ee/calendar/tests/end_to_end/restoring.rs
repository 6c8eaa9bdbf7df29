//! An earlier version of an entry, restored as a change of its own that its calendars get.

use chrono::TimeDelta;
use daybind_domain::ErrorCode;
use daybind_domain::ids::EntryId;
use daybind_domain::version_view::EntryVersionView;
use daybind_domain::view::EntryHistoryView;
use daybind_fakes::DuplicateTransaction;
use daybind_services::schedule::EntryInput;
use daybind_services::series::PartInput;
use daybind_services::{Actor, AppResult, CalendarPort as _, Provider, schedule};
use serde_json::json;

use crate::bench::{Database, World, actor};
use crate::brought_in::made;
use crate::everyday::bring_in;
use crate::series::{change, monday, open, plan, planned, remove, there};

async fn history(w: &World, id: EntryId) -> EntryHistoryView {
    let id = id.to_string();
    let found = w.port.get_schedule_entry_history(&w.tess, &id);
    found.await.unwrap()
}

/// The version that began with what the title says, the newest of that title.
async fn version(w: &World, id: EntryId, title: &str) -> String {
    let told = history(w, id).await;
    let item = told.items.iter().find(|item| item.title.contains(title));
    let found = item.map(|item| item.version_id.clone()).unwrap();
    assert!(!found.is_empty(), "{told:?}");
    found
}

async fn seen(w: &World, who: &Actor, version: &str) -> AppResult<EntryVersionView> {
    w.port.get_schedule_entry_version(who, version).await
}

/// Restores what a page showed.
async fn restore(w: &World, who: &Actor, page: &EntryVersionView) -> AppResult<()> {
    let version = page.version_id.as_str();
    let read = (page.version, page.read_at.as_str());
    let done = w
        .port
        .restore_schedule_entry_version(who, version, read)
        .await;
    w.drain().await;
    done.map(|id| assert_eq!(id, page.entry_id))
}

fn fields(page: &EntryVersionView) -> Vec<[&str; 3]> {
    let fields = page.fields.iter();
    fields
        .map(|field| [field.field.as_str(), &field.before, &field.after])
        .collect()
}

/// Changes the entry through the form, as it is open now.
async fn typed(w: &World, id: EntryId, with: impl FnOnce(&mut EntryInput)) {
    let view = open(w, id, "").await;
    let mut input = EntryInput {
        title: view.title,
        notes: view.notes,
        location: view.location,
        start: view.start_local,
        end: view.end_local,
        assignees: view.assignees.into_iter().map(|one| one.user_id).collect(),
        ..EntryInput::default()
    };
    with(&mut input);
    let (port, text) = (w.port.as_ref(), id.to_string());
    schedule::update(&w.services, port, &w.admin, &text, view.version, &input)
        .await
        .unwrap();
    w.drain().await;
}

/// An earlier version is shown field by field before it is restored, and comes back as a change of its own: the calendar
/// has it, the history says who did it and since when the entry had said so, and nothing of the history is lost. An entry that
/// changed after the page was read is left alone, and the refusal says what happened since.
async fn it_comes_back_on_both_sides(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let mut input = planned(&w, "Replace switch", "");
    input.location = "Hall 3".to_owned();
    let id = plan(&w, &input).await;
    typed(&w, id, |input| {
        input.title = "Replace router".to_owned();
        input.location = "Hall 4".to_owned();
    })
    .await;
    let copy = w.named("Replace router")[0].clone();
    w.outside(&copy, &json!({ w.key("title"): "Replace firewall" }));
    w.sync().await;

    let first = version(&w, id, "planned it").await;
    let page = seen(&w, &w.tess, &first).await.unwrap();
    let back = [
        ["Title", "Replace firewall", "Replace switch"],
        ["Location", "Hall 4", "Hall 3"],
    ];
    assert_eq!(fields(&page), back);
    assert_eq!((page.refused.as_deref(), page.notes.len()), (None, 0));
    assert!(page.origin.contains("planned it in Daybind"), "{page:?}");

    // What happens meanwhile, on whichever side, is not written over.
    w.outside(&copy, &json!({ w.key("title"): "Replace everything" }));
    w.sync().await;
    let refused = restore(&w, &w.tess, &page).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Conflict);
    let calendar = w.operation("Google Calendar", "Outlook");
    let since = format!("Changed in {calendar} of Tess Technician, and so in the schedule");
    assert!(refused.message.contains(&since), "{}", refused.message);
    assert!(
        refused
            .message
            .contains("Title from “Replace firewall” to “Replace everything”"),
        "{}",
        refused.message
    );
    assert!(
        !refused.message.contains("Replace switch"),
        "only what is new since"
    );
    assert_eq!(w.entry(id).await.content.title, "Replace everything");

    let page = seen(&w, &w.tess, &first).await.unwrap();
    let before = history(&w, id).await.items.len();
    restore(&w, &w.tess, &page).await.unwrap();
    let entry = w.entry(id).await;
    assert_eq!(entry.content.title, "Replace switch");
    assert_eq!(entry.content.location, "Hall 3");
    assert_eq!(entry.assignees, [w.tess.user_id()]);
    let copies = w.named("Replace switch");
    assert_eq!(copies.len(), 1, "{copies:?}");
    assert_eq!(copies[0]["id"], copy["id"], "the same event");
    assert!(copies[0]["location"].to_string().contains("Hall 3"));
    assert_eq!(w.mark(id).await, "synced");

    let told = history(&w, id).await;
    assert_eq!(told.items.len(), before + 2);
    let planned_at = &told.items.last().unwrap().at;
    assert_eq!(
        told.items[1].title,
        format!("Tess Technician restored the version of {planned_at}")
    );
    let restored: Vec<_> = told.items[1]
        .fields
        .iter()
        .map(|field| [field.field.as_str(), &field.before, &field.after])
        .collect();
    assert_eq!(
        restored[0],
        ["Title", "Replace everything", "Replace switch"]
    );
    // What it says now is not offered; what was restored away is.
    assert!(
        told.items[1].version_id.is_empty() && told.items.last().unwrap().version_id.is_empty()
    );
    for words in [
        "Entry: Replace switch",
        "restored the version of",
        "Title: Replace everything → Replace switch",
    ] {
        assert!(told.as_text.contains(words), "{words}: {}", told.as_text);
    }
    let page = seen(&w, &w.tess, &first).await.unwrap();
    assert_eq!(
        page.refused.as_deref(),
        Some("The entry says exactly this now.")
    );
    assert_eq!(
        restore(&w, &w.tess, &page).await.unwrap_err().code,
        ErrorCode::Conflict
    );

    // An administrator may as well; who does not see the entry gets nothing.
    let away = version(&w, id, "changed it in Daybind").await;
    let page = seen(&w, &w.admin, &away).await.unwrap();
    let tom = actor(&w.services, "tom@demo.daybind.test").await;
    for refused in [
        seen(&w, &tom, &away).await.unwrap_err(),
        seen(&w, &w.admin, "no id").await.unwrap_err(),
        restore(&w, &tom, &page).await.unwrap_err(),
    ] {
        assert_eq!(refused.code, ErrorCode::NotFound, "{refused:?}");
    }
    restore(&w, &w.admin, &page).await.unwrap();
    assert_eq!(w.named("Replace router").len(), 1);
}

/// A deleted entry keeps its history and can be brought back from it; its calendar gets one event again.
async fn the_deleted_come_back(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let id = plan(&w, &planned(&w, "Replace switch", "")).await;
    let (text, entry) = (id.to_string(), w.entry(id).await);
    let part = PartInput::default();
    let port = w.port.as_ref();
    schedule::delete(&w.services, port, &w.tess, &text, entry.version, &part)
        .await
        .unwrap();
    w.drain().await;
    assert!(w.named("Replace switch").is_empty());
    assert!(history(&w, id).await.deleted);

    let first = version(&w, id, "planned it").await;
    let page = seen(&w, &w.tess, &first).await.unwrap();
    assert!(page.fields.is_empty() && page.notes[0].contains("is deleted"));
    restore(&w, &w.tess, &page).await.unwrap();
    let back = w.entry(id).await;
    assert_eq!((back.deleted_at, &back.content), (None, &entry.content));
    assert_eq!(w.named("Replace switch").len(), 1);
    assert_eq!(w.mark(id).await, "synced");
    w.sync().await;
    assert_eq!(w.named("Replace switch").len(), 1);
    let told = history(&w, id).await;
    assert!(told.items[1].title.contains("restored the version of") && !told.deleted);

    // A busy block is its event's, and no entry to bring back.
    bring_in(&w, "busy").await;
    let dentist = made(&w, "Dentist", &json!({}));
    w.sync().await;
    let block = titled(&w, "Busy").await;
    w.fakes
        .delete_event(w.fake, &w.calendar, dentist["id"].as_str().unwrap())
        .unwrap();
    w.sync().await;
    assert!(w.entry(block).await.deleted_at.is_some());
    let brought_in = version(&w, block, "Brought in from").await;
    let page = seen(&w, &w.tess, &brought_in).await.unwrap();
    assert!(
        page.refused
            .as_deref()
            .unwrap_or_default()
            .contains("somebody's calendar")
    );
    let refused = restore(&w, &w.tess, &page).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Conflict);
    assert!(w.entry(block).await.deleted_at.is_some());
}

/// Tess's entry of that title in the weeks around now.
async fn titled(w: &World, title: &str) -> EntryId {
    let now = w.services.now();
    let mut unit = w.services.read(w.tess.tenant_id).await.unwrap();
    let (from, to) = (now - TimeDelta::days(30), now + TimeDelta::days(30));
    let found = unit
        .list_entries(w.tess.tenant_id, from, to, Some(w.tess.user_id()))
        .await
        .unwrap();
    let mut found = found.into_iter().filter(|row| row.content.title == title);
    found.next().unwrap().entry_id
}

/// A series comes back as a whole, with its occurrences; one that would stand beside what became of it does not, and says why.
async fn series_come_back_whole(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let mut input = planned(&w, "Backup check", "weekly");
    input.repeat.ends = "count".to_owned();
    input.repeat.count = "6".to_owned();
    let id = plan(&w, &input).await;
    let second = monday(&w, 7).to_string();
    let view = open(&w, id, &second).await;
    change(&w, &view, "this", |input| {
        input.title = "Backup test".to_owned();
    })
    .await;
    let view = open(&w, id, "").await;
    change(&w, &view, "all", |input| input.title = "Backups".to_owned()).await;
    let first = version(&w, id, "planned it").await;
    let page = seen(&w, &w.tess, &first).await.unwrap();
    assert_eq!(fields(&page), [["Title", "Backups", "Backup check"]]);
    assert!(page.notes[0].contains("whole series"));
    restore(&w, &w.tess, &page).await.unwrap();
    there(&w, "Backup check");
    assert_eq!(
        occurrences(&w, id, "Backup test").await,
        1,
        "its own words stay"
    );

    // Deleted as a whole and brought back: what had gone with it comes along, in the calendar too.
    let own = open(&w, id, "").await;
    remove(&w, &own, "all").await;
    assert!(w.named("Backup check").is_empty());
    let page = seen(&w, &w.tess, &first).await.unwrap();
    restore(&w, &w.tess, &page).await.unwrap();
    let event = there(&w, "Backup check");
    assert_eq!(occurrences(&w, id, "Backup test").await, 1);
    let exceptions = w
        .fakes
        .exceptions(w.fake, &w.calendar, event["id"].as_str().unwrap());
    let named = exceptions
        .values()
        .filter(|one| one[w.key("title")] == "Backup test");
    assert_eq!(named.count(), 1, "{exceptions:?}");

    // Split, the longer one would be there twice.
    let fourth = monday(&w, 21).to_string();
    let view = open(&w, id, &fourth).await;
    change(&w, &view, "following", |input| {
        input.title = "Backup drill".to_owned();
    })
    .await;
    let page = seen(&w, &w.tess, &first).await.unwrap();
    assert!(
        page.refused
            .as_deref()
            .unwrap_or_default()
            .contains("went on longer")
    );
    let before = w.entry(id).await;
    assert_eq!(
        restore(&w, &w.tess, &page).await.unwrap_err().code,
        ErrorCode::Conflict
    );
    assert_eq!(w.entry(id).await, before);
}

/// How many occurrences of a series have that title as their own.
async fn occurrences(w: &World, series: EntryId, title: &str) -> usize {
    let mut unit = w.services.read(w.tess.tenant_id).await.unwrap();
    let rows = unit.list_occurrences(w.tess.tenant_id, &[series]).await;
    let rows = rows.unwrap().into_iter();
    rows.filter(|row| row.deleted_at.is_none() && row.content.title == title)
        .count()
}

everywhere! {
    both_sides: it_comes_back_on_both_sides;
    deleted: the_deleted_come_back;
    series: series_come_back_whole;
}
