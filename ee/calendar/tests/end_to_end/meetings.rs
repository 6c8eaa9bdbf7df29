//! The online meeting of an event: shown at its entry, and nowhere else.

use daybind_domain::ids::EntryId;
use daybind_domain::view::LinkView;
use daybind_fakes::DuplicateTransaction;
use daybind_services::{CalendarPort as _, Provider};
use serde_json::{Value, json};

use crate::bench::{Database, World, actor};

const MEET: &str = "https://meet.example.test/abc";
const TEAMS: &str = "https://teams.example.test/l/meetup-join/1";

/// The owner adds a meeting to the event over there, or takes it away.
fn meeting(w: &World, on: bool) -> Value {
    match (w.provider, on) {
        (Provider::Google, true) => json!({
            "conferenceData": { "entryPoints": [{ "entryPointType": "video", "uri": MEET }] }
        }),
        (Provider::Google, false) => json!({ "conferenceData": null }),
        (Provider::Microsoft, on) => json!({ "isOnlineMeeting": on }),
    }
}

async fn link(w: &World, who: &daybind_services::Actor, id: EntryId) -> Option<LinkView> {
    let marks = w.port.get_schedule_entry_sync_status(who, &[id]).await;
    marks.unwrap().remove(0).unwrap().link
}

/// It comes with the event, stays through changes from here without being written, is for those who read the entry's words,
/// and goes when the event loses it.
async fn a_meeting_is_joined_from_its_entry(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let expected = match provider {
        Provider::Google => MEET,
        Provider::Microsoft => TEAMS,
    };
    let tom = actor(&w.services, "tom@demo.daybind.test").await;
    let id = w.add("Review").await;
    w.drain().await;
    assert_eq!(link(&w, &w.tess, id).await, None);
    let version = w.entry(id).await.version;
    w.outside(&w.named("Review")[0], &meeting(&w, true));
    w.sync().await;
    let found = link(&w, &w.tess, id).await.unwrap();
    assert_eq!(
        (found.text.as_str(), found.href.as_str()),
        ("Join online meeting", expected)
    );
    assert_eq!(
        w.entry(id).await.version,
        version,
        "the entry says the same"
    );

    let seen = w.fakes.log().len();
    w.edit(id, |entry| entry.content.location = "Hall 4".to_owned())
        .await;
    w.drain().await;
    let written: Vec<String> = w.fakes.log()[seen..]
        .iter()
        .filter_map(|call| Some(call.request.as_ref()?.to_string().to_lowercase()))
        .collect();
    assert!(!written.is_empty());
    for body in written {
        assert!(
            !body.contains("meeting") && !body.contains("conference"),
            "{body}"
        );
    }
    assert!(link(&w, &w.tess, id).await.is_some());

    // Whoever reads the words joins, and nobody else.
    assert!(link(&w, &tom, id).await.is_some());
    w.edit(id, |entry| entry.content.private = true).await;
    w.drain().await;
    assert_eq!(link(&w, &tom, id).await, None);
    assert!(link(&w, &w.tess, id).await.is_some());
    assert!(link(&w, &w.admin, id).await.is_some());

    w.outside(&w.named("Review")[0], &meeting(&w, false));
    w.sync().await;
    assert_eq!(link(&w, &w.tess, id).await, None);
    // And it goes with its event.
    w.outside(&w.named("Review")[0], &meeting(&w, true));
    w.sync().await;
    assert!(link(&w, &w.tess, id).await.is_some());
    let copy = w.named("Review")[0]["id"].as_str().unwrap().to_owned();
    w.fakes.delete_event(w.fake, &w.calendar, &copy).unwrap();
    w.sync().await;
    assert_eq!(w.mark(id).await, "conflict");
    // What leads on is the question, to whoever is asked it.
    let question = link(&w, &w.tess, id).await;
    assert!(question.is_some_and(|link| link.href.starts_with("/msp/profile")));
    assert_eq!(link(&w, &w.admin, id).await, None);
    let kept = "calendar_event_mappings WHERE meeting_url IS NOT NULL";
    assert_eq!(w.rows(&[kept]).await, 0);
}

on_both! {
    google_meetings_on_sqlite: a_meeting_is_joined_from_its_entry(Sqlite, Google);
    google_meetings_on_postgres: a_meeting_is_joined_from_its_entry(Postgres, Google);
    microsoft_meetings_on_sqlite: a_meeting_is_joined_from_its_entry(Sqlite, Microsoft);
    microsoft_meetings_on_postgres: a_meeting_is_joined_from_its_entry(Postgres, Microsoft);
}
