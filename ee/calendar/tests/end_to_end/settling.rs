//! Questions: what both sides changed, shown to whom it concerns and settled by them.

use daybind_domain::ErrorCode;
use daybind_domain::ids::EntryId;
use daybind_domain::view::{CoverageQuery, QuestionView};
use daybind_fakes::DuplicateTransaction;
use daybind_services::{CalendarPort as _, Provider};
use serde_json::{Value, json};

use crate::bench::{Database, World, actor};

pub(crate) fn place(w: &World, name: &str) -> Value {
    match w.provider {
        Provider::Google => json!({ "location": name }),
        Provider::Microsoft => json!({ "location": { "displayName": name } }),
    }
}

pub(crate) async fn questions(w: &World) -> Vec<QuestionView> {
    let view = w.port.get_calendar_providers(&w.tess).await.unwrap();
    view.connections[0].questions.clone()
}

/// An entry whose title both sides changed to something else, and its event.
pub(crate) async fn disputed(w: &World, was: &str) -> (EntryId, Value) {
    let id = w.add(was).await;
    w.drain().await;
    let copy = w.named(was)[0].clone();
    w.outside(&copy, &json!({ w.key("title"): "Theirs" }));
    w.edit(id, |entry| entry.content.title = "Ours".to_owned())
        .await;
    w.drain().await;
    assert_eq!(w.mark(id).await, "conflict");
    (id, copy)
}

/// W53: both versions are shown to the technician, field by field, and neither is lost; each answer settles its field, and
/// nobody else sees or answers them.
async fn both_versions_are_shown_and_settled(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let id = w.add("Replace switch").await;
    w.drain().await;
    let copy = w.named("Replace switch")[0].clone();
    w.outside(&copy, &json!({ w.key("title"): "Theirs" }));
    w.outside(&copy, &place(&w, "Roof"));
    w.edit(id, |entry| {
        entry.content.title = "Ours".to_owned();
        entry.content.location = "Cellar".to_owned();
    })
    .await;
    w.drain().await;
    assert_eq!(w.mark(id).await, "conflict");
    let asked = questions(&w).await;
    assert_eq!(asked.len(), 1);
    let parts: Vec<_> = asked[0]
        .parts
        .iter()
        .map(|part| {
            (
                part.part.as_str(),
                part.schedule.as_str(),
                part.calendar.as_str(),
            )
        })
        .collect();
    assert_eq!(
        parts,
        [("title", "Ours", "Theirs"), ("location", "Cellar", "Roof")]
    );
    let entry = w.entry(id).await.content;
    assert_eq!(
        (entry.title.as_str(), entry.location.as_str()),
        ("Ours", "Cellar")
    );
    assert_eq!(w.named("Theirs").len(), 1);

    let settings = w
        .port
        .get_calendar_settings(&w.admin, &CoverageQuery::default())
        .await
        .unwrap();
    assert!(
        settings
            .connections
            .iter()
            .all(|row| row.questions.is_empty())
    );
    let connection = w.connection().await;
    let tom = actor(&w.services, "tom@demo.daybind.test").await;
    for stranger in [&tom, &w.admin] {
        let refused = w
            .port
            .answer_calendar_question(
                stranger,
                &connection,
                &asked[0].question_id,
                "all",
                "schedule",
            )
            .await;
        assert_eq!(refused.unwrap_err().code, ErrorCode::NotFound);
    }

    w.answer("title", "calendar").await;
    w.drain().await;
    let open = questions(&w).await;
    assert_eq!((open.len(), open[0].parts.len()), (1, 1));
    assert_eq!(open[0].parts[0].part, "location");
    w.answer("location", "schedule").await;
    w.drain().await;
    assert!(questions(&w).await.is_empty());
    assert_eq!(w.mark(id).await, "synced");
    let entry = w.entry(id).await.content;
    assert_eq!(
        (entry.title.as_str(), entry.location.as_str()),
        ("Theirs", "Cellar")
    );
    let there = w.named("Theirs")[0].clone();
    assert!(there["location"].to_string().contains("Cellar"), "{there}");
    let again = w
        .port
        .answer_calendar_question(
            &w.tess,
            &connection,
            &asked[0].question_id,
            "all",
            "schedule",
        )
        .await;
    assert_eq!(again.unwrap_err().code, ErrorCode::Conflict, "settled once");
}

/// W53: a version that nobody was shown is not written over by an answer, and a question closes by itself when the sides come
/// to say the same.
async fn an_answer_is_about_what_was_shown(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let (id, copy) = disputed(&w, "Replace switch").await;
    let asked = questions(&w).await;
    w.edit(id, |entry| entry.content.title = "Ours, later".to_owned())
        .await;
    let connection = w.connection().await;
    let stale = w
        .port
        .answer_calendar_question(
            &w.tess,
            &connection,
            &asked[0].question_id,
            "title",
            "calendar",
        )
        .await;
    assert_eq!(stale.unwrap_err().code, ErrorCode::Conflict);
    w.drain().await;
    let asked = questions(&w).await;
    assert_eq!(asked[0].parts[0].schedule, "Ours, later", "shown anew");
    w.outside(&copy, &json!({ w.key("title"): "Ours, later" }));
    w.sync().await;
    assert!(questions(&w).await.is_empty());
    assert_eq!(w.mark(id).await, "synced");
    assert_eq!(w.entry(id).await.content.title, "Ours, later");

    let (id, _) = disputed(&w, "Replace router").await;
    w.answer("all", "schedule").await;
    w.drain().await;
    assert_eq!((w.named("Ours").len(), w.named("Theirs").len()), (1, 0));
    assert_eq!(w.mark(id).await, "synced");
}

everywhere! {
    shown: both_versions_are_shown_and_settled;
    meant: an_answer_is_about_what_was_shown;
}
