//! What comes in besides schedule entries, and how long it stays.

use chrono::TimeDelta;
use daybind_fakes::DuplicateTransaction;
use daybind_services::{CalendarPort as _, Provider, demo};
use serde_json::{Value, json};

use crate::bench::{Database, World};
use crate::everyday::{bring_in, event};

/// The titles of Tess's entries that the demo did not begin with, in order.
async fn brought(w: &World, before: &[String]) -> Vec<String> {
    let all = entries(w).await;
    all.into_iter()
        .filter(|title| !before.contains(title))
        .collect()
}

async fn entries(w: &World) -> Vec<String> {
    let now = w.services.now();
    let mut unit = w.services.read(demo::TENANT).await.unwrap();
    let (from, to) = (now - TimeDelta::days(30), now + TimeDelta::days(300));
    let found = unit
        .list_entries(demo::TENANT, from, to, Some(w.tess.user_id()))
        .await
        .unwrap();
    let mut titles: Vec<_> = found.into_iter().map(|row| row.content.title).collect();
    titles.sort();
    titles
}

pub(crate) fn made(w: &World, title: &str, more: &Value) -> Value {
    w.fakes
        .create_event(w.fake, &w.calendar, &event(w, title, more))
        .unwrap()
}

fn shown(w: &World, free: bool) -> Value {
    match (w.provider, free) {
        (Provider::Google, true) => json!({ "transparency": "transparent" }),
        (Provider::Google, false) => json!({ "transparency": "opaque" }),
        (Provider::Microsoft, true) => json!({ "showAs": "free" }),
        (Provider::Microsoft, false) => json!({ "showAs": "busy" }),
    }
}

pub(crate) async fn turn(w: &World, direction: &str) {
    let id = w.connection().await;
    w.port
        .update_calendar_provider(&w.tess, &id, None, Some(direction))
        .await
        .unwrap();
    w.drain().await;
}

/// W56: nothing comes in unless the rule says so, marked events as they are and private ones without words, all others as busy
/// blocks unless they are shown as free. Work that came in stays and is kept in step when its marker goes or the rule is changed;
/// a busy block is there as long as its event comes in, and no event is touched for it.
async fn what_comes_in_follows_the_rule(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let before = entries(&w).await;
    let private = match provider {
        Provider::Google => json!({ "visibility": "private" }),
        Provider::Microsoft => json!({ "sensitivity": "private" }),
    };
    let dentist = made(&w, "Dentist", &json!({}));
    let visit = made(&w, "Visit @daybind", &json!({}));
    made(&w, "Secret @alga", &private);
    w.sync().await;
    assert!(brought(&w, &before).await.is_empty());

    bring_in(&w, "marked").await;
    assert_eq!(brought(&w, &before).await, ["Busy", "Visit @daybind"]);
    w.outside(&visit, &json!({ w.key("title"): "Visit" }));
    w.sync().await;
    assert_eq!(brought(&w, &before).await, ["Busy", "Visit"]);

    bring_in(&w, "nothing").await;
    assert_eq!(brought(&w, &before).await, ["Visit"]);
    assert_eq!(w.named("Secret @alga").len(), 1, "the event stays");
    w.outside(&visit, &json!({ w.key("title"): "Visit, later" }));
    w.sync().await;
    assert_eq!(brought(&w, &before).await, ["Visit, later"]);
    let mut unit = w.services.read(demo::TENANT).await.unwrap();
    let rows = daybind_ee_storage::calendar(unit.as_mut()).unwrap();
    let tie = rows
        .find_mapping_by_event(
            demo::TENANT,
            w.connection().await.parse().unwrap(),
            visit["id"].as_str().unwrap(),
        )
        .await
        .unwrap()
        .unwrap();
    drop(unit);
    w.edit(tie.entry_id, |entry| {
        entry.content.title = "Visit, ours".to_owned();
    })
    .await;
    w.drain().await;
    assert_eq!(w.named("Visit, ours").len(), 1);

    bring_in(&w, "busy").await;
    assert_eq!(brought(&w, &before).await, ["Busy", "Busy", "Visit, ours"]);
    w.outside(&dentist, &shown(&w, true));
    w.sync().await;
    assert_eq!(brought(&w, &before).await, ["Busy", "Visit, ours"]);
    w.outside(&dentist, &shown(&w, false));
    w.sync().await;
    assert_eq!(brought(&w, &before).await, ["Busy", "Busy", "Visit, ours"]);
    // Where nothing comes in any more, no block does; opened again, all of them.
    turn(&w, "to_external").await;
    assert_eq!(brought(&w, &before).await, ["Visit, ours"]);
    turn(&w, "bidirectional").await;
    assert_eq!(brought(&w, &before).await, ["Busy", "Busy", "Visit, ours"]);
    let there = w.fakes.events(w.fake, &w.calendar).len();
    w.sync().await;
    assert_eq!(w.fakes.events(w.fake, &w.calendar).len(), there);
    assert_eq!(w.status().await, "connected", "nobody was asked anything");
}

everywhere! {
    rule: what_comes_in_follows_the_rule;
}
