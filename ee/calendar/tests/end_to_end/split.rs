//! A series that its owner splits in the calendar goes on in the schedule.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use daybind_domain::ids::EntryId;
use daybind_fakes::DuplicateTransaction;
use daybind_services::{CalendarPort as _, Provider};
use serde_json::{Value, json};

use crate::bench::{Database, World, actor};
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

/// W9: where nothing says that a series which begins when another one ends is its following half, neither half is lost and
/// nothing is guessed: the question is whether the entry ends with its event.
async fn without_evidence_one_asks(database: Database, provider: Provider) {
    for answer in ["calendar", "schedule"] {
        let w = World::new(database, provider, DuplicateTransaction::Existing).await;
        let id = plan(&w, &planned(&w, "Visit", "daily")).await;
        let old = there(&w, "Visit");
        let renamed = json!({ w.key("title"): "Long visit" });
        match provider {
            Provider::Microsoft => {
                split(&w, &old, monday(&w, 5), &renamed, false);
            }
            // As a client does that knows nothing of Google's ids.
            Provider::Google => {
                let last = monday(&w, 4).format("%Y%m%dT215959Z");
                let until = json!({ "recurrence": [format!("RRULE:FREQ=DAILY;UNTIL={last}")] });
                change_there(&w, &id_of(&old), &until);
                let mut body = times(&w, monday(&w, 5), [9, 10]);
                body["summary"] = json!("Long visit");
                body["recurrence"] = json!(["RRULE:FREQ=DAILY"]);
                w.fakes.create_event(w.fake, &w.calendar, &body).unwrap();
            }
        }
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
}
