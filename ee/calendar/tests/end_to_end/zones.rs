//! Time zones under all their names, and those that nobody knows.

use chrono::{DateTime, TimeZone as _};
use daybind_domain::ids::EntryId;
use daybind_domain::schedule::When;
use daybind_fakes::DuplicateTransaction;
use daybind_services::{CalendarPort as _, Provider};
use serde_json::{Value, json};

use crate::bench::{Database, World};
use crate::series::{monday, plan, planned, rule_out, seen, there};

/// Moves an entry into a zone, nine to ten by its clock.
async fn into_zone(w: &World, id: EntryId, name: &str) {
    let zone: chrono_tz::Tz = name.parse().unwrap();
    let at = |hour| {
        let wall = monday(w, 0).and_hms_opt(hour, 0, 0).unwrap();
        zone.from_local_datetime(&wall).unwrap().to_utc()
    };
    w.edit(id, |entry| {
        entry.content.when = When::Timed {
            start: at(9),
            end: at(10),
            zone: name.to_owned(),
        };
    })
    .await;
    w.sync().await;
}

fn named_zone(w: &World, event: &Value) -> String {
    let name = match w.provider {
        Provider::Google => &event["start"]["timeZone"],
        Provider::Microsoft => &event["originalStartTimeZone"],
    };
    name.as_str().unwrap().to_owned()
}

async fn detail(w: &World, id: EntryId) -> String {
    let marks = w.port.get_schedule_entry_sync_status(&w.tess, &[id]).await;
    marks.unwrap()[0].clone().unwrap().detail
}

/// W11. A series goes out under a name that the provider is sure to know, whatever its place is called here, and
/// is at rest after that. Where Outlook has no such clock, the series stays whole and says so; a single event travels by
/// its instants.
async fn zones_go_out(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let id = plan(&w, &planned(&w, "Rounds", "weekly")).await;
    for (iana, windows) in [
        ("Asia/Kolkata", "India Standard Time"),
        ("Asia/Calcutta", "India Standard Time"),
        ("Europe/Kyiv", "FLE Standard Time"),
        ("America/Argentina/Buenos_Aires", "Argentina Standard Time"),
        ("Australia/Eucla", "Aus Central W. Standard Time"),
        ("Europe/Vienna", "W. Europe Standard Time"),
    ] {
        into_zone(&w, id, iana).await;
        let expected = match provider {
            Provider::Google => iana,
            Provider::Microsoft => windows,
        };
        let event = there(&w, "Rounds");
        // Two names of one clock are no change that is written.
        if iana != "Asia/Calcutta" || provider == Provider::Microsoft {
            assert_eq!(named_zone(&w, &event), expected);
        }
        assert_eq!(w.mark(id).await, "synced");
        w.sync().await;
        assert_eq!(there(&w, "Rounds"), event, "{iana}");
        let When::Timed { zone, .. } = w.entry(id).await.content.when else {
            panic!("it has times");
        };
        assert_eq!(zone, iana);
    }

    let before = there(&w, "Rounds");
    into_zone(&w, id, "Antarctica/Troll").await;
    if provider == Provider::Google {
        assert_eq!(named_zone(&w, &there(&w, "Rounds")), "Antarctica/Troll");
    } else {
        assert_eq!(there(&w, "Rounds"), before);
        assert_eq!(w.mark(id).await, "failed");
        let detail = detail(&w, id).await;
        assert!(detail.contains("time zone"), "{detail}");
        into_zone(&w, id, "Europe/Vienna").await;
    }
    assert_eq!(w.mark(id).await, "synced");

    let single = w.add("Once").await;
    into_zone(&w, single, "Antarctica/Troll").await;
    assert_eq!(w.mark(single).await, "synced");
    let start = w.named("Once")[0]["start"].clone();
    let text = start["dateTime"].as_str().unwrap().trim_end_matches('Z');
    let expected = match w.entry(single).await.content.when {
        When::Timed { start, .. } => start,
        When::AllDay { .. } => panic!("it has times"),
    };
    let at = DateTime::parse_from_rfc3339(text).map_or_else(
        |_| text.parse::<chrono::NaiveDateTime>().unwrap().and_utc(),
        |at| at.to_utc(),
    );
    assert_eq!(at, expected, "{start}");
}

/// W11. A zone that nobody knows: an event comes in by its instants, a series does not, for its later times would
/// be guessed. One that was in step stays as it was on both sides until its zone has a name again.
async fn unknown_zones_are_not_guessed(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    rule_out(&w, |rules| rules.import_rule = "busy".to_owned()).await;
    let at = |day, hour: u32| json!({ "dateTime": format!("{day}T{hour:02}:00:00"), "timeZone": "W. Europe Standard Time" });
    let recurrence = |zone: &str| {
        json!({
            "pattern": { "type": "weekly", "interval": 1, "daysOfWeek": ["monday"], "firstDayOfWeek": "monday" },
            "range": { "type": "noEnd", "startDate": monday(&w, 0), "recurrenceTimeZone": zone },
        })
    };
    let make = |title: &str, zone: &str, of: Option<&str>| {
        let day = monday(&w, 0);
        let mut body = json!({ "subject": title, "start": at(day, 9), "end": at(day, 10) });
        if let Some(of) = of {
            body["recurrence"] = recurrence(of);
        }
        let made = w.fakes.create_event(w.fake, &w.calendar, &body).unwrap();
        w.outside(&made, &json!({ "originalStartTimeZone": zone }));
        made
    };
    let custom = "tzone://Microsoft/Custom";
    make("Single", custom, None);
    make("Drifting", custom, Some("Customized Time Zone"));
    make("Nameless", custom, Some(""));
    // The clock the series goes by is named, or only the event's is.
    make("By its rule", custom, Some("W. Europe Standard Time"));
    make("By its start", "W. Europe Standard Time", Some(""));
    w.sync().await;
    let count = |shown: &[String]| shown.iter().filter(|line| line.contains("09:00")).count();
    let first = seen(&w).await;
    // Both fortnights of the two series that are known, and the single event.
    assert_eq!(count(&first), 5, "{first:?}");

    let id = plan(&w, &planned(&w, "Ours", "weekly")).await;
    assert_eq!(w.mark(id).await, "synced");
    let ours = there(&w, "Ours");
    let mut patch = json!({ "recurrence": ours["recurrence"], "originalStartTimeZone": custom });
    patch["recurrence"]["range"]["recurrenceTimeZone"] = json!("Customized Time Zone");
    patch["subject"] = json!("Theirs");
    w.outside(&ours, &patch);
    let before = w.entry(id).await;
    w.sync().await;
    assert_eq!(w.entry(id).await.content, before.content);
    let said = detail(&w, id).await;
    assert!(
        said.contains("time zone that Daybind does not know"),
        "{said}"
    );
    let left = there(&w, "Theirs");
    assert_eq!(left["originalStartTimeZone"], custom);
    patch["recurrence"] = ours["recurrence"].clone();
    patch["originalStartTimeZone"] = ours["originalStartTimeZone"].clone();
    w.outside(&ours, &patch);
    w.sync().await;
    let after = w.entry(id).await.content;
    assert_eq!(
        (after.title.as_str(), after.when),
        ("Theirs", before.content.when)
    );
    assert_eq!(w.mark(id).await, "synced");
}

on_both! {
    google_zones_go_out_on_sqlite: zones_go_out(Sqlite, Google);
    google_zones_go_out_on_postgres: zones_go_out(Postgres, Google);
    microsoft_zones_go_out_on_sqlite: zones_go_out(Sqlite, Microsoft);
    microsoft_zones_go_out_on_postgres: zones_go_out(Postgres, Microsoft);
    microsoft_zones_are_not_guessed_on_sqlite: unknown_zones_are_not_guessed(Sqlite, Microsoft);
    microsoft_zones_are_not_guessed_on_postgres: unknown_zones_are_not_guessed(Postgres, Microsoft);
}
