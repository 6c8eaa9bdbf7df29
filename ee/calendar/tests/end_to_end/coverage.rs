//! Who is connected, who is not, and what waits for somebody, as the administrator sees it.

use daybind_domain::view::{CalendarSettingsView, CoverageQuery};
use daybind_services::{CalendarPort as _, Provider};

use crate::bench::{Database, World, actor};
use daybind_fakes::DuplicateTransaction;

async fn ask(w: &World, show: &str, provider: &str, find: &str) -> CalendarSettingsView {
    let query = CoverageQuery {
        show: show.to_owned(),
        provider: provider.to_owned(),
        find: find.to_owned(),
        page: String::new(),
    };
    w.port
        .get_calendar_settings(&w.admin, &query)
        .await
        .unwrap()
}

fn owners(view: &CalendarSettingsView) -> Vec<&str> {
    let rows = view.connections.iter();
    rows.map(|row| row.owner.as_str()).collect()
}

/// The numbers stay the same whatever is asked for; filters find by state, provider, person, account and calendar; what needs
/// somebody stands first.
async fn the_numbers_are_filters(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let before = ask(&w, "", "", "").await;
    assert_eq!(before.coverage.connected, 1);
    assert!(before.coverage.people >= 3);
    assert_eq!(
        (before.coverage.attention, before.coverage.conflicts),
        (0, 0)
    );
    let without = ask(&w, "without", "", "").await;
    assert_eq!(without.matching, before.coverage.people - 1);
    assert_eq!(without.without.len(), without.matching);
    assert!(without.connections.is_empty());
    let tom = actor(&w.services, "tom@demo.daybind.test").await;
    let toms = |view: &CalendarSettingsView| {
        let mut people = view.without.iter();
        people.any(|person| person.name == tom.user.display_name)
    };
    assert!(toms(&without));

    w.connect_second(&tom).await;
    // His account lets nobody in any more.
    w.port
        .sync_calendar_provider(
            &tom,
            &ask(&w, "", "", "second@").await.connections[0].connection_id,
        )
        .await
        .unwrap();
    let operation = w.operation("google.events.list", "microsoft.view.delta");
    w.fakes.arm(daybind_fakes::Fault::new(
        &operation,
        1,
        daybind_fakes::FaultKind::Status {
            status: 404,
            retry_after: None,
            reason: None,
        },
    ));
    w.once_of(&["calendar.sync"]).await;
    let all = ask(&w, "", "", "").await;
    assert_eq!(all.coverage.connected, 2);
    assert_eq!(all.coverage.attention, 1);
    assert_eq!(
        owners(&all),
        [
            tom.user.display_name.as_str(),
            w.tess.user.display_name.as_str()
        ],
        "what needs somebody stands first"
    );
    assert!(!toms(&ask(&w, "without", "", "").await));
    let attention = ask(&w, "attention", "", "").await;
    assert_eq!(owners(&attention), [tom.user.display_name.as_str()]);
    assert_eq!(attention.coverage, all.coverage);
    assert!(ask(&w, "conflicts", "", "").await.connections.is_empty());
    let other = match provider {
        Provider::Google => "microsoft",
        Provider::Microsoft => "google",
    };
    assert!(ask(&w, "", other, "").await.connections.is_empty());
    assert_eq!(ask(&w, "", provider.as_str(), "").await.matching, 2);
    for find in ["TOM", "second@EXAMPLE"] {
        let found = ask(&w, "", "", find).await;
        assert_eq!(owners(&found), [tom.user.display_name.as_str()], "{find}");
    }
    assert_eq!(ask(&w, "", "", "nobody").await.matching, 0);
    assert!(
        w.port
            .get_calendar_settings(&tom, &CoverageQuery::default())
            .await
            .is_err()
    );
}

everywhere! {
    numbers: the_numbers_are_filters;
}
