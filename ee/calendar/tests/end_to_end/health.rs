//! Operations > Health: nothing where all is well; what needs a person, with whom it holds up, and the way to mend it.

use chrono::TimeDelta;
use daybind_domain::ErrorCode;
use daybind_domain::activity::HealthView;
use daybind_fakes::DuplicateTransaction;
use daybind_services::{CalendarPort as _, Provider};
use serde_json::json;

use crate::bench::{Database, World, actor};

async fn ask(w: &World) -> HealthView {
    w.port.get_calendar_health(&w.admin).await.unwrap()
}

fn signal<'a>(health: &'a HealthView, label: &str) -> &'a str {
    let mut signals = health.signals.iter();
    let found = signals.find(|signal| signal.label == label);
    &found.unwrap_or_else(|| panic!("{label}")).text
}

async fn what_needs_a_person_comes_first(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    w.drain().await;
    let well = ask(&w).await;
    assert_eq!(well.items, []);
    assert_eq!(signal(&well, "Calendars"), "Working: 1. Paused: 0.");
    assert!(
        signal(&well, "Push notifications").starts_with("1 calendar tells of changes at once;")
    );
    assert!(signal(&well, "Longest without a sync").starts_with(&w.tess.user.display_name));
    assert!(signal(&well, "Work of this installation").ends_with("Given up: 0."));

    let tom = actor(&w.services, "tom@demo.daybind.test").await;
    w.connect_second(&tom).await;
    w.drain().await;
    let id = w.add("Replace switch").await;
    w.drain().await;
    let event = w.named("Replace switch").remove(0);
    w.outside(&event, &json!({ w.key("title"): "Dentist" }));
    w.edit(id, |entry| {
        entry.content.title = "Replace router".to_owned();
    })
    .await;
    w.drain().await;
    let asked = ask(&w).await;
    assert_eq!(asked.items.len(), 1);
    assert!(
        asked.items[0]
            .title
            .ends_with(&format!("{} is asked.", w.tess.user.display_name))
    );
    assert!(asked.items[0].href.contains("conflicts"));
    assert!(!serde_json::to_string(&asked).unwrap().contains("Dentist"));

    // Two are held up by the client's secret: that comes before one conflict.
    w.execute("UPDATE calendar_providers SET status = 'error', status_reason = 'secret'")
        .await;
    let down = ask(&w).await;
    assert_eq!(down.items.len(), 2);
    assert!(down.items[0].title.contains(" and ") && down.items[0].title.contains("client secret"));
    assert!(down.items[0].href.contains("category=providers"));
    for (status, reason, words) in [
        ("needs_reconnect", "grant_ended", "must reconnect"),
        (
            "needs_reconnect",
            "unbound",
            "no Microsoft profile is chosen",
        ),
        ("paused", "many_deletions", "are asked whether"),
        (
            "error",
            "calendar_missing",
            "have a calendar that has been failing",
        ),
        ("configuring", "", "not chosen a calendar yet"),
    ] {
        w.execute(&format!(
            "UPDATE calendar_providers SET status = '{status}', status_reason = '{reason}'"
        ))
        .await;
        let found = ask(&w).await;
        assert_eq!(found.items.len(), 2, "{status} {reason}");
        assert!(
            found.items[0].title.contains(words),
            "{}",
            found.items[0].title
        );
        assert_eq!(signal(&found, "Calendars"), "Working: 0. Paused: 0.");
    }
    w.pass(TimeDelta::days(30));
    assert!(signal(&ask(&w).await, "Push notifications").starts_with("No calendar is synced."));
    let refused = w.port.get_calendar_health(&tom).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::Forbidden);
}

everywhere! {
    needs: what_needs_a_person_comes_first;
}
