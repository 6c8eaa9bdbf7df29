//! Several disagreements answered at once: previewed, each settled by itself, and none that changed since it was read.

use std::collections::BTreeMap;

use daybind_domain::ErrorCode;
use daybind_domain::conflict_preview::{ConflictsAnswer, OwnConflictsQuery, OwnConflictsView};
use daybind_domain::ids::EntryId;
use daybind_fakes::DuplicateTransaction;
use daybind_services::{CalendarPort as _, Provider};
use serde_json::{Value, json};

use crate::bench::{Database, World, actor};

/// An entry whose title both sides changed, and its event.
async fn disputed(w: &World, name: &str) -> (EntryId, Value) {
    let id = w.add(name).await;
    w.drain().await;
    let copy = w.named(name)[0].clone();
    w.outside(&copy, &json!({ w.key("title"): format!("{name}, theirs") }));
    w.edit(id, |entry| entry.content.title = format!("{name}, ours"))
        .await;
    w.drain().await;
    assert_eq!(w.mark(id).await, "conflict");
    (id, copy)
}

async fn list(w: &World, side: &str, picks: &[&str], left: &[String]) -> OwnConflictsView {
    let query = OwnConflictsQuery {
        side: side.to_owned(),
        picks: picks.iter().map(|&pick| pick.to_owned()).collect(),
        left: left.to_vec(),
    };
    let found = w.port.list_own_calendar_conflicts(&w.tess, &query).await;
    found.unwrap()
}

fn answer(side: &str, read: &OwnConflictsView) -> ConflictsAnswer {
    let seen: BTreeMap<_, _> = read
        .conflicts
        .iter()
        .map(|one| (one.conflict_id.clone(), one.fingerprint.clone()))
        .collect();
    ConflictsAnswer {
        side: side.to_owned(),
        seen,
    }
}

fn titles(view: &OwnConflictsView) -> Vec<&str> {
    view.conflicts
        .iter()
        .map(|one| one.title.as_str())
        .collect()
}

/// What each will be is shown before anything is done; the answer settles each as it was read, leaves alone the one of which a
/// side changed since, says so, and does nothing twice.
async fn previewed_and_settled(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    assert!(list(&w, "", &[], &[]).await.conflicts.is_empty());
    let (first, _) = disputed(&w, "First").await;
    let (second, second_event) = disputed(&w, "Second").await;
    let (third, _) = disputed(&w, "Third").await;
    let open = list(&w, "", &[], &[]).await;
    assert_eq!(
        titles(&open),
        ["First, ours", "Second, ours", "Third, ours"]
    );
    assert!(
        open.conflicts
            .iter()
            .all(|one| one.fields[0].result.is_empty() && !one.left)
    );
    let ids: Vec<&str> = open
        .conflicts
        .iter()
        .map(|one| one.conflict_id.as_str())
        .collect();

    let calendar = w.operation("Google Calendar", "Outlook");
    let preview = list(&w, "schedule", &ids[..2], &[]).await;
    assert_eq!(titles(&preview), ["First, ours", "Second, ours"]);
    let field = &preview.conflicts[1].fields[0];
    let told = [
        &field.label,
        &field.schedule,
        &field.calendar,
        &field.result,
        &field.changes,
    ];
    assert_eq!(
        told,
        [
            "Title",
            "Second, ours",
            "Second, theirs",
            "Second, ours",
            &calendar
        ]
    );
    let other = list(&w, "calendar", &["all"], &[]).await;
    let field = &other.conflicts[2].fields[0];
    assert_eq!(
        [&field.result, &field.changes],
        ["Third, theirs", "Schedule"]
    );
    assert_eq!(list(&w, "", &[], &[]).await, open, "a preview does nothing");

    // The calendar goes on with one of them.
    w.outside(&second_event, &json!({ w.key("title"): "Second, later" }));
    w.sync().await;
    let wish = answer("schedule", &preview);
    let done = w
        .port
        .answer_calendar_conflicts(&w.tess, &wish)
        .await
        .unwrap();
    assert_eq!(
        (done.done, done.left.as_slice()),
        (1, &[ids[1].to_owned()][..])
    );
    w.drain().await;
    assert_eq!(w.entry(first).await.content.title, "First, ours");
    assert_eq!(
        (w.named("First, ours").len(), w.named("First, theirs").len()),
        (1, 0)
    );
    assert_eq!(w.mark(first).await, "synced");
    assert_eq!(w.entry(second).await.content.title, "Second, ours");
    assert_eq!(w.named("Second, later").len(), 1);
    let rest = list(&w, "", &[], &done.left).await;
    assert_eq!(titles(&rest), ["Second, ours", "Third, ours"]);
    assert_eq!(
        [rest.conflicts[0].left, rest.conflicts[1].left],
        [true, false]
    );

    let preview = list(&w, "calendar", &["all"], &[]).await;
    let wish = answer("calendar", &preview);
    let done = w
        .port
        .answer_calendar_conflicts(&w.tess, &wish)
        .await
        .unwrap();
    assert_eq!((done.done, done.left.len()), (2, 0));
    w.drain().await;
    for (id, title) in [(second, "Second, later"), (third, "Third, theirs")] {
        assert_eq!(w.entry(id).await.content.title, title);
        assert_eq!(
            (w.named(title).len(), w.mark(id).await.as_str()),
            (1, "synced")
        );
    }
    assert!(list(&w, "", &[], &[]).await.conflicts.is_empty());
    let again = w
        .port
        .answer_calendar_conflicts(&w.tess, &wish)
        .await
        .unwrap();
    assert_eq!((again.done, again.left.len()), (0, 2));
}

/// Everybody sees and answers their own; nothing picked, and a side there is not, are refused.
async fn ones_own_only(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let (id, _) = disputed(&w, "First").await;
    let open = list(&w, "schedule", &["all"], &[]).await;
    let tom = actor(&w.services, "tom@demo.daybind.test").await;
    for stranger in [&tom, &w.admin] {
        let query = OwnConflictsQuery::default();
        let seen = w.port.list_own_calendar_conflicts(stranger, &query).await;
        assert!(seen.unwrap().conflicts.is_empty());
        let wish = answer("calendar", &open);
        let refused = w.port.answer_calendar_conflicts(stranger, &wish).await;
        assert_eq!(refused.unwrap_err().code, ErrorCode::NotFound);
    }
    for wish in [
        answer("neither", &open),
        answer("schedule", &OwnConflictsView::default()),
    ] {
        let refused = w.port.answer_calendar_conflicts(&w.tess, &wish).await;
        assert_eq!(refused.unwrap_err().code, ErrorCode::Invalid);
    }
    let picked = list(&w, "schedule", &["nonsense"], &[]).await;
    assert!(picked.conflicts.is_empty());
    assert_eq!(w.mark(id).await, "conflict");
}

everywhere! {
    settled: previewed_and_settled;
    own: ones_own_only;
}
