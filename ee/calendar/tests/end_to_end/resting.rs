//! Connections that somebody pauses, resumes, syncs or reads again: their owner, or an administrator, one or many.

use chrono::TimeDelta;
use daybind_domain::ErrorCode;
use daybind_domain::connection_view::{ManageConnections, ManagedConnections};
use daybind_domain::view::CoverageQuery;
use daybind_fakes::DuplicateTransaction;
use daybind_services::{AppResult, CalendarPort as _, Provider};
use daybind_storage::AuditFilter;
use serde_json::json;

use crate::bench::{Database, World, actor};
use crate::everyday::calls;

async fn connected(database: Database, provider: Provider) -> World {
    World::new(database, provider, DuplicateTransaction::Existing).await
}

async fn pause(w: &World, action: &str, hours: &str) -> AppResult<()> {
    w.port
        .pause_calendar_provider(&w.tess, &w.connection().await, action, hours)
        .await
}

pub async fn manage(w: &World, action: &str, ids: &[&str]) -> AppResult<ManagedConnections> {
    let wish = ManageConnections {
        action: action.to_owned(),
        connection_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        ..ManageConnections::default()
    };
    w.port.manage_calendar_connections(&w.admin, &wish).await
}

pub async fn noted(w: &World, action: &str) -> usize {
    let mut unit = w.services.read(w.tess.tenant_id).await.unwrap();
    let filter = AuditFilter {
        action: Some(action.to_owned()),
        ..AuditFilter::default()
    };
    let rows = unit.find_audit(w.tess.tenant_id, &filter, None, 100).await;
    rows.unwrap().len()
}

/// Nothing travels while it rests, whatever happens on either side, and no provider is asked anything; resumed, both sides have
/// everything, once. Edits, reconnecting and "Sync now" do not end it.
async fn what_happens_meanwhile_waits(database: Database, provider: Provider) {
    let w = connected(database, provider).await;
    let before = w.add("Known to both").await;
    w.drain().await;
    assert_eq!(
        pause(&w, "resume", "").await.unwrap_err().code,
        ErrorCode::Conflict
    );
    pause(&w, "pause", "").await.unwrap();
    assert_eq!(w.status().await, "paused");
    assert_eq!(
        pause(&w, "pause", "8").await.unwrap_err().code,
        ErrorCode::Conflict
    );
    let seen = w.fakes.log().len();
    let made = w.add("Made meanwhile").await;
    let event = w.named("Known to both").remove(0);
    w.outside(&event, &json!({ w.key("title"): "Renamed outside" }));
    w.drain().await;
    let refused = w
        .port
        .sync_calendar_provider(&w.tess, &w.connection().await)
        .await;
    assert_eq!(
        refused.unwrap_err().next_step.as_deref(),
        Some("Choose Resume.")
    );
    w.pass(TimeDelta::days(1));
    w.port.start().await.unwrap();
    w.drain().await;
    assert_eq!(calls(&w, seen).len(), 0, "a paused calendar is left alone");
    assert_eq!(w.entry(before).await.content.title, "Known to both");
    assert_eq!(w.mark(made).await, "not_synced");

    pause(&w, "resume", "").await.unwrap();
    w.drain().await;
    assert_eq!(w.status().await, "connected");
    assert_eq!(w.entry(before).await.content.title, "Renamed outside");
    assert_eq!(w.named("Made meanwhile").len(), 1);
    assert_eq!(w.mark(made).await, "synced");
    assert_eq!(noted(&w, "calendar.paused").await, 1);
    assert_eq!(noted(&w, "calendar.resumed").await, 1);
}

/// A pause with an end goes on by itself then, and not before; also where the server was restarted meanwhile.
async fn a_pause_ends_by_itself(database: Database, provider: Provider) {
    let w = connected(database, provider).await;
    w.drain().await;
    pause(&w, "pause", "8").await.unwrap();
    let made = w.add("Made meanwhile").await;
    w.drain().await;
    w.pass(TimeDelta::hours(7));
    w.drain().await;
    assert_eq!(w.status().await, "paused");
    let text = w.port.get_calendar_providers(&w.tess).await.unwrap();
    let text = &text.connections[0].status_text;
    assert!(
        text.contains("Paused by you") && text.contains("goes on by itself on"),
        "{text}"
    );
    w.port.start().await.unwrap();
    w.pass(TimeDelta::hours(1));
    w.drain().await;
    assert_eq!(w.status().await, "connected");
    assert_eq!(w.mark(made).await, "synced");
    assert_eq!(noted(&w, "calendar.resumed").await, 1);
    for wrong in ["0", "745", "soon"] {
        let refused = pause(&w, "pause", wrong).await.unwrap_err();
        assert!(refused.field_message("hours").is_some(), "{wrong}");
    }
}

/// An administrator does it for those that are chosen, or all that match; what cannot be done is counted, other MSPs' are not
/// there, and nobody else may.
async fn many_at_once(database: Database, provider: Provider) {
    let w = connected(database, provider).await;
    let tom = actor(&w.services, "tom@demo.daybind.test").await;
    w.connect_second(&tom).await;
    w.drain().await;
    let own = w.connection().await;
    let wish = ManageConnections {
        action: "pause".to_owned(),
        hours: "24".to_owned(),
        all: true,
        query: CoverageQuery {
            find: "second@".to_owned(),
            ..CoverageQuery::default()
        },
        ..ManageConnections::default()
    };
    let done = w.port.manage_calendar_connections(&w.admin, &wish).await;
    assert_eq!(done.unwrap(), ManagedConnections { done: 1, left: 0 });
    assert_eq!(w.status().await, "connected", "she was not chosen");
    let list = |show: &str| CoverageQuery {
        show: show.to_owned(),
        ..CoverageQuery::default()
    };
    let paused = w
        .port
        .get_calendar_settings(&w.admin, &list("paused"))
        .await
        .unwrap();
    // Filters that name no connections do not name all of them.
    for show in ["without", "nonsense"] {
        let wish = ManageConnections {
            action: "sync".to_owned(),
            all: true,
            query: list(show),
            ..ManageConnections::default()
        };
        let refused = w.port.manage_calendar_connections(&w.admin, &wish).await;
        assert_eq!(refused.unwrap_err().code, ErrorCode::Invalid, "{show}");
    }
    let nonsense = list("nonsense");
    let nonsense = w.port.get_calendar_settings(&w.admin, &nonsense);
    assert_eq!(nonsense.await.unwrap().matching, 0);
    assert_eq!(paused.coverage.paused, 1);
    let toms = paused.connections[0].connection_id.clone();
    assert_ne!(toms, own);
    assert!(paused.connections[0].status_text.contains("Paused by you"));
    let theirs = w.port.get_calendar_providers(&tom).await.unwrap();
    let text = &theirs.connections[0].status_text;
    assert!(text.contains(&w.admin.user.display_name), "{text}");

    // One rests, one is not there, one is named twice.
    let stranger = w.services.new_id().to_string();
    let done = manage(&w, "sync", &[&toms, &stranger, &own, &own]).await;
    assert_eq!(done.unwrap(), ManagedConnections { done: 1, left: 2 });
    let seen = w.fakes.log().len();
    w.drain().await;
    assert_eq!(
        calls(&w, seen).len(),
        1,
        "hers alone, and its looks are cheap"
    );

    // Read again: everything is asked for, and nothing is doubled.
    let kept = w.add("Kept").await;
    w.drain().await;
    let cursor = w.row().await.cursor;
    assert!(cursor.is_some());
    let done = manage(&w, "resync", &[&own]).await;
    assert_eq!(done.unwrap(), ManagedConnections { done: 1, left: 0 });
    assert_eq!(w.row().await.cursor, None);
    w.drain().await;
    assert!(w.row().await.cursor.is_some());
    assert_eq!(
        (w.named("Kept").len(), w.mark(kept).await.as_str()),
        (1, "synced")
    );

    // He goes on himself.
    w.port
        .pause_calendar_provider(&tom, &toms, "resume", "")
        .await
        .unwrap();
    let refused = w.port.manage_calendar_connections(&tom, &wish).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::Forbidden);
    for (action, ids) in [("sync", vec![]), ("erase", vec![own.as_str()])] {
        assert_eq!(
            manage(&w, action, &ids).await.unwrap_err().code,
            ErrorCode::Invalid
        );
    }
    let other = w
        .port
        .pause_calendar_provider(&tom, &own, "pause", "")
        .await;
    assert_eq!(other.unwrap_err().code, ErrorCode::NotFound);
}

/// The page of a connection says how it is and what its owner chose, and shows nobody's events.
async fn the_page_of_one(database: Database, provider: Provider) {
    let w = connected(database, provider).await;
    w.add("A secret visit").await;
    w.drain().await;
    let id = w.connection().await;
    let page = w.port.get_calendar_connection(&w.admin, &id).await.unwrap();
    let text = |label: &str| {
        let mut all = page.health.iter().chain(&page.choices);
        let fact = all.find(|fact| fact.label == label);
        fact.unwrap_or_else(|| panic!("{label}")).text.clone()
    };
    let events = w.fakes.events(w.fake, &w.calendar).len();
    let counted = text("Entries");
    let expected = format!("{events} entries have an event in this calendar, {events} of them");
    assert!(counted.starts_with(&expected), "{counted}");
    assert_eq!(text("Failures"), "None.");
    assert!(text("Access").contains("ends on"));
    assert_eq!(text("Direction"), "Both ways.");
    assert!(page.owners_page.ends_with("/msp/profile?tab=calendar"));
    assert!(page.can_update);
    assert!(
        !serde_json::to_string(&page)
            .unwrap()
            .contains("secret visit")
    );
    let tom = actor(&w.services, "tom@demo.daybind.test").await;
    let refused = w.port.get_calendar_connection(&tom, &id).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::Forbidden);
    let nobody = w.services.new_id().to_string();
    let missing = w.port.get_calendar_connection(&w.admin, &nobody).await;
    assert_eq!(missing.unwrap_err().code, ErrorCode::NotFound);
}

everywhere! {
    meanwhile: what_happens_meanwhile_waits;
    by_itself: a_pause_ends_by_itself;
    many: many_at_once;
    one_page: the_page_of_one;
}
