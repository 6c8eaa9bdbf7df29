//! What one connection does from day to day, and what earlier software got wrong about it.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use daybind_domain::schedule::EntryStatus;
use daybind_fakes::{DuplicateTransaction, Fault, FaultKind, LogEntry};
use daybind_services::{CalendarPort as _, Provider, demo};
use serde_json::{Value, json};

use crate::bench::{Database, World};

const LIST: (&str, &str) = ("google.events.list", "microsoft.view.delta");
pub(crate) const CREATE: (&str, &str) = ("google.events.insert", "microsoft.events.create");
pub(crate) const UPDATE: (&str, &str) = ("google.events.patch", "microsoft.events.update");
pub(crate) const DELETE: (&str, &str) = ("google.events.delete", "microsoft.events.delete");

async fn connected(database: Database, provider: Provider) -> World {
    World::new(database, provider, DuplicateTransaction::Existing).await
}

/// What was asked since `seen` entries of the log, notifications left out.
pub(crate) fn calls(w: &World, seen: usize) -> Vec<LogEntry> {
    let log = w.fakes.log().into_iter().skip(seen);
    log.filter(|entry| !entry.operation.ends_with(".webhook"))
        .collect()
}

fn names(calls: &[LogEntry]) -> Vec<&str> {
    calls.iter().map(|call| call.operation.as_str()).collect()
}

/// The event a person makes in the calendar, with more members.
pub(crate) fn event(w: &World, title: &str, more: &Value) -> Value {
    let start = (w.services.now() + TimeDelta::days(3)).format("%Y-%m-%dT09:00:00");
    let end = (w.services.now() + TimeDelta::days(3)).format("%Y-%m-%dT10:00:00");
    let point = |at: String| json!({ "dateTime": at, "timeZone": "UTC" });
    let mut event = json!({ w.key("title"): title });
    event["start"] = point(start.to_string());
    event["end"] = point(end.to_string());
    for (name, value) in more.as_object().unwrap() {
        event[name] = value.clone();
    }
    event
}

/// Changes what comes in.
pub(crate) async fn bring_in(w: &World, rule: &str) {
    let view = w.port.get_calendar_providers(&w.tess).await.unwrap();
    let connection = &view.connections[0];
    let mut rules = connection.rules.clone();
    rule.clone_into(&mut rules.import_rule);
    w.port
        .update_calendar_rules(&w.tess, &connection.connection_id, &rules)
        .await
        .unwrap();
    w.drain().await;
}

/// W12: no request ever names an attendee, and Google is told to write to nobody, though two people do the work.
async fn nobody_is_invited(database: Database, provider: Provider) {
    let w = connected(database, provider).await;
    let tom = crate::bench::actor(&w.services, "tom@demo.daybind.test").await;
    let id = w.add("Replace switch").await;
    w.edit(id, |entry| entry.assignees.push(tom.user_id()))
        .await;
    w.drain().await;
    w.edit(id, |entry| entry.content.location = "Hall 4".to_owned())
        .await;
    w.drain().await;
    w.edit(id, |entry| entry.deleted_at = Some(entry.updated_at))
        .await;
    w.drain().await;
    let mut written = 0;
    for call in calls(&w, 0) {
        let writes = [CREATE, UPDATE, DELETE]
            .iter()
            .any(|(google, microsoft)| call.operation == w.operation(google, microsoft));
        if !writes {
            continue;
        }
        written += 1;
        let body = call.request.unwrap_or_default().to_string();
        assert!(!body.contains("attendees"), "{body}");
        if provider == Provider::Google {
            assert!(call.query.contains("sendUpdates=none"), "{}", call.query);
        }
    }
    assert!(written >= 4, "{written}");
}

/// W17: a copy that was deleted in the calendar is put back where the schedule rules, and the next change of the entry
/// finds it.
async fn a_deleted_copy_is_settled(database: Database, provider: Provider) {
    let w = connected(database, provider).await;
    let connection = w.connection().await;
    w.port
        .update_calendar_provider(&w.tess, &connection, None, Some("to_external"))
        .await
        .unwrap();
    let id = w.add("Replace switch").await;
    w.drain().await;
    for round in 0..2 {
        let copy = w.named("Replace switch")[0]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        w.fakes.delete_event(w.fake, &w.calendar, &copy).unwrap();
        if round == 1 {
            // Both at once: the change meets a copy that is gone.
            w.edit(id, |entry| entry.content.location = "Hall 4".to_owned())
                .await;
        }
        w.sync().await;
        let there = w.named("Replace switch");
        assert_eq!((there.len(), w.mark(id).await.as_str()), (1, "synced"));
        assert_ne!(there[0]["id"], json!(copy));
        assert_eq!(w.status().await, "connected");
    }
    assert!(
        w.named("Replace switch")[0]["location"]
            .to_string()
            .contains("Hall 4")
    );
}

/// W18: work that is given to somebody else, called off or deleted leaves the calendar, also when nothing could be sent
/// at that time; what comes back is there again, once.
async fn what_leaves_is_taken_away(database: Database, provider: Provider) {
    let w = connected(database, provider).await;
    let tom = crate::bench::actor(&w.services, "tom@demo.daybind.test").await;
    let mut ids = Vec::new();
    for title in ["Given away", "Called off", "Deleted"] {
        ids.push(w.add(title).await);
    }
    w.drain().await;
    // The account lets nobody in meanwhile.
    w.fakes.revoke_grants(w.fake);
    w.sync().await;
    assert_eq!(w.status().await, "needs_reconnect");
    w.edit(ids[0], |entry| entry.assignees = vec![tom.user_id()])
        .await;
    w.edit(ids[1], |entry| {
        entry.content.status = EntryStatus::Cancelled;
    })
    .await;
    w.edit(ids[2], |entry| entry.deleted_at = Some(entry.updated_at))
        .await;
    w.drain().await;
    assert_eq!(w.named("Given away").len(), 1);
    let connection = w.connection().await;
    w.authorize(&w.tess, Some(&connection)).await;
    w.drain().await;
    for title in ["Given away", "Called off", "Deleted"] {
        assert!(w.named(title).is_empty(), "{title}");
    }
    let tess = w.tess.user_id();
    w.edit(ids[0], |entry| entry.assignees = vec![tess]).await;
    w.edit(ids[1], |entry| {
        entry.content.status = EntryStatus::Scheduled;
    })
    .await;
    w.drain().await;
    assert_eq!(
        (w.named("Given away").len(), w.named("Called off").len()),
        (1, 1)
    );
}

/// W31: an event that carries our marker, or an id in our form, but is not the copy we made, changes no entry and becomes
/// none.
async fn markers_are_not_trusted(database: Database, provider: Provider) {
    let w = connected(database, provider).await;
    bring_in(&w, "busy").await;
    let id = w.add("Replace switch").await;
    w.drain().await;
    let copy = w.named("Replace switch")[0].clone();
    let before = w.rows(&["schedule_entries"]).await;
    let forged = match provider {
        Provider::Google => json!({ "extendedProperties": copy["extendedProperties"] }),
        Provider::Microsoft => {
            json!({ "singleValueExtendedProperties": copy["singleValueExtendedProperties"] })
        }
    };
    assert!(forged.to_string().len() > 60, "a marker: {forged}");
    let made = event(&w, "Forged", &forged);
    w.fakes.create_event(w.fake, &w.calendar, &made).unwrap();
    w.sync().await;
    let entry = w.entry(id).await;
    assert_eq!(
        (entry.content.title.as_str(), w.mark(id).await.as_str()),
        ("Replace switch", "synced")
    );
    // At most it is what any other event is: a busy block of its owner's own.
    assert!(w.rows(&["schedule_entries"]).await <= before + 1);
    // The real copy is still the one that counts.
    w.outside(&copy, &json!({ w.key("title"): "Replace router" }));
    w.sync().await;
    assert_eq!(w.entry(id).await.content.title, "Replace router");
}

/// W32: whom an event names is nobody's assignment: what is brought in is its owner's alone.
async fn attendees_are_no_assignees(database: Database, provider: Provider) {
    let w = connected(database, provider).await;
    bring_in(&w, "marked").await;
    let people = ["tom@demo.daybind.test", "admin@demo.daybind.test"];
    let attendees: Vec<_> = people
        .iter()
        .map(|email| match provider {
            Provider::Google => json!({ "email": email }),
            Provider::Microsoft => json!({ "emailAddress": { "address": email } }),
        })
        .collect();
    let made = event(&w, "Workshop @daybind", &json!({ "attendees": attendees }));
    let before = w.rows(&["schedule_entry_assignees"]).await;
    w.fakes.create_event(w.fake, &w.calendar, &made).unwrap();
    w.sync().await;
    assert_eq!(
        w.rows(&["schedule_entry_assignees"]).await,
        before + 1,
        "its owner's alone"
    );
}

/// What sync did is kept for as long as was said, and no longer.
async fn history_ends(database: Database, provider: Provider) {
    let w = connected(database, provider).await;
    w.add("Replace switch").await;
    w.drain().await;
    let seen = async || {
        let id = w.connection().await.parse().unwrap();
        let mut unit = w.services.begin(demo::TENANT).await.unwrap();
        let rows = daybind_ee_storage::calendar(unit.as_mut()).unwrap();
        let changes = rows
            .list_changes(demo::TENANT, id, None, 1000)
            .await
            .unwrap();
        let runs = rows.list_runs(demo::TENANT, id, 1000).await.unwrap();
        (changes.len(), runs.len())
    };
    let old = seen().await;
    assert!(old.0 > 0 && old.1 > 0);
    w.port.housekeep().await.unwrap();
    assert_eq!(seen().await, old, "nothing is too old yet");
    w.pass(TimeDelta::days(91));
    w.add("Next quarter").await;
    w.drain().await;
    let both = seen().await;
    w.port.housekeep().await.unwrap();
    let new = seen().await;
    assert_eq!((new.0 + old.0, new.1 + old.1), both, "only what is too old");
    assert!(new.0 > 0 && new.1 > 0);
}

/// W45: nothing to do costs one call and no write; a change here two calls; a burst of notifications a few pulls, and
/// nobody asks who the account is.
async fn few_calls(database: Database, provider: Provider) {
    let w = connected(database, provider).await;
    let id = w.add("Replace switch").await;
    w.drain().await;
    let (list, update) = (w.operation(LIST.0, LIST.1), w.operation(UPDATE.0, UPDATE.1));
    w.pass(TimeDelta::minutes(7));
    let (seen, row) = (w.fakes.log().len(), w.row().await);
    w.once_of(&["calendar.sync"]).await;
    assert_eq!(names(&calls(&w, seen)), [list.as_str()]);
    assert_eq!(w.row().await.version, row.version, "nothing is written");

    let seen = w.fakes.log().len();
    w.edit(id, |entry| entry.content.location = "Hall 4".to_owned())
        .await;
    w.once_of(&["calendar.sync"]).await;
    assert_eq!(names(&calls(&w, seen)), [list.as_str(), update.as_str()]);

    w.drain().await;
    let seen = w.fakes.log().len();
    let copy = w.named("Replace switch")[0].clone();
    for round in 0..40 {
        w.outside(&copy, &json!({ w.key("title"): format!("Round {round}") }));
    }
    w.drain().await;
    assert_eq!(w.entry(id).await.content.title, "Round 39");
    let asked = calls(&w, seen);
    assert!(asked.len() <= 3, "{:?}", names(&asked));
    assert!(names(&asked).iter().all(|name| *name == list));
}

/// W57: a calendar that shows nothing, in a delta or in a full pass, loses nobody anything.
async fn nothing_shown_is_nothing_deleted(database: Database, provider: Provider) {
    let w = connected(database, provider).await;
    let mut ids = Vec::new();
    for number in 0..8 {
        ids.push(w.add(&format!("Entry {number}")).await);
    }
    w.drain().await;
    let events = w.fakes.events(w.fake, &w.calendar).len();
    let list = w.operation(LIST.0, LIST.1);
    let body = json!({ "items": [], "value": [] });
    for full in [false, true] {
        if full {
            w.fakes.expire_sync_tokens(w.fake);
            // The first answer is that the cursor is lost.
            let gone = FaultKind::DelayBefore { ms: 0 };
            w.fakes.arm(Fault::new(&list, 1, gone));
        }
        w.fakes.arm(Fault::new(
            &list,
            1,
            FaultKind::Patch { body: body.clone() },
        ));
        w.sync().await;
        assert_eq!(w.status().await, "connected");
        assert_eq!(w.fakes.events(w.fake, &w.calendar).len(), events);
        for id in &ids {
            let entry = w.entry(*id).await;
            assert!(entry.deleted_at.is_none() && entry.assignees.len() == 1);
            assert_eq!(w.mark(*id).await, "synced");
        }
    }
}

/// W58: an entry says of itself: in no calendar, on its way, in step, in conflict, failed.
async fn every_entry_says_how_it_stands(database: Database, provider: Provider) {
    let w = connected(database, provider).await;
    let tom = crate::bench::actor(&w.services, "tom@demo.daybind.test").await;
    let id = w.add("Replace switch").await;
    w.edit(id, |entry| entry.assignees = vec![tom.user_id()])
        .await;
    w.drain().await;
    assert_eq!(w.mark(id).await, "not_synced");
    let tess = w.tess.user_id();
    w.edit(id, |entry| entry.assignees = vec![tess]).await;
    assert_eq!(
        w.mark(id).await,
        "waiting",
        "its calendar is still to hear of it"
    );
    w.drain().await;
    assert_eq!(w.mark(id).await, "synced");
    w.edit(id, |entry| entry.content.location = "Hall 4".to_owned())
        .await;
    assert_eq!(w.mark(id).await, "waiting");
    w.drain().await;
    assert_eq!(w.mark(id).await, "synced");
    let copy = w.named("Replace switch")[0].clone();
    w.outside(&copy, &json!({ w.key("title"): "Theirs" }));
    w.edit(id, |entry| entry.content.title = "Ours".to_owned())
        .await;
    w.drain().await;
    assert_eq!(w.mark(id).await, "conflict");
    w.answer("all", "schedule").await;
    w.drain().await;
    assert_eq!(w.mark(id).await, "synced");
    let refused = FaultKind::Status {
        status: 400,
        retry_after: None,
        reason: None,
    };
    let update = w.operation(UPDATE.0, UPDATE.1);
    w.fakes.arm(Fault::new(&update, 1, refused));
    w.edit(id, |entry| entry.content.location = "Hall 5".to_owned())
        .await;
    w.drain().await;
    assert_eq!(w.mark(id).await, "failed");
}

/// W59: location and notes travel both ways.
async fn location_and_notes_travel(database: Database, provider: Provider) {
    let w = connected(database, provider).await;
    let id = w.add("Replace switch").await;
    w.drain().await;
    let copy = w.named("Replace switch")[0].clone();
    let said = copy.to_string();
    assert!(
        said.contains("Hall 3") && said.contains("and \\\"labels\\\""),
        "{said}"
    );
    let patch = match provider {
        Provider::Google => {
            json!({ "location": "Hall 9", "description": "Bring\nladder & <tape>" })
        }
        Provider::Microsoft => json!({
            "location": { "displayName": "Hall 9" },
            "body": { "contentType": "text", "content": "Bring\nladder & <tape>" },
        }),
    };
    w.outside(&copy, &patch);
    w.sync().await;
    let content = w.entry(id).await.content;
    assert_eq!(
        (content.location.as_str(), content.notes.as_str()),
        ("Hall 9", "Bring\nladder & <tape>")
    );
    let version = w.entry(id).await.version;
    w.sync().await;
    assert_eq!(w.entry(id).await.version, version, "and come to rest");
}

/// W43: while a provider takes its time, whatever is asked, no transaction is open.
async fn no_transaction_waits_for_a_provider(database: Database, provider: Provider) {
    let w = connected(database, provider).await;
    let (changed, removed) = (w.add("Changed").await, w.add("Removed").await);
    w.drain().await;
    w.add("Created").await;
    w.edit(changed, |entry| {
        entry.content.location = "Hall 4".to_owned();
    })
    .await;
    w.edit(removed, |entry| entry.deleted_at = Some(entry.updated_at))
        .await;
    w.fakes.expire_access_tokens(w.fake);
    // The subscription's turn as well.
    w.pass(TimeDelta::days(6));
    let all = w.operation("google.*", "microsoft.*");
    w.fakes
        .arm(Fault::new(&all, 100, FaultKind::DelayBefore { ms: 1000 }));
    let began = Instant::now();
    let mut longest = Duration::ZERO;
    let work = w.once();
    tokio::pin!(work);
    let mut done = false;
    while !done {
        // The work goes on while one looks: what is in the midst of a transaction must be able to end it.
        let look = async {
            tokio::time::sleep(Duration::from_millis(60)).await;
            w.longest_transaction().await
        };
        tokio::pin!(look);
        loop {
            tokio::select! {
                _ = &mut work, if !done => done = true,
                time = &mut look => {
                    longest = longest.max(time);
                    break;
                }
            }
        }
    }
    let took = began.elapsed();
    w.fakes.clear_faults();
    assert!(
        took > Duration::from_secs(2),
        "{took:?}: the provider took its time"
    );
    assert!(longest < Duration::from_millis(700), "{longest:?}");
    w.drain().await;
    assert_eq!(w.mark(changed).await, "synced");
}

everywhere! {
    invitations: nobody_is_invited;
    deleted_copies: a_deleted_copy_is_settled;
    scope: what_leaves_is_taken_away;
    markers: markers_are_not_trusted;
    attendees: attendees_are_no_assignees;
    calls: few_calls;
    history: history_ends;
    nothing: nothing_shown_is_nothing_deleted;
    marks: every_entry_says_how_it_stands;
    fields: location_and_notes_travel;
    transactions: no_transaction_waits_for_a_provider;
}
