//! What waits for whom, as the administrator sees it: who, since when and about which entry; never what a calendar says.

use chrono::TimeDelta;
use daybind_domain::ErrorCode;
use daybind_domain::conflict_view::ConflictInboxView;
use daybind_fakes::DuplicateTransaction;
use daybind_services::{CalendarPort as _, Provider};
use serde_json::json;

use crate::bench::{Database, World, actor};
use crate::settling::questions;

async fn inbox(w: &World, page: &str) -> ConflictInboxView {
    w.port
        .list_calendar_conflicts(&w.admin, page)
        .await
        .unwrap()
}

/// Listed by person, the oldest first, with the fields by name; nothing of what the calendar says; answered ones go; only for those
/// who may read the settings, and only of their own tenant.
async fn who_is_asked(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let empty = inbox(&w, "").await;
    assert_eq!((empty.total, empty.page, empty.pages), (0, 1, 1));
    assert!(empty.people.is_empty());

    for (name, theirs) in [("First", "Secret visit"), ("Second", "Another secret")] {
        let id = w.add(name).await;
        w.drain().await;
        let copy = w.named(name)[0].clone();
        w.outside(&copy, &json!({ w.key("title"): theirs }));
        w.edit(id, |entry| {
            entry.content.title = format!("{name}, ours");
            entry.content.private = name == "Second";
        })
        .await;
        w.drain().await;
        assert_eq!(w.mark(id).await, "conflict");
        w.pass(TimeDelta::hours(3));
    }
    let view = inbox(&w, "").await;
    assert_eq!(view.total, 2);
    assert_eq!(view.people.len(), 1);
    let tess = &view.people[0];
    assert_eq!(tess.name, w.tess.user.display_name);
    let titles: Vec<_> = tess
        .items
        .iter()
        .map(|item| item.title.as_deref())
        .collect();
    assert_eq!(titles, [Some("First, ours"), Some("Second, ours")]);
    for item in &tess.items {
        assert_eq!(item.differs, "title");
        let entry = item.entry_id.as_deref().unwrap().parse().unwrap();
        assert_eq!(Some(w.entry(entry).await.content.title), item.title.clone());
    }
    assert_eq!(tess.items[0].age, "6 hours");
    assert_eq!(tess.items[1].age, "3 hours");
    let sent = serde_json::to_string(&view).unwrap();
    for secret in ["Secret", "secret", "fingerprint"] {
        assert!(!sent.contains(secret), "{sent}");
    }
    // The last page, where there are fewer; the first, for what is no number.
    for page in ["7", "0", "-3", "x"] {
        assert_eq!(inbox(&w, page).await, view, "{page}");
    }

    let tom = actor(&w.services, "tom@demo.daybind.test").await;
    for technician in [&tom, &w.tess] {
        let refused = w.port.list_calendar_conflicts(technician, "").await;
        assert_eq!(refused.unwrap_err().code, ErrorCode::Forbidden);
    }
    let mut elsewhere = w.admin.clone();
    elsewhere.tenant_id = daybind_domain::ids::TenantId(w.services.new_id());
    let theirs = w
        .port
        .list_calendar_conflicts(&elsewhere, "")
        .await
        .unwrap();
    assert_eq!((theirs.total, theirs.people.len()), (0, 0));

    let asked = questions(&w).await;
    let connection = w.connection().await;
    for question in asked {
        w.port
            .answer_calendar_question(
                &w.tess,
                &connection,
                &question.question_id,
                "all",
                "schedule",
            )
            .await
            .unwrap();
    }
    assert_eq!(inbox(&w, "").await.total, 0);
}

/// Fifty on a page, each once, by person and age.
async fn pages_are_turned(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let mut entries = Vec::new();
    for number in 0..53 {
        entries.push((number, w.add(&format!("Visit {number:02}")).await));
    }
    w.drain().await;
    for (number, id) in &entries {
        let copy = w.named(&format!("Visit {number:02}"))[0].clone();
        w.outside(&copy, &json!({ w.key("title"): "Theirs" }));
        w.edit(*id, |entry| entry.content.title.push_str(", ours"))
            .await;
    }
    w.drain().await;
    let (first, second) = (inbox(&w, "1").await, inbox(&w, "2").await);
    assert_eq!((first.total, first.pages, second.page), (53, 2, 2));
    let titles = |view: &ConflictInboxView| -> Vec<String> {
        let items = view.people.iter().flat_map(|person| &person.items);
        items.filter_map(|item| item.title.clone()).collect()
    };
    let (mut all, rest) = (titles(&first), titles(&second));
    assert_eq!((all.len(), rest.len()), (50, 3));
    all.extend(rest);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 53);
}

everywhere! {
    asked: who_is_asked;
    paged: pages_are_turned;
}
