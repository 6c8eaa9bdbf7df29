//! One event in two connected calendars of one person is one entry, whichever calendar tells of it first.

use std::sync::Arc;

use chrono::TimeDelta;
use daybind_domain::ids::EntryId;
use daybind_services::{CalendarPort, Provider, demo, jobs};
use daybind_storage::{Entry, Scope};
use serde_json::{Value, json};

use crate::bench::{Database, World};
use crate::everyday::event;
use crate::several::{seen, sync, two};

const TITLE: &str = "Quarterly review @daybind";

/// Tess with two calendars, of which each brings in what the rule says; the second connection and its calendar.
async fn with_rules(
    database: Database,
    provider: Provider,
    rules: [&str; 2],
) -> (World, String, String) {
    let (w, second, other) = two(database, provider).await;
    for (id, rule) in [w.connection().await, second.clone()].iter().zip(rules) {
        set_rule(&w, id, rule).await;
    }
    w.drain().await;
    (w, second, other)
}

async fn set_rule(w: &World, id: &str, rule: &str) {
    let view = w.port.get_calendar_providers(&w.tess).await.unwrap();
    let row = view.connections.iter().find(|row| row.connection_id == id);
    let mut rules = row.unwrap().rules.clone();
    rule.clone_into(&mut rules.import_rule);
    w.port
        .update_calendar_rules(&w.tess, id, &rules)
        .await
        .unwrap();
}

fn invite(w: &World, calendar: &str, uid: &str, more: &Value) -> String {
    let body = event(w, TITLE, more);
    let made = w.fakes.invite(w.fake, calendar, uid, &body).unwrap();
    made["id"].as_str().unwrap().to_owned()
}

fn rename(w: &World, calendar: &str, id: &str, title: &str) {
    let patch = json!({ w.key("title"): title });
    w.fakes.patch_event(w.fake, calendar, id, &patch).unwrap();
}

fn title(w: &World, calendar: &str, id: &str) -> String {
    let events = w.fakes.events(w.fake, calendar);
    let event = events.iter().find(|event| event["id"] == id);
    event.unwrap()[w.key("title")].as_str().unwrap().to_owned()
}

/// Tess's entries that are there and say something about the review, or are blocks.
async fn brought(w: &World) -> Vec<Entry> {
    let now = w.services.now();
    let mut unit = w.services.read(demo::TENANT).await.unwrap();
    let (from, to) = (now - TimeDelta::days(30), now + TimeDelta::days(300));
    let found = unit
        .list_entries(demo::TENANT, from, to, Some(w.tess.user_id()))
        .await
        .unwrap();
    let brought = found.into_iter().filter(|row| {
        row.occurrence_of.is_none()
            && (row.content.title.contains("review") || row.content.title == "Busy")
    });
    brought.collect()
}

async fn only(w: &World) -> (EntryId, String) {
    let found = brought(w).await;
    assert_eq!(found.len(), 1, "one entry: {found:?}");
    (found[0].entry_id, found[0].content.title.clone())
}

async fn questions(w: &World) -> usize {
    let view = w.port.get_calendar_providers(&w.tess).await.unwrap();
    let rows = view.connections.iter();
    rows.map(|row| row.questions.len()).sum()
}

async fn both(w: &World, second: &str) {
    w.sync().await;
    sync(w, second).await;
}

async fn version(w: &World, id: EntryId) -> i64 {
    w.entry(id).await.version
}

/// W55: an invitation that stands in two calendars of one person is one entry and stays one event in each, whether both are
/// there before the first sync or the second one comes after the entry was copied there. What is done to the one that speaks
/// comes in; the other is left alone in both directions.
async fn one_entry(database: Database, provider: Provider) {
    for late in [false, true] {
        let (w, second, other) = with_rules(database, provider, ["marked", "marked"]).await;
        let first_event = invite(&w, &w.calendar, "one@elsewhere.test", &json!({}));
        if late {
            w.sync().await;
            assert_eq!(seen(&w, &other, TITLE), (1, 1), "copied before it came");
        }
        let second_event = invite(&w, &other, "one@elsewhere.test", &json!({}));
        both(&w, &second).await;
        let (id, _) = only(&w).await;
        assert_eq!(seen(&w, &other, TITLE), (1, 1), "late: {late}");
        assert_eq!(title(&w, &other, &second_event), TITLE);

        // Whichever was read first speaks for it; with all at once, notifications decide.
        let speaks = speaker(&w, id).await;
        let (calendar, speaks, there, beside) = if speaks == first_event {
            (&w.calendar, &first_event, &other, &second_event)
        } else {
            (&other, &second_event, &w.calendar, &first_event)
        };
        rename(&w, there, beside, "Something else");
        both(&w, &second).await;
        assert_eq!(only(&w).await, (id, TITLE.to_owned()));
        assert_eq!(title(&w, there, beside), "Something else", "left alone");
        rename(&w, calendar, speaks, "Yearly review @daybind");
        both(&w, &second).await;
        assert_eq!(only(&w).await, (id, "Yearly review @daybind".to_owned()));
        assert_eq!(title(&w, there, beside), "Something else", "left alone");
        let quiet = version(&w, id).await;
        both(&w, &second).await;
        assert_eq!(version(&w, id).await, quiet);
        assert_eq!(questions(&w).await, 0);
    }
}

/// The event that speaks for an entry.
async fn speaker(w: &World, id: EntryId) -> String {
    let mut unit = w.services.read(demo::TENANT).await.unwrap();
    let rows = daybind_ee_storage::calendar(unit.as_mut()).unwrap();
    let ties = rows.list_entry_mappings(demo::TENANT, id).await.unwrap();
    let speaks: Vec<_> = ties
        .iter()
        .filter(|tie| tie.beside.is_none() && tie.state != "removed")
        .collect();
    assert_eq!(speaks.len(), 1, "one speaks: {ties:?}");
    speaks[0].external_event_id.clone().unwrap()
}

/// W55: deleting one of the two events takes nothing but its tie: the entry stays, nobody is asked, nothing is put back. The
/// other one speaks for it from then on, and its deletion is the provider's word like any other.
async fn one_of_them_is_deleted(database: Database, provider: Provider) {
    for first_goes in [false, true] {
        let (w, second, other) = with_rules(database, provider, ["marked", "marked"]).await;
        let a = invite(&w, &w.calendar, "two@elsewhere.test", &json!({}));
        w.sync().await;
        let b = invite(&w, &other, "two@elsewhere.test", &json!({}));
        both(&w, &second).await;
        let (id, _) = only(&w).await;
        assert_eq!(speaker(&w, id).await, a);
        let (gone_from, gone, stays_in, stays) = if first_goes {
            (w.calendar.clone(), &a, other.clone(), &b)
        } else {
            (other.clone(), &b, w.calendar.clone(), &a)
        };
        w.fakes.delete_event(w.fake, &gone_from, gone).unwrap();
        both(&w, &second).await;
        both(&w, &second).await;
        assert_eq!(only(&w).await, (id, TITLE.to_owned()));
        assert_eq!(speaker(&w, id).await, *stays);
        assert!(
            w.titled(&gone_from, TITLE).is_empty(),
            "nothing is put back"
        );
        assert_eq!(questions(&w).await, 0);
        rename(&w, &stays_in, stays, "Yearly review @daybind");
        both(&w, &second).await;
        assert_eq!(only(&w).await, (id, "Yearly review @daybind".to_owned()));
        w.fakes.delete_event(w.fake, &stays_in, stays).unwrap();
        both(&w, &second).await;
        assert_eq!(
            questions(&w).await,
            1,
            "the last one's deletion is asked about"
        );
    }
}

/// W55: also where the second calendar's rule brings nothing in, or all events as blocks, and whichever is read first: the
/// one that says more speaks.
async fn whatever_the_rules(database: Database, provider: Provider) {
    for rules in [
        ["marked", "nothing"],
        ["busy", "marked"],
        ["marked", "busy"],
    ] {
        let (w, second, other) = with_rules(database, provider, rules).await;
        let a = invite(&w, &w.calendar, "rules@elsewhere.test", &json!({}));
        w.sync().await;
        let b = invite(&w, &other, "rules@elsewhere.test", &json!({}));
        both(&w, &second).await;
        let (id, said) = only(&w).await;
        assert_eq!(said, TITLE, "{rules:?}: words are not lost");
        assert_eq!(seen(&w, &other, TITLE), (1, 1), "{rules:?}");
        let speaks = if rules[0] == "marked" { &a } else { &b };
        assert_eq!(speaker(&w, id).await, *speaks);
        assert!(
            w.titled(&other, "Busy").is_empty(),
            "{rules:?}: no copy is left"
        );
    }
}

/// W55: an invitation that a calendar had, and that was passed over there, gets no copy beside it when it comes in from another
/// calendar later; the preview says so too.
async fn passed_over_before(database: Database, provider: Provider) {
    let (w, second, other) = with_rules(database, provider, ["marked", "nothing"]).await;
    let b = invite(&w, &other, "before@elsewhere.test", &json!({}));
    both(&w, &second).await;
    assert_eq!(brought(&w).await.len(), 0);
    let a = invite(&w, &w.calendar, "before@elsewhere.test", &json!({}));
    // The first one only; the other one's turn is foreseen.
    let first = w.connection().await;
    w.port
        .sync_calendar_provider(&w.tess, &first)
        .await
        .unwrap();
    assert!(w.fakes.settle(std::time::Duration::from_secs(20)).await);
    w.pass(TimeDelta::seconds(2));
    w.once_of(&["calendar.sync"]).await;
    let (id, _) = only(&w).await;
    let said = w
        .port
        .preview_calendar_sync(&w.tess, &second, None, None)
        .await
        .unwrap();
    let made = said.counts.iter().filter(|count| count.side == "calendar");
    assert_eq!(made.count(), 0, "{:?}", said.counts);
    both(&w, &second).await;
    assert_eq!(only(&w).await, (id, TITLE.to_owned()));
    assert_eq!(seen(&w, &other, TITLE), (1, 1));
    assert_eq!(speaker(&w, id).await, a);
    assert_eq!(title(&w, &other, &b), TITLE);
}

/// W55, W57: a series that somebody invited both addresses to is one series, and its exceptions come in once.
async fn a_series(database: Database, provider: Provider) {
    let (w, second, other) = with_rules(database, provider, ["marked", "marked"]).await;
    let day = (w.services.now() + TimeDelta::days(3)).date_naive();
    let more = match provider {
        Provider::Google => json!({ "recurrence": ["RRULE:FREQ=DAILY;COUNT=5"] }),
        Provider::Microsoft => json!({ "recurrence": {
            "pattern": { "type": "daily", "interval": 1 },
            "range": { "type": "numbered", "startDate": day, "numberOfOccurrences": 5,
                       "recurrenceTimeZone": "UTC" },
        } }),
    };
    let a = invite(&w, &w.calendar, "series@elsewhere.test", &more);
    w.sync().await;
    let b = invite(&w, &other, "series@elsewhere.test", &more);
    both(&w, &second).await;
    let (id, _) = only(&w).await;
    let entries = w.rows(&["schedule_entries"]).await;
    for (calendar, series) in [(&w.calendar, &a), (&other, &b)] {
        let next = day + TimeDelta::days(1);
        let at = match provider {
            Provider::Google => format!("{series}_{}T090000Z", next.format("%Y%m%d")),
            Provider::Microsoft => {
                format!(
                    "{}_occ_{}=",
                    series.trim_end_matches('='),
                    next.format("%Y%m%d")
                )
            }
        };
        rename(&w, calendar, &at, "Short review @daybind");
    }
    both(&w, &second).await;
    assert_eq!(w.rows(&["schedule_entries"]).await, entries + 1);
    assert_eq!(only(&w).await.0, id);
    w.fakes.delete_event(w.fake, &w.calendar, &a).unwrap();
    both(&w, &second).await;
    both(&w, &second).await;
    assert_eq!(only(&w).await.0, id);
    assert_eq!(speaker(&w, id).await, b);
    assert_eq!(w.rows(&["schedule_entries"]).await, entries + 1);
    assert_eq!(questions(&w).await, 0);
}

/// W55: the end of the connection whose event spoke leaves the entry to the other one.
async fn the_first_is_disconnected(database: Database, provider: Provider) {
    let (w, second, other) = with_rules(database, provider, ["marked", "marked"]).await;
    invite(&w, &w.calendar, "end@elsewhere.test", &json!({}));
    w.sync().await;
    let b = invite(&w, &other, "end@elsewhere.test", &json!({}));
    both(&w, &second).await;
    let (id, _) = only(&w).await;
    let first = w.connection().await;
    w.port
        .delete_calendar_provider(&w.tess, &first, true)
        .await
        .unwrap();
    w.drain().await;
    assert_eq!(speaker(&w, id).await, b);
    rename(&w, &other, &b, "Yearly review @daybind");
    sync(&w, &second).await;
    assert_eq!(only(&w).await, (id, "Yearly review @daybind".to_owned()));
}

/// W55: two servers that read both calendars at the same moment make one entry all the same.
async fn at_the_same_moment(database: Database, provider: Provider) {
    let (w, second, other) = with_rules(database, provider, ["marked", "marked"]).await;
    let (services, port) = w.second_server().await;
    let first = w.connection().await;
    for round in 0..8_usize {
        let uid = format!("race{round}@elsewhere.test");
        for calendar in [&w.calendar, &other] {
            invite(&w, calendar, &uid, &json!({}));
        }
        for id in [&first, &second] {
            w.port.sync_calendar_provider(&w.tess, id).await.unwrap();
        }
        // A claim passes over a job that a notification is just poking.
        assert!(w.fakes.settle(std::time::Duration::from_secs(20)).await);
        w.pass(TimeDelta::seconds(2));
        let now = w.services.now();
        let mut unit = w.services.store.begin(Scope::System).await.unwrap();
        let due = unit
            .claim_jobs(&["calendar.sync"], 10, now, now + TimeDelta::seconds(60))
            .await
            .unwrap();
        unit.save().await.unwrap();
        assert_eq!(due.len(), 2);
        let servers = [
            (w.services.clone(), Arc::clone(&w.port)),
            (services.clone(), Arc::clone(&port)),
        ];
        let runs = due.into_iter().zip(servers).map(|(job, (services, port))| {
            tokio::spawn(jobs::run(services, port as Arc<dyn CalendarPort>, job))
        });
        for run in runs.collect::<Vec<_>>() {
            run.await.unwrap().unwrap();
        }
        w.drain().await;
        assert_eq!(brought(&w).await.len(), round + 1);
        assert_eq!(seen(&w, &other, TITLE), (round + 1, round + 1));
    }
}

/// W55: the preview says of the second one that it is the same event, and the run does what it says.
async fn foreseen(database: Database, provider: Provider) {
    let (w, second, other) = with_rules(database, provider, ["marked", "nothing"]).await;
    invite(&w, &w.calendar, "seen@elsewhere.test", &json!({}));
    w.sync().await;
    invite(&w, &other, "seen@elsewhere.test", &json!({}));
    let said = w
        .port
        .preview_calendar_sync(&w.tess, &second, None, None)
        .await
        .unwrap();
    let counts: Vec<_> = said
        .counts
        .iter()
        .map(|count| (count.side.as_str(), count.action.as_str(), count.count))
        .collect();
    // The copy that was made before goes.
    assert_eq!(counts, [("calendar", "removed", 1), ("none", "skipped", 1)]);
    sync(&w, &second).await;
    assert_eq!(seen(&w, &other, TITLE), (1, 1));
    let said = w
        .port
        .preview_calendar_sync(&w.tess, &second, None, None)
        .await
        .unwrap();
    assert!(said.counts.is_empty(), "{:?}", said.counts);
}

everywhere! {
    one: one_entry;
    deleted: one_of_them_is_deleted;
    rules: whatever_the_rules;
    before: passed_over_before;
    series: a_series;
    disconnected: the_first_is_disconnected;
    race: at_the_same_moment;
    preview: foreseen;
}
