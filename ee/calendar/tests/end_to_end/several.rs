//! Several calendars of one account: one person, one consent each, one schedule.

use chrono::TimeDelta;
use daybind_domain::view::CoverageQuery;
use daybind_fakes::DuplicateTransaction;
use daybind_services::{CalendarPort as _, Provider, demo};
use serde_json::json;

use crate::bench::{Database, World, actor, location};

/// Tess with a second calendar of her account; its connection and its id.
pub(crate) async fn two(database: Database, provider: Provider) -> (World, String, String) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let id = another(&w).await;
    let calendar = free(&w, &id).await[0].clone();
    choose(&w, &id, &calendar, None).await;
    w.drain().await;
    (w, id, calendar)
}

/// Goes through the consent for another calendar of the same account.
pub(crate) async fn another(w: &World) -> String {
    let end = location(&w.authorize(&w.tess, None).await);
    let begins = "/msp/profile?tab=calendar&calendarAuth=success&connection=";
    let id = end.strip_prefix(begins).unwrap_or_else(|| panic!("{end}"));
    id.to_owned()
}

/// The calendars that are offered to a connection.
pub(crate) async fn free(w: &World, id: &str) -> Vec<String> {
    let all = w.port.list_remote_calendars(&w.tess, id).await.unwrap();
    let free = all.into_iter().filter(|calendar| !calendar.taken);
    free.map(|calendar| calendar.calendar_id).collect()
}

pub(crate) async fn choose(w: &World, id: &str, calendar: &str, direction: Option<&str>) {
    w.port
        .update_calendar_provider(&w.tess, id, Some(calendar), direction)
        .await
        .unwrap();
}

/// Status by status, oldest connection first.
async fn states(w: &World) -> Vec<String> {
    let view = w.port.get_calendar_providers(&w.tess).await.unwrap();
    view.connections.into_iter().map(|row| row.status).collect()
}

pub(crate) async fn sync(w: &World, id: &str) {
    w.port.sync_calendar_provider(&w.tess, id).await.unwrap();
    w.drain().await;
}

/// How often an event of that title is in the first calendar and in the second.
pub(crate) fn seen(w: &World, second: &str, title: &str) -> (usize, usize) {
    (w.named(title).len(), w.titled(second, title).len())
}

/// How often Google was asked to end the account's grant; Microsoft has no such call.
fn revoked(w: &World) -> u64 {
    w.asked("google.revoke", "google.revoke")
}

/// W55: connecting the same account again connects another of its calendars; one that waits for its calendar is taken up
/// again, a calendar is connected once, and when none is left none is offered.
async fn a_further_calendar_is_connected(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let first = w.connection().await;
    let second = another(&w).await;
    assert_ne!(second, first);
    assert_eq!(states(&w).await, ["connected", "configuring"]);
    assert_eq!(another(&w).await, second, "no third one begins");
    let refused = w
        .port
        .update_calendar_provider(&w.tess, &second, Some(&w.calendar), None)
        .await
        .unwrap_err();
    let said = refused.fields.iter().map(|field| field.message.as_str());
    assert!(said.eq(["This calendar is already connected."]));
    let calendars = free(&w, &second).await;
    assert_eq!(calendars.len(), 2);
    choose(&w, &second, &calendars[0], None).await;
    let third = another(&w).await;
    let calendars = free(&w, &third).await;
    assert_eq!(calendars.len(), 1);
    choose(&w, &third, &calendars[0], Some("from_external")).await;
    w.drain().await;
    assert_eq!(states(&w).await, ["connected"; 3]);
    assert_eq!(w.fakes.subscriptions(w.fake).len(), 3);
    let last = another(&w).await;
    assert!(free(&w, &last).await.is_empty());
    w.port
        .delete_calendar_provider(&w.tess, &last, false)
        .await
        .unwrap();
    w.drain().await;
    assert_eq!((states(&w).await.len(), revoked(&w)), (3, 0));

    // Each is a row of its own for the administrator; nobody else gets at the account.
    let settings = w
        .port
        .get_calendar_settings(&w.admin, &CoverageQuery::default())
        .await
        .unwrap();
    let mut names: Vec<_> = settings
        .connections
        .iter()
        .map(|row| (row.owner.clone(), row.calendar_name.clone()))
        .collect();
    names.dedup();
    assert_eq!(names.len(), 3, "{names:?}");
    let tom = actor(&w.services, "tom@demo.daybind.test").await;
    let end = location(&w.authorize(&tom, None).await);
    assert!(end.ends_with("calendarError=already_connected"), "{end}");
}

/// W55: an entry goes to each calendar whose direction goes out and merges with each; copies of one connection do not come
/// in through another, also where all events are brought in.
async fn entries_go_to_each_calendar(database: Database, provider: Provider) {
    let (w, second, other) = two(database, provider).await;
    let id = w.add("Replace switch").await;
    w.drain().await;
    assert_eq!(seen(&w, &other, "Replace switch"), (1, 1));
    for (calendar, title) in [(&other, "Replace router"), (&w.calendar, "Replace hub")] {
        let was = w.entry(id).await.content.title;
        let copy = w.titled(calendar, &was)[0]["id"].clone();
        let patch = json!({ w.key("title"): title });
        w.fakes
            .patch_event(w.fake, calendar, copy.as_str().unwrap(), &patch)
            .unwrap();
        w.drain().await;
        assert_eq!(w.entry(id).await.content.title, title);
        assert_eq!(seen(&w, &other, title), (1, 1));
        assert_eq!(seen(&w, &other, &was), (0, 0));
    }
    let entries = w.rows(&["schedule_entries"]).await;
    let view = w.port.get_calendar_providers(&w.tess).await.unwrap();
    for connection in view.connections {
        let mut rules = connection.rules.clone();
        "busy".clone_into(&mut rules.import_rule);
        w.port
            .update_calendar_rules(&w.tess, &connection.connection_id, &rules)
            .await
            .unwrap();
    }
    w.drain().await;
    w.sync().await;
    sync(&w, &second).await;
    assert_eq!(w.rows(&["schedule_entries"]).await, entries);
    assert_eq!(seen(&w, &other, "Replace hub"), (1, 1));

    // What only comes in gets no more copies, and keeps those it has.
    w.port
        .update_calendar_provider(&w.tess, &second, None, Some("from_external"))
        .await
        .unwrap();
    w.add("Later").await;
    w.drain().await;
    assert_eq!(seen(&w, &other, "Later"), (1, 0));
    assert_eq!(seen(&w, &other, "Replace hub"), (1, 1));
}

/// W55: what ends the access of one connection ends that of all; one consent heals them, whether it was begun at one of them
/// or with Connect, and what was done meanwhile is caught up with.
async fn one_consent_heals_all(database: Database, provider: Provider) {
    let (w, second, other) = two(database, provider).await;
    let both = async |w: &World| {
        w.sync().await;
        sync(w, &second).await;
        states(w).await
    };
    for (round, begun) in [None, Some(second.as_str())].into_iter().enumerate() {
        w.fakes.revoke_grants(w.fake);
        assert_eq!(both(&w).await, ["needs_reconnect"; 2]);
        let title = format!("Meanwhile {round}");
        w.add(&title).await;
        w.drain().await;
        assert_eq!(seen(&w, &other, &title), (0, 0));
        let end = location(&w.authorize(&w.tess, begun).await);
        assert_eq!(
            end,
            "/msp/profile?tab=calendar&calendarAuth=success&renewed=2"
        );
        assert_eq!(states(&w).await, ["connected"; 2]);
        w.drain().await;
        assert_eq!(
            seen(&w, &other, &title),
            (1, 1),
            "nobody had to ask for a sync"
        );
        assert_eq!(w.fakes.subscriptions(w.fake).len(), 2);
    }
    // Each lives on tokens in its own place: fresh ones of one are not the other's.
    w.fakes.expire_access_tokens(w.fake);
    assert_eq!(both(&w).await, ["connected"; 2]);

    // With one that waits for its calendar besides, that one is gone on with, and the page says both.
    let third = another(&w).await;
    w.fakes.revoke_grants(w.fake);
    assert_eq!(both(&w).await[..2], ["needs_reconnect", "needs_reconnect"]);
    let end = location(&w.authorize(&w.tess, None).await);
    assert!(
        end.ends_with(&format!(
            "calendarAuth=success&connection={third}&renewed=2"
        )),
        "{end}"
    );
    assert_eq!(states(&w).await, ["connected", "connected", "configuring"]);
}

/// W55, W23: the end of one connection leaves the account's grant and the other's subscription alone; the last one takes the
/// grant along.
async fn the_last_one_ends_the_grant(database: Database, provider: Provider) {
    let (w, second, other) = two(database, provider).await;
    let id = w.add("Replace switch").await;
    w.drain().await;
    let ends = u64::from(provider == Provider::Google);
    w.port
        .delete_calendar_provider(&w.tess, &w.connection().await, true)
        .await
        .unwrap();
    w.drain().await;
    assert_eq!(revoked(&w), 0);
    assert_eq!(seen(&w, &other, "Replace switch"), (0, 1));
    assert_eq!(
        (states(&w).await, w.fakes.subscriptions(w.fake).len()),
        (vec!["connected".to_owned()], 1)
    );
    // It goes on living: also when its access token ends.
    w.fakes.expire_access_tokens(w.fake);
    w.edit(id, |entry| {
        entry.content.title = "Replace router".to_owned();
    })
    .await;
    w.drain().await;
    assert_eq!(
        (
            states(&w).await[0].as_str(),
            seen(&w, &other, "Replace router")
        ),
        ("connected", (0, 1))
    );

    w.port
        .delete_calendar_provider(&w.tess, &second, true)
        .await
        .unwrap();
    // Its grant may be on its way back.
    let end = location(&w.authorize(&w.tess, None).await);
    assert!(end.ends_with("calendarError=still_ending"), "{end}");
    w.drain().await;
    assert_eq!(
        (revoked(&w), w.rows(&["calendar_providers"]).await),
        (ends, 0)
    );
    assert_eq!(seen(&w, &other, "Replace router"), (0, 0));
    another(&w).await;
}

/// W55, W23: two connections of an account that end at once both clear up before the grant goes, whichever ends first.
async fn both_end_at_once(database: Database, provider: Provider) {
    for later in [0, 1] {
        let (w, second, other) = two(database, provider).await;
        w.add("Replace switch").await;
        w.drain().await;
        let mut both = [w.connection().await, second];
        both.rotate_left(later);
        for id in &both {
            w.port
                .delete_calendar_provider(&w.tess, id, true)
                .await
                .unwrap();
            w.pass(TimeDelta::milliseconds(1));
        }
        w.drain().await;
        assert_eq!(seen(&w, &other, "Replace switch"), (0, 0));
        assert!(w.fakes.subscriptions(w.fake).is_empty());
        assert_eq!(w.rows(&["calendar_providers", "jobs"]).await, 0);
        assert_eq!(revoked(&w), u64::from(provider == Provider::Google));
        let mut unit = w.services.read(demo::TENANT).await.unwrap();
        let rows = unit.list_audit(demo::TENANT, 50).await.unwrap();
        let said: Vec<_> = rows
            .iter()
            .filter(|row| row.action == "calendar.erased")
            .map(|row| row.detail["complete"] == true)
            .collect();
        assert_eq!(said, [true, true]);
    }
}

/// W55, W60: whoever leaves takes all connections along, those that sync and one that has no calendar yet.
async fn a_leaver_leaves_none(database: Database, provider: Provider) {
    let (w, _, _) = two(database, provider).await;
    another(&w).await;
    assert_eq!(states(&w).await.len(), 3);
    w.execute("UPDATE users SET is_active = false WHERE email = 'tess@demo.daybind.test'")
        .await;
    w.pass(TimeDelta::minutes(10));
    w.drain().await;
    assert_eq!(w.rows(&["calendar_providers", "jobs"]).await, 0);
    assert!(w.fakes.subscriptions(w.fake).is_empty());
    assert_eq!(revoked(&w), u64::from(provider == Provider::Google));
}

everywhere! {
    connected: a_further_calendar_is_connected;
    entries: entries_go_to_each_calendar;
    healed: one_consent_heals_all;
    last: the_last_one_ends_the_grant;
    at_once: both_end_at_once;
    leaver: a_leaver_leaves_none;
}
