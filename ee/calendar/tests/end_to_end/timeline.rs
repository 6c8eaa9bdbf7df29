//! Why did this change? What an entry's history tells, and whom.

use chrono::TimeDelta;
use daybind_domain::view::EntryHistoryView;
use daybind_fakes::DuplicateTransaction;
use daybind_services::schedule::EntryInput;
use daybind_services::{Actor, CalendarPort as _, Provider, localtime, schedule};
use serde_json::json;

use crate::bench::{Database, World, actor};

fn typed(w: &World, title: &str, location: &str) -> EntryInput {
    let zone = localtime::zone(&w.tess.user.time_zone);
    let at = |hours| localtime::input_value(w.services.now() + TimeDelta::hours(hours), zone);
    EntryInput {
        title: title.to_owned(),
        location: location.to_owned(),
        start: at(48),
        end: at(49),
        assignees: vec![w.tess.user_id().to_string()],
        ..EntryInput::default()
    }
}

async fn history(w: &World, who: &Actor, id: &str) -> EntryHistoryView {
    w.port.get_schedule_entry_history(who, id).await.unwrap()
}

fn titles(history: &EntryHistoryView) -> Vec<&str> {
    history
        .items
        .iter()
        .map(|item| item.title.as_str())
        .collect()
}

fn fields(history: &EntryHistoryView, at: usize) -> Vec<[&str; 3]> {
    let fields = history.items[at].fields.iter();
    fields
        .map(|field| [field.field.as_str(), &field.before, &field.after])
        .collect()
}

/// People and calendars in one list: who did what, what it said before and after, what set it off, and for how long it is kept.
async fn everything_is_told(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let calendar = w.operation(
        "Google Calendar of Tess Technician",
        "Outlook of Tess Technician",
    );
    let port = w.port.as_ref();
    let input = typed(&w, "Replace switch", "Hall 3");
    let id = schedule::create(&w.services, port, &w.tess, &input)
        .await
        .unwrap();
    let text = id.to_string();
    w.drain().await;
    let copy = w.named("Replace switch")[0].clone();
    w.outside(&copy, &json!({ w.key("title"): "Replace router" }));
    w.sync().await;
    let version = w.entry(id).await.version;
    let mut input = typed(&w, "Replace router", "Hall 4");
    let times = schedule::entry(&w.services, port, &w.tess, &text, "")
        .await
        .unwrap();
    (input.start, input.end) = (times.start_local, times.end_local);
    schedule::update(&w.services, port, &w.tess, &text, version, &input)
        .await
        .unwrap();
    w.drain().await;

    let told = history(&w, &w.tess, &text).await;
    assert_eq!(
        titles(&told),
        [
            format!("Brought up to date in {calendar}"),
            "Tess Technician changed it in Daybind".to_owned(),
            format!("Changed in {calendar}, and so in the schedule"),
            format!("Added to {calendar}"),
            "Tess Technician planned it in Daybind".to_owned(),
        ]
    );
    let moved = [["Location", "Hall 3", "Hall 4"]];
    assert_eq!(fields(&told, 0), moved);
    assert_eq!(
        fields(&told, 1),
        moved,
        "told from what the calendar had made of it"
    );
    assert_eq!(
        fields(&told, 2),
        [["Title", "Replace switch", "Replace router"]]
    );
    assert!(
        told.items[0]
            .why
            .contains("A change in the schedule set it off.")
    );
    assert!(!told.items[2].why.is_empty() && !told.items[2].run.is_empty());
    assert!(told.items[1].run.is_empty());
    assert_eq!((told.more, told.kept_days), (false, 90));

    // An administrator reads the same; who may not see the entry learns nothing.
    assert_eq!(history(&w, &w.admin, &text).await.items.len(), 5);
    let tom = actor(&w.services, "tom@demo.daybind.test").await;
    let refused = w.port.get_schedule_entry_history(&tom, &text).await;
    assert_eq!(refused.unwrap_err().code.status(), 404);
    // What was not taken over is between its owner and the calendar: of a question only its owner reads both sides.
    let copy = w.named("Replace router")[0].clone();
    w.outside(&copy, &json!({ w.key("title"): "Replace firewall" }));
    w.edit(id, |entry| {
        entry.content.title = "Replace everything".to_owned();
    })
    .await;
    w.drain().await;
    let (own, others) = (
        history(&w, &w.tess, &text).await,
        history(&w, &w.admin, &text).await,
    );
    assert_eq!(
        own.items[0].title,
        format!("Schedule and {calendar} disagree: Tess Technician is asked")
    );
    assert!(!own.items[0].fields.is_empty() && others.items[0].fields.is_empty());
    assert!(own.items[0].why.contains("changed on both sides"));

    w.pass(TimeDelta::days(91));
    w.port.housekeep().await.unwrap();
    let nothing = history(&w, &w.tess, &text).await;
    assert!(nothing.items.is_empty(), "{nothing:?}");
}

everywhere! {
    told: everything_is_told;
}
