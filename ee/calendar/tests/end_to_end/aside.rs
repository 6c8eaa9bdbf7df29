//! Misbehaviour in the calls beside the usual ones: subscriptions, the list that a calendar is chosen from, looks at events
//! and occurrences. What they end in is in `docs/sync.md`; the other calls of a run are in `misbehaviour`.

use std::time::Duration;

use chrono::TimeDelta;
use daybind_fakes::{DuplicateTransaction, Fault, FaultKind};
use daybind_services::{CalendarPort as _, Provider};
use serde_json::json;

use crate::bench::{Database, World};
use crate::misbehaviour::{patience, status, unusable};
use crate::series::{change, monday, open, plan, planned};

async fn world(database: Database, provider: Provider) -> World {
    let (duplicate, limit) = (DuplicateTransaction::Existing, Duration::from_millis(800));
    World::that_waits(database, provider, duplicate, limit).await
}

/// Everything a provider may answer instead of what was asked for.
fn everything(w: &World) -> Vec<FaultKind> {
    let mut kinds = unusable();
    kinds.extend(patience(w));
    kinds.extend([400, 403, 404, 409, 410, 412].map(|code| status(code, None, None)));
    kinds
}

/// M-41: whatever is answered when a subscription is made, prolonged or ended, sync goes on by polling; once it is over
/// there is one subscription, and none is left behind.
async fn subscriptions_fail_aside(database: Database, provider: Provider) {
    let w = world(database, provider).await;
    let operations: &[&str] = match provider {
        Provider::Google => &["google.events.watch", "google.channels.stop"],
        Provider::Microsoft => &[
            "microsoft.subscriptions.create",
            "microsoft.subscriptions.update",
            "microsoft.subscriptions.delete",
        ],
    };
    let mut wrong = Vec::new();
    for operation in operations {
        for kind in everything(&w) {
            let case = format!("{operation} {kind:?}");
            let ends = operation.ends_with("stop") || operation.ends_with("delete");
            let refuses_an_end = ends
                && matches!(
                    kind,
                    FaultKind::Status {
                        status: 400 | 403 | 404 | 410,
                        reason: None,
                        ..
                    }
                );
            if operation.ends_with("create") {
                w.fakes.forget_subscriptions(w.fake);
            }
            if operation.ends_with("subscriptions.delete") {
                // One that cannot be prolonged is replaced, and then ended.
                let refused = status(400, None, None);
                let update = "microsoft.subscriptions.update";
                w.fakes.arm(Fault::new(update, 1, refused));
            }
            w.pass(TimeDelta::days(6));
            w.fakes.arm(Fault::new(operation, 1, kind));
            w.once().await;
            let fired = w
                .fakes
                .log()
                .iter()
                .any(|entry| entry.fault.is_some() && entry.operation == *operation);
            if !fired {
                wrong.push(format!("{case}: was not asked"));
            }
            // A pause that was asked for is everybody's.
            w.pass(TimeDelta::minutes(1));
            let id = w.add("Meanwhile").await;
            w.once_of(&["calendar.sync"]).await;
            let row = w.row().await;
            let state = (row.status.as_str(), row.last_error.as_deref());
            let mark = w.mark(id).await;
            if state != ("connected", None) || mark != "synced" {
                wrong.push(format!("{case}: {state:?}, {mark}"));
            }

            w.fakes.clear_faults();
            for _ in 0..4 {
                w.pass(TimeDelta::minutes(61));
                w.drain().await;
            }
            if refuses_an_end {
                // What the provider will not end, or says that it does not have, lapses.
                assert!(w.fakes.subscriptions(w.fake).len() <= 2, "{case}");
                for _ in 0..14 {
                    w.pass(TimeDelta::hours(12));
                    w.drain().await;
                }
            }
            let live = w.fakes.subscriptions(w.fake);
            if live.len() != 1 {
                wrong.push(format!("{case}: {} subscriptions", live.len()));
            }
            w.edit(id, |entry| entry.deleted_at = Some(entry.updated_at))
                .await;
            w.drain().await;
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// M-41: a list of calendars that does not come, or is none, is an error to whoever asked for it, never an empty list; it leaves
/// the connection as it was, and comes when it is over.
async fn calendars_are_listed_or_not(database: Database, provider: Provider) {
    let w = world(database, provider).await;
    let operation = w.operation("google.calendarList.list", "microsoft.calendars.list");
    let connection = w.connection().await;
    let mut kinds = everything(&w);
    kinds.push(FaultKind::Patch {
        body: json!({ "items": "none", "value": "none" }),
    });
    let mut wrong = Vec::new();
    for kind in kinds {
        let case = format!("{kind:?}");
        w.fakes.arm(Fault::new(&operation, 1, kind));
        if let Ok(found) = w.port.list_remote_calendars(&w.tess, &connection).await {
            wrong.push(format!("{case}: {} calendars", found.len()));
        }
        w.fakes.clear_faults();
        w.pass(TimeDelta::minutes(1));
        assert_eq!(w.status().await, "connected", "{case}");
        let found = w.port.list_remote_calendars(&w.tess, &connection).await;
        assert!(!found.unwrap().is_empty(), "{case}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// M-41: whatever is answered to the look at an event that was changed while it was written, and to the search for an occurrence,
/// stops no other entry and is no deletion; once it is over the event says what the schedule says.
async fn looks_are_repeated(database: Database, provider: Provider) {
    let w = world(database, provider).await;
    let get = w.operation("google.events.get", "microsoft.events.get");
    let instances = w.operation("google.events.instances", "microsoft.events.instances");
    let update = w.operation("google.events.patch", "microsoft.events.update");
    let single = w.add("Single").await;
    let series = plan(&w, &planned(&w, "Series", "daily")).await;
    let mut days = monday(&w, 1).iter_days();
    let mut wrong = Vec::new();
    // That an event is not there is no misbehaviour but the provider's word, see `both_ways`.
    let mut kinds = everything(&w);
    let gone = |kind: &FaultKind| {
        matches!(
            kind,
            FaultKind::Status {
                status: 404 | 410,
                ..
            }
        )
    };
    kinds.retain(|kind| !gone(kind));
    for (number, kind) in kinds.into_iter().enumerate() {
        let case = format!("{kind:?}");
        let day = days.next().unwrap().to_string();
        let (hall, title) = (format!("Hall {number}."), format!("Visit {number}."));
        w.fakes.arm(Fault::new(&update, 1, status(412, None, None)));
        w.fakes.arm(Fault::new(&get, 1, kind.clone()));
        w.edit(single, |entry| entry.content.location.clone_from(&hall))
            .await;
        let view = open(&w, series, &day).await;
        w.fakes.arm(Fault::new(&instances, 1, kind));
        change(&w, &view, "this", |input| input.title.clone_from(&title)).await;
        w.fakes.clear_faults();
        for _ in 0..2 {
            w.pass(TimeDelta::minutes(40));
            w.sync().await;
        }
        let there = w.named("Single");
        let place = there.first().map(|event| event["location"].to_string());
        let marks = [w.mark(single).await, w.mark(series).await];
        let exceptions = w.fakes.exceptions(
            w.fake,
            &w.calendar,
            &crate::series::id_of(&crate::series::there(&w, "Series")),
        );
        let shown = exceptions
            .get(&day)
            .map(|event| event[w.key("title")].clone());
        if there.len() != 1
            || !place.is_some_and(|place| place.contains(&hall))
            || marks != ["synced", "synced"]
            || shown != Some(json!(title))
            || w.status().await != "connected"
        {
            wrong.push(format!("{case}: {there:?}, {marks:?}, {shown:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

everywhere! {
    looks: looks_are_repeated;
    subscriptions: subscriptions_fail_aside;
    calendars: calendars_are_listed_or_not;
}
