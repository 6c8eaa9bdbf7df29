//! What becomes of a connection whose provider, credentials or permissions fail, and of one entry that fails alone.

use chrono::TimeDelta;
use daybind_domain::schedule::EntryStatus;
use daybind_fakes::{DuplicateTransaction, Fault, FaultKind};
use daybind_services::{CalendarPort as _, Provider, profiles};
use daybind_storage::FinishJob;
use secrecy::SecretString;
use serde_json::json;

use crate::bench::{Database, World};
use crate::disconnecting::cancels_with_its_event;

const LIST: (&str, &str) = ("google.events.list", "microsoft.view.delta");
const CREATE: (&str, &str) = ("google.events.insert", "microsoft.events.create");
const WRITE: (&str, &str) = ("google.events.patch", "microsoft.events.update");
const GET: (&str, &str) = ("google.events.get", "microsoft.events.get");
const TOKEN: (&str, &str) = ("google.token", "microsoft.token");
const MANY: u32 = 100_000;

fn status(status: u16, retry_after: Option<u64>, reason: Option<&str>) -> FaultKind {
    FaultKind::Status {
        status,
        retry_after,
        reason: reason.map(str::to_owned),
    }
}

async fn connected(database: Database, provider: Provider) -> World {
    World::new(database, provider, DuplicateTransaction::Existing).await
}

fn arm(w: &World, what: (&str, &str), count: u32, kind: FaultKind) {
    w.fakes
        .arm(Fault::new(&w.operation(what.0, what.1), count, kind));
}

fn asked(w: &World, what: (&str, &str)) -> u64 {
    w.asked(what.0, what.1)
}

/// Asks for a sync by hand, without running it.
async fn press_sync(w: &World) {
    w.port
        .sync_calendar_provider(&w.tess, &w.connection().await)
        .await
        .unwrap();
}

/// Runs the sync job once; it must be due.
async fn run(w: &World) -> FinishJob {
    let mut ended = w.once_of(&["calendar.sync"]).await;
    assert_eq!(ended.len(), 1, "{ended:?}");
    ended.remove(0).1
}

/// Runs it once; how long until it is tried again.
async fn wait_after(w: &World) -> TimeDelta {
    match run(w).await {
        FinishJob::Retry { at, .. } => at - w.services.now(),
        other => panic!("{other:?}"),
    }
}

async fn text(w: &World) -> String {
    let view = w.port.get_calendar_providers(&w.tess).await.unwrap();
    view.connections[0].status_text.clone()
}

async fn detail(w: &World, id: daybind_domain::ids::EntryId) -> String {
    let marks = w.port.get_schedule_entry_sync_status(&w.tess, &[id]).await;
    marks.unwrap()[0].clone().unwrap().detail
}

/// M-34, W44: a provider that says how long to wait is not asked before, whatever happens here meanwhile, and the page
/// says when it goes on.
async fn throttled(database: Database, provider: Provider) {
    let w = connected(database, provider).await;
    arm(&w, LIST, 1, status(429, Some(600), None));
    press_sync(&w).await;
    let wait = wait_after(&w).await;
    assert!(
        wait > TimeDelta::seconds(590) && wait < TimeDelta::seconds(760),
        "{wait}"
    );
    let row = w.row().await;
    assert_eq!(row.last_error.as_deref(), Some("throttled"));
    assert_eq!((row.status.as_str(), row.failing.runs), ("connected", 1));
    assert!(row.failing.held_until.is_some());
    assert!(text(&w).await.contains("goes on by itself on"));

    let id = w.add("Meanwhile").await;
    press_sync(&w).await;
    let before: u64 = w.fakes.counters().values().sum();
    w.once().await;
    w.pass(TimeDelta::minutes(9));
    w.once().await;
    assert_eq!(
        w.fakes.counters().values().sum::<u64>(),
        before,
        "asked early"
    );
    assert_eq!(w.row().await.failing.runs, 1, "waiting is no failure");

    w.pass(TimeDelta::minutes(4));
    w.drain().await;
    assert_eq!(w.mark(id).await, "synced");
    let row = w.row().await;
    assert_eq!((row.last_error, row.failing), (None, Default::default()));
}

/// M-34, W44: no answer for half a day: asked more and more rarely, shown after an hour, looked at every half hour
/// until it is over, by hand at once; then everything is made up for.
async fn unreachable_for_hours(database: Database, provider: Provider) {
    let w = connected(database, provider).await;
    arm(&w, LIST, MANY, status(503, None, None));
    let id = w.add("Meanwhile").await;
    let began = w.services.now();
    let mut waits = Vec::new();
    while w.services.now() - began < TimeDelta::hours(12) {
        let wait = wait_after(&w).await;
        let shown = w.status().await == "error";
        assert_eq!(
            shown,
            w.services.now() - began >= TimeDelta::hours(1),
            "{}",
            w.services.now() - began
        );
        waits.push(wait.num_seconds());
        w.pass(wait + TimeDelta::seconds(1));
    }
    assert!(waits[0] <= 7 && waits[1] >= 10, "{waits:?}");
    assert!(waits.iter().all(|wait| *wait <= 2250), "{waits:?}");
    assert!(
        waits.iter().rev().take(10).all(|wait| *wait >= 1799),
        "{waits:?}"
    );
    let said = text(&w).await;
    assert!(
        said.contains("does not give a usable answer, since") && said.contains("Sync now"),
        "{said}"
    );
    assert_eq!(w.mark(id).await, "not_synced");

    // By hand at once, and it stays what it was: the queue does not lose patience.
    run(&w).await;
    let before = asked(&w, LIST);
    press_sync(&w).await;
    run(&w).await;
    assert_eq!(asked(&w, LIST), before + 1);

    w.fakes.clear_faults();
    w.pass(TimeDelta::minutes(38));
    w.drain().await;
    assert_eq!(
        (w.status().await.as_str(), w.mark(id).await.as_str()),
        ("connected", "synced")
    );
    assert_eq!(w.row().await.failing, Default::default());
}

/// M-34, W44: a client secret that ended is the administrator's business. Nobody is asked to reconnect, and with the new
/// secret the waiting connections go on by themselves.
async fn client_secret_ended(database: Database, provider: Provider) {
    let w = connected(database, provider).await;
    let id = w.add("Meanwhile").await;
    w.pass(TimeDelta::hours(2));
    arm(&w, TOKEN, MANY, status(401, None, Some("invalid_client")));
    let FinishJob::Retry { at, error } = run(&w).await else {
        panic!("given up");
    };
    assert_eq!(error, "secret");
    assert!(at - w.services.now() <= TimeDelta::minutes(30));
    assert_eq!(w.status().await, "error");
    let said = text(&w).await;
    assert!(
        said.contains("administrator") && !said.contains("econnect"),
        "{said}"
    );
    let before = asked(&w, TOKEN);
    w.once().await;
    w.pass(TimeDelta::minutes(5));
    w.once().await;
    assert!(asked(&w, TOKEN) <= before + 1, "one look each");

    w.fakes.clear_faults();
    match w.provider {
        Provider::Google => {
            let client = w.port.get_google_client(&w.admin).await.unwrap();
            w.port
                .save_google_client(&w.admin, &client.client_id, "demo-google-secret")
                .await
                .unwrap();
        }
        Provider::Microsoft => {
            let bound = w.row().await.profile_id.unwrap().to_string();
            let secret = SecretString::from("demo-microsoft-secret");
            profiles::secrets::stage(&w.services, &w.admin, &bound, &secret, "")
                .await
                .unwrap();
            let profile = profiles::detail(&w.services, &w.admin, &bound)
                .await
                .unwrap();
            profiles::secrets::switch(&w.services, &w.admin, &bound, profile.profile.version, 24)
                .await
                .unwrap();
            let told = w.once_of(&["profile.changed"]).await;
            assert!(matches!(told[..], [(_, FinishJob::Done)]), "{told:?}");
        }
    }
    // No time passes: it was woken.
    let ended = run(&w).await;
    assert!(matches!(ended, FinishJob::Again(_)), "{ended:?}");
    assert_eq!(
        (w.status().await.as_str(), w.mark(id).await.as_str()),
        ("connected", "synced")
    );
}

/// M-34, W44: a calendar that may not be read any more, or that is gone, is an error at once, says whose turn it is, is
/// looked at every half hour, and goes on when it is back.
async fn calendar_out_of_reach(database: Database, provider: Provider) {
    let w = connected(database, provider).await;
    let denied = w.operation("forbidden", "ErrorAccessDenied");
    for (kind, code, words) in [
        (
            status(403, None, Some(&denied)),
            "permission",
            "share it again",
        ),
        (
            status(404, None, None),
            "calendar_missing",
            "not in the account any more",
        ),
    ] {
        arm(&w, LIST, MANY, kind);
        press_sync(&w).await;
        assert_eq!(wait_after(&w).await.num_minutes(), 29, "{code}");
        let row = w.row().await;
        assert_eq!(
            (row.status.as_str(), row.status_reason.as_deref()),
            ("error", Some(code))
        );
        let said = text(&w).await;
        assert!(said.contains(words), "{said}");
        let before = asked(&w, LIST);
        w.pass(TimeDelta::minutes(31));
        wait_after(&w).await;
        assert_eq!(asked(&w, LIST), before + 1);
        w.fakes.clear_faults();
        w.pass(TimeDelta::minutes(31));
        w.drain().await;
        assert_eq!(w.status().await, "connected");
    }
}

/// M-34, W46: an entry that the calendar refuses says so and stops neither the connection nor the others; it is tried
/// more and more rarely, and at once by hand or when it changes.
async fn one_bad_entry(database: Database, provider: Provider) {
    let w = connected(database, provider).await;
    for (kind, word, first_mark) in [
        (status(400, None, None), "status 400", "failed"),
        (status(500, None, None), "no usable answer", "waiting"),
    ] {
        arm(&w, CREATE, 1, kind.clone());
        let bad = w.add("Bad").await;
        let good = w.add("Good").await;
        run(&w).await;
        assert_eq!(w.status().await, "connected");
        let (first, second) = (w.mark(bad).await, w.mark(good).await);
        let mut both = [first.as_str(), second.as_str()];
        both.sort_unstable_by_key(|mark| *mark == "synced");
        assert_eq!(both, [first_mark, "synced"]);
        let failed = if second == "synced" { bad } else { good };
        let said = detail(&w, failed).await;
        assert!(said.contains(word) && said.contains("Sync now"), "{said}");

        // What may pass is tried twice more, soon; then it is left alone for a while.
        arm(&w, CREATE, MANY, kind);
        let before = asked(&w, CREATE);
        for _ in 0..6 {
            w.pass(TimeDelta::minutes(7));
            run(&w).await;
        }
        let tries = asked(&w, CREATE) - before;
        let expected = if first_mark == "failed" { 1..=1 } else { 2..=3 };
        assert!(expected.contains(&tries), "{word}: {tries}");
        assert_eq!(w.mark(failed).await, "failed");
        assert_eq!(w.status().await, "connected");

        w.fakes.clear_faults();
        press_sync(&w).await;
        run(&w).await;
        assert_eq!(w.mark(failed).await, "synced");
        for id in [bad, good] {
            w.edit(id, |entry| entry.deleted_at = Some(entry.updated_at))
                .await;
        }
        w.drain().await;
        assert!(w.named("Bad").is_empty() && w.named("Good").is_empty());
    }
}

/// M-34, W46: when no entry gets through it is the provider: no entry is blamed, and everything is made up for.
async fn no_entry_gets_through(database: Database, provider: Provider) {
    let w = connected(database, provider).await;
    let mut ids = Vec::new();
    for title in ["One", "Two", "Three", "Four"] {
        ids.push(w.add(title).await);
    }
    arm(&w, CREATE, MANY, status(500, None, None));
    let before = asked(&w, CREATE);
    wait_after(&w).await;
    assert_eq!(asked(&w, CREATE), before + 3, "three in a row are enough");
    for id in &ids {
        assert_ne!(w.mark(*id).await, "failed");
    }
    w.fakes.clear_faults();
    w.pass(TimeDelta::minutes(1));
    w.drain().await;
    for id in &ids {
        assert_eq!(w.mark(*id).await, "synced");
    }
    assert_eq!(w.named("One").len(), 1);
}

/// W46: an event that cannot be read does not keep the others out, and is looked at again.
async fn one_unreadable_event(database: Database, provider: Provider) {
    let w = connected(database, provider).await;
    let (gone, other) = (w.add("Gone").await, w.add("Other").await);
    w.drain().await;
    let event = w.named("Gone")[0]["id"].as_str().unwrap().to_owned();
    w.fakes.delete_event(w.fake, &w.calendar, &event).unwrap();
    w.outside(
        &w.named("Other")[0].clone(),
        &json!({ w.key("title"): "Read" }),
    );
    w.fakes.expire_sync_tokens(w.fake);
    arm(&w, GET, 2, status(500, None, None));
    press_sync(&w).await;
    let wait = wait_after(&w).await;
    assert!(wait <= TimeDelta::seconds(7), "{wait}");
    assert_eq!(w.status().await, "connected");
    assert_eq!(w.entry(other).await.content.title, "Read");
    assert_eq!(w.mark(gone).await, "waiting");
    assert!(detail(&w, gone).await.contains("no usable answer"));
    w.fakes.clear_faults();
    w.pass(TimeDelta::minutes(7));
    w.drain().await;
    assert_eq!(
        w.mark(gone).await,
        "conflict",
        "the owner is asked about the deletion"
    );
}

/// W2: copies that are not found while they are written to are no deletions: the calendar may be out of reach. The next run reads
/// it as a whole first, and nothing is called off for what is there.
async fn missing_copies_are_no_deletions(database: Database, provider: Provider) {
    let w = connected(database, provider).await;
    cancels_with_its_event(&w).await;
    let mut ids = Vec::new();
    for n in 0..3 {
        ids.push(w.add(&format!("Visit {n}")).await);
    }
    w.drain().await;
    for id in &ids {
        w.edit(*id, |entry| entry.content.location = "Hall 4".to_owned())
            .await;
    }
    arm(&w, WRITE, MANY, status(404, None, None));
    arm(&w, GET, MANY, status(404, None, None));
    for _ in 0..4 {
        w.once().await;
        w.pass(TimeDelta::minutes(1));
    }
    for id in &ids {
        assert_eq!(w.entry(*id).await.content.status, EntryStatus::Scheduled);
    }
    w.fakes.clear_faults();
    w.pass(TimeDelta::hours(1));
    w.drain().await;
    for (n, id) in ids.into_iter().enumerate() {
        assert_eq!(w.mark(id).await, "synced");
        let copy = w.named(&format!("Visit {n}"));
        assert!(copy[0].to_string().contains("Hall 4"), "{copy:?}");
    }
    // A real deletion in the same moment is one, as soon as the calendar has said so.
    let (gone, copy) = (w.add("Really gone").await, "Really gone");
    w.drain().await;
    w.edit(gone, |entry| entry.content.location = "Hall 5".to_owned())
        .await;
    arm(&w, WRITE, 1, FaultKind::DelayBefore { ms: 1000 });
    let deleting = async {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        let id = w.named(copy)[0]["id"].as_str().unwrap().to_owned();
        w.fakes.delete_event(w.fake, &w.calendar, &id).unwrap();
    };
    tokio::join!(w.once_of(&["calendar.sync"]), deleting);
    w.drain().await;
    assert_eq!(w.entry(gone).await.content.status, EntryStatus::Cancelled);
}

everywhere! {
    missing_copies: missing_copies_are_no_deletions;
    throttling: throttled;
    outage: unreachable_for_hours;
    secret: client_secret_ended;
    reach: calendar_out_of_reach;
    bad_entry: one_bad_entry;
    all_entries: no_entry_gets_through;
    unreadable: one_unreadable_event;
}
