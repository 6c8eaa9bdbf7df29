//! A series that its owner splits in the calendar goes on in the schedule.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use daybind_domain::ids::EntryId;
use daybind_fakes::DuplicateTransaction;
use daybind_services::{CalendarPort as _, Provider};
use serde_json::{Value, json};

use crate::bench::{Database, World, actor};
use crate::brought_in::turn;
use crate::series::{change, change_there, id_of, monday, open, plan, planned, seen, there, times};

/// Splits a series on that day, as its owner does; the new one.
fn split(w: &World, series: &Value, day: NaiveDate, patch: &Value, marked: bool) -> Value {
    let id = series["id"].as_str().unwrap();
    w.fakes
        .split_series(w.fake, &w.calendar, id, day, patch, marked)
        .unwrap()
}

fn shown(w: &World, series: &Value) -> BTreeMap<String, String> {
    let all = w.fakes.exceptions(w.fake, &w.calendar, &id_of(series));
    let words = |event: &Value| event[w.key("title")].as_str().unwrap_or("gone").to_owned();
    all.iter()
        .map(|(day, event)| (day.clone(), words(event)))
        .collect()
}

fn daily(later: std::ops::Range<i64>, title: &str) -> Vec<String> {
    later.map(|day| format!("{day} 09:00 {title}")).collect()
}

/// Who does the work of the one series of that title.
async fn people(w: &World, id: EntryId) -> usize {
    w.entry(id).await.assignees.len()
}

/// W9: "this and following" in the owner's calendar is what it is in the schedule: the series ends, and one goes on from that day
/// with the same people and with what differs on later days, which the calendar forgot and is given again. The new one is
/// the entry's event from then on: what is changed on either side reaches the other, and it can be split again.
async fn a_split_goes_on(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let tom = actor(&w.services, "tom@demo.daybind.test").await;
    let mut input = planned(&w, "Visit", "daily");
    input.assignees.push(tom.user_id().to_string());
    let first = plan(&w, &input).await;
    let old = there(&w, "Visit");
    for (later, title) in [(2, "Early"), (8, "Late")] {
        let day = monday(&w, later).to_string();
        let view = open(&w, first, &day).await;
        change(&w, &view, "this", |input| input.title = title.to_owned()).await;
    }
    let entries = w.rows(&["schedule_entries"]).await;

    let renamed = json!({ w.key("title"): "Long visit" });
    let new = split(&w, &old, monday(&w, 5), &renamed, true);
    w.sync().await;
    let expected = [
        daily(0..2, "Visit"),
        daily(2..3, "Early"),
        daily(3..5, "Visit"),
        daily(5..8, "Long visit"),
        daily(8..9, "Late"),
        daily(9..14, "Long visit"),
    ]
    .concat();
    assert_eq!(seen(&w).await, expected);
    assert_eq!(w.rows(&["schedule_entries"]).await, entries + 1);
    assert_eq!(w.named("Long visit").len(), 1, "nothing is made beside it");
    let late = BTreeMap::from([(monday(&w, 8).to_string(), "Late".to_owned())]);
    assert_eq!(shown(&w, &new), late, "what the calendar forgot is back");

    // The new one is an entry's event: of the same two, in both directions.
    let second = entry_of(&w, &new).await;
    assert_ne!(second, first);
    assert_eq!((people(&w, first).await, people(&w, second).await), (2, 2));
    w.edit(second, |entry| entry.content.location = "Cellar".to_owned())
        .await;
    w.drain().await;
    assert!(
        there(&w, "Long visit")["location"]
            .to_string()
            .contains("Cellar")
    );
    change_there(&w, &id_of(&new), &json!({ w.key("title"): "Longer visit" }));
    w.sync().await;
    assert_eq!(w.entry(second).await.content.title, "Longer visit");
    let view = w.port.get_calendar_providers(&w.tess).await.unwrap();
    assert!(view.connections[0].questions.is_empty());

    // And again.
    let last = json!({ w.key("title"): "Last visits" });
    let new = there(&w, "Longer visit");
    split(&w, &new, monday(&w, 11), &last, true);
    w.sync().await;
    let now = seen(&w).await;
    assert_eq!(
        now[10..],
        [daily(10..11, "Longer visit"), daily(11..14, "Last visits")].concat()
    );
    assert_eq!(w.rows(&["schedule_entries"]).await, entries + 2);
    let before = w.rows(&["schedule_entries", "sync_changes"]).await;
    w.drain().await;
    w.sync().await;
    assert_eq!(w.rows(&["schedule_entries", "sync_changes"]).await, before);
}

/// Splits a series so that nothing in the new one says of which it is the half.
fn split_unmarked(w: &World, old: &Value) {
    let renamed = json!({ w.key("title"): "Long visit" });
    match w.provider {
        Provider::Microsoft => {
            split(w, old, monday(w, 5), &renamed, false);
        }
        // As a client does that knows nothing of Google's ids.
        Provider::Google => {
            let last = monday(w, 4).format("%Y%m%dT215959Z");
            let until = json!({ "recurrence": [format!("RRULE:FREQ=DAILY;UNTIL={last}")] });
            change_there(w, &id_of(old), &until);
            let mut body = times(w, monday(w, 5), [9, 10]);
            body["summary"] = json!("Long visit");
            body["recurrence"] = json!(["RRULE:FREQ=DAILY"]);
            w.fakes.create_event(w.fake, &w.calendar, &body).unwrap();
        }
    }
}

/// W9: where nothing says that a series which begins when another one ends is its following half, neither half is lost and
/// nothing is guessed: the question is whether the entry ends with its event.
async fn without_evidence_one_asks(database: Database, provider: Provider) {
    for answer in ["calendar", "schedule"] {
        let w = World::new(database, provider, DuplicateTransaction::Existing).await;
        let id = plan(&w, &planned(&w, "Visit", "daily")).await;
        let old = there(&w, "Visit");
        split_unmarked(&w, &old);
        w.sync().await;
        assert_eq!(seen(&w).await, daily(0..14, "Visit"), "nothing is lost");
        assert_eq!(w.mark(id).await, "conflict");
        w.sync().await;
        assert_eq!(w.mark(id).await, "conflict", "until somebody says");
        let view = w.port.get_calendar_providers(&w.tess).await.unwrap();
        assert_eq!(view.connections[0].questions.len(), 1);
        w.answer("all", answer).await;
        w.drain().await;
        w.sync().await;
        assert_eq!(w.mark(id).await, "synced");
        let left = if answer == "calendar" { 5 } else { 14 };
        assert_eq!(seen(&w).await, daily(0..left, "Visit"), "{answer}");
        let ends = there(&w, "Visit")["recurrence"].to_string();
        let short = ends.contains("UNTIL") || ends.contains("endDate\":");
        assert_eq!(short, answer == "calendar", "{ends}");
        assert_eq!(w.named("Long visit").len(), 1);
    }
}

/// What is recorded of splits: side, action and reason of each.
async fn recorded(w: &World) -> Vec<(String, String, Option<String>)> {
    let mut unit = w
        .services
        .read(daybind_services::demo::TENANT)
        .await
        .unwrap();
    let rows = daybind_ee_storage::calendar(unit.as_mut()).unwrap();
    let id = w.connection().await.parse().unwrap();
    let changes = rows
        .list_changes(daybind_services::demo::TENANT, id, None, 500)
        .await
        .unwrap();
    changes
        .into_iter()
        .map(|change| (change.side, change.action, change.reason))
        .filter(|(.., reason)| matches!(reason.as_deref(), Some("split" | "perhaps_split")))
        .collect()
}

/// W9: on a connection "to calendar" the schedule does not follow a split there: the series is put back whole, with what differs
/// on single days, what its owner made of its following half goes, and both are recorded. Nothing is left to do after that.
async fn a_split_is_taken_back(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    turn(&w, "to_external").await;
    let id = plan(&w, &planned(&w, "Visit", "daily")).await;
    let day = monday(&w, 8).to_string();
    let view = open(&w, id, &day).await;
    change(&w, &view, "this", |input| input.title = "Late".to_owned()).await;
    let old = there(&w, "Visit");
    let (before, late) = (seen(&w).await, shown(&w, &old));
    assert_eq!(late, BTreeMap::from([(day, "Late".to_owned())]));
    for title in ["Long visit", "Longer visit"] {
        let renamed = json!({ w.key("title"): title });
        split(&w, &old, monday(&w, 5), &renamed, true);
        assert_eq!(w.named(title).len(), 1);
        let connection = w.connection().await;
        let said = w
            .port
            .preview_calendar_sync(&w.tess, &connection, None, None)
            .await
            .unwrap();
        let removed = said.counts.iter().find(|count| count.action == "removed");
        assert_eq!(removed.map(|count| count.count), Some(1), "{said:?}");
        w.sync().await;
        assert!(w.named(title).is_empty(), "each meeting is there once");
        let whole = there(&w, "Visit");
        assert_eq!(whole["recurrence"], old["recurrence"]);
        assert_eq!(
            (shown(&w, &whole), seen(&w).await),
            (late.clone(), before.clone())
        );
        assert_eq!(w.mark(id).await, "synced");
    }
    let removed = || Some("split".to_owned());
    let twice = ("calendar".to_owned(), "removed".to_owned(), removed());
    assert_eq!(recorded(&w).await, [twice.clone(), twice]);
    let quiet = w.rows(&["schedule_entries", "sync_changes"]).await;
    w.fakes.expire_sync_tokens(w.fake);
    w.sync().await;
    assert_eq!(w.rows(&["schedule_entries", "sync_changes"]).await, quiet);
}

/// W9: where nothing says that the series which begins there is the following half, it is left alone, and it is recorded that the
/// calendar may show the same meetings twice.
async fn without_evidence_it_stays(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    turn(&w, "to_external").await;
    let id = plan(&w, &planned(&w, "Visit", "daily")).await;
    let old = there(&w, "Visit");
    split_unmarked(&w, &old);
    w.sync().await;
    assert_eq!(there(&w, "Visit")["recurrence"], old["recurrence"]);
    assert_eq!(w.named("Long visit").len(), 1);
    assert_eq!(w.mark(id).await, "synced");
    let may = (
        "none".to_owned(),
        "skipped".to_owned(),
        Some("perhaps_split".to_owned()),
    );
    assert_eq!(recorded(&w).await, [may]);
    w.sync().await;
    assert_eq!(recorded(&w).await.len(), 1);
}

async fn entry_of(w: &World, event: &Value) -> EntryId {
    let mut unit = w
        .services
        .read(daybind_services::demo::TENANT)
        .await
        .unwrap();
    let rows = daybind_ee_storage::calendar(unit.as_mut()).unwrap();
    let id = w.connection().await.parse().unwrap();
    let tie = rows
        .find_mapping_by_event(daybind_services::demo::TENANT, id, &id_of(event))
        .await
        .unwrap();
    tie.unwrap().entry_id
}

everywhere! {
    goes_on: a_split_goes_on;
    asks: without_evidence_one_asks;
    taken_back: a_split_is_taken_back;
    stays: without_evidence_it_stays;
}
