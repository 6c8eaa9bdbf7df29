//! Two technicians with a calendar each, and the schedule between them.

use daybind_domain::ids::EntryId;
use daybind_fakes::DuplicateTransaction;
use daybind_services::schedule::{self, EntryInput};
use daybind_services::series::PartInput;
use daybind_services::{Actor, CalendarPort as _, Provider};
use serde_json::json;

use crate::bench::{Database, World, actor};

/// Tess and Tom, both connected; Tom's connection and calendar.
async fn both(database: Database, provider: Provider) -> (World, Actor, String, String) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let tom = actor(&w.services, "tom@demo.daybind.test").await;
    let (id, calendar) = w.connect_second(&tom).await;
    (w, tom, id, calendar)
}

fn input(w: &World, title: &str, people: &[&Actor]) -> EntryInput {
    let day = (w.services.now() + chrono::TimeDelta::days(3)).format("%Y-%m-%d");
    EntryInput {
        title: title.to_owned(),
        start: format!("{day}T09:00"),
        end: format!("{day}T10:00"),
        assignees: people
            .iter()
            .map(|person| person.user_id().to_string())
            .collect(),
        ..EntryInput::default()
    }
}

/// How often an entry of that title is in Tess's calendar and in Tom's.
fn seen(w: &World, toms: &str, title: &str) -> (usize, usize) {
    (w.named(title).len(), w.titled(toms, title).len())
}

async fn save(w: &World, id: EntryId, input: &EntryInput) {
    let version = w.entry(id).await.version;
    schedule::update(
        &w.services,
        w.port.as_ref(),
        &w.admin,
        &id.to_string(),
        version,
        input,
    )
    .await
    .unwrap();
    w.drain().await;
}

/// W48: made, changed, given to somebody else, shared and deleted through the schedule: each of it reaches those who do
/// the work and those who did, and nobody else.
async fn every_change_reaches_them(database: Database, provider: Provider) {
    let (w, tom, _, toms) = both(database, provider).await;
    let port = w.port.as_ref();
    let id = schedule::create(&w.services, port, &w.admin, &input(&w, "First", &[&w.tess]))
        .await
        .unwrap();
    w.drain().await;
    assert_eq!(seen(&w, &toms, "First"), (1, 0));
    save(&w, id, &input(&w, "Second", &[&w.tess])).await;
    assert_eq!(
        (seen(&w, &toms, "First"), seen(&w, &toms, "Second")),
        ((0, 0), (1, 0))
    );
    save(&w, id, &input(&w, "Second", &[&tom])).await;
    assert_eq!(seen(&w, &toms, "Second"), (0, 1));
    save(&w, id, &input(&w, "Third", &[&tom, &w.tess])).await;
    assert_eq!(
        (seen(&w, &toms, "Second"), seen(&w, &toms, "Third")),
        ((0, 0), (1, 1))
    );
    let version = w.entry(id).await.version;
    schedule::delete(
        &w.services,
        port,
        &w.admin,
        &id.to_string(),
        version,
        &PartInput::default(),
    )
    .await
    .unwrap();
    w.drain().await;
    assert_eq!(seen(&w, &toms, "Third"), (0, 0));
}

/// W49: what Tess changes in her calendar is in Tom's; so is the answer to a question, and that she does not do it any
/// more does not touch his.
async fn changes_from_outside_reach_the_others(database: Database, provider: Provider) {
    let (w, tom, _, toms) = both(database, provider).await;
    let id = w.add("Replace switch").await;
    w.edit(id, |entry| entry.assignees.push(tom.user_id()))
        .await;
    w.drain().await;
    assert_eq!(seen(&w, &toms, "Replace switch"), (1, 1));
    let hers = w.named("Replace switch")[0].clone();
    w.outside(&hers, &json!({ w.key("title"): "Replace router" }));
    w.sync().await;
    assert_eq!(seen(&w, &toms, "Replace router"), (1, 1));

    w.outside(&hers, &json!({ w.key("title"): "Hers" }));
    w.edit(id, |entry| entry.content.title = "Ours".to_owned())
        .await;
    w.drain().await;
    w.answer("all", "calendar").await;
    w.drain().await;
    assert_eq!(seen(&w, &toms, "Hers"), (1, 1));

    let copy = w.named("Hers")[0]["id"].as_str().unwrap().to_owned();
    w.fakes.delete_event(w.fake, &w.calendar, &copy).unwrap();
    w.sync().await;
    assert_eq!(seen(&w, &toms, "Hers"), (0, 1));
    assert_eq!(w.entry(id).await.assignees, vec![tom.user_id()]);
}

/// W50: a connection made today shows what was planned before it, within its window, and not what others do.
async fn a_new_connection_is_filled(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let tom = actor(&w.services, "tom@demo.daybind.test").await;
    let shift = |days: i64| chrono::TimeDelta::days(days);
    let mut ids = Vec::new();
    for (title, days) in [("Past", -20), ("Soon", 2), ("Far", 300), ("Too far", 500)] {
        let id = w.add(title).await;
        w.edit(id, |entry| {
            entry.assignees = vec![tom.user_id()];
            let daybind_domain::schedule::When::Timed { start, end, .. } = &mut entry.content.when
            else {
                panic!("timed");
            };
            (*start, *end) = (*start + shift(days), *end + shift(days));
        })
        .await;
        ids.push(id);
    }
    w.add("Tess's own").await;
    w.drain().await;
    let (_, toms) = w.connect_second(&tom).await;
    for (title, count) in [
        ("Past", 1),
        ("Soon", 1),
        ("Far", 1),
        ("Too far", 0),
        ("Tess's own", 0),
    ] {
        assert_eq!(w.titled(&toms, title).len(), count, "{title}");
    }
    assert_eq!(w.mark(ids[1]).await, "synced");
    // What was in the demo before Tess connected, too.
    assert_eq!(w.named("Replace switch at Contoso").len(), 1);
}

/// W69: disconnecting is one connection's: the other keeps its copies, its subscription and its token, and works on.
async fn one_end_is_not_everybodys(database: Database, provider: Provider) {
    let (w, tom, _, toms) = both(database, provider).await;
    let id = w.add("Replace switch").await;
    w.edit(id, |entry| entry.assignees.push(tom.user_id()))
        .await;
    w.drain().await;
    assert_eq!(w.fakes.subscriptions(w.fake).len(), 2);
    w.port
        .delete_calendar_provider(&w.tess, &w.connection().await, true)
        .await
        .unwrap();
    w.drain().await;
    assert_eq!(seen(&w, &toms, "Replace switch"), (0, 1));
    assert_eq!(w.fakes.subscriptions(w.fake).len(), 1);
    let copy = w.titled(&toms, "Replace switch")[0]["id"].clone();
    let patch = json!({ w.key("title"): "Replace router" });
    w.fakes
        .patch_event(w.fake, &toms, copy.as_str().unwrap(), &patch)
        .unwrap();
    w.drain().await;
    assert_eq!(w.entry(id).await.content.title, "Replace router");
    let view = w.port.get_calendar_providers(&tom).await.unwrap();
    assert_eq!(view.connections[0].status, "connected");
}

/// W54: each end of the consent is an address of our own that says how it went.
async fn every_end_of_the_consent(database: Database, provider: Provider) {
    use daybind_fakes::{Fault, FaultKind};
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let tom = actor(&w.services, "tom@demo.daybind.test").await;
    let token = w.operation("google.token", "microsoft.token");
    let path = format!("/api/auth/{}/calendar/callback", provider.as_str());
    let refused = |status, reason: &str| FaultKind::Status {
        status,
        retry_after: None,
        reason: Some(reason.to_owned()),
    };
    let start = async || {
        let start = w
            .port
            .initiate_calendar_oauth(&tom, provider.as_str(), None)
            .await
            .unwrap();
        let state = start.split("state=").nth(1).unwrap();
        let state = state.split('&').next().unwrap().to_owned();
        (start, state)
    };
    let end = async |back: String| {
        let done = w.call_back(Some(&tom), &back).await;
        crate::bench::location(&done)
    };
    let failed =
        |code: &str| format!("/msp/profile?tab=calendar&calendarAuth=error&calendarError={code}");
    assert_eq!(end(path.clone()).await, failed("missing_parameters"));
    let (_, state) = start().await;
    let declined = format!("{path}?error=access_denied&state={state}");
    assert_eq!(end(declined).await, failed("access_denied"));
    for (fault, code) in [
        (refused(400, "invalid_grant"), "token_exchange_failed"),
        (refused(401, "invalid_client"), "configuration_error"),
        (
            refused(503, "temporarily_unavailable"),
            "token_exchange_failed",
        ),
        (FaultKind::DropBefore, "token_exchange_failed"),
        (FaultKind::Malformed, "token_exchange_failed"),
    ] {
        let (start, _) = start().await;
        let answer = w.services.http.get(start).send().await.unwrap();
        let back = answer.headers()["location"].to_str().unwrap().to_owned();
        w.fakes.arm(Fault::new(&token, 1, fault.clone()));
        assert_eq!(end(back.clone()).await, failed(code), "{fault:?}");
        assert_eq!(end(back).await, failed("invalid_state"), "used up");
    }
    let (start, _) = start().await;
    let answer = w.services.http.get(start).send().await.unwrap();
    let back = answer.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(
        end(back).await,
        failed("already_connected"),
        "Tess has that account"
    );
    let none = w.port.get_calendar_providers(&tom).await.unwrap();
    assert!(none.connections.is_empty(), "no half connection is left");
}

everywhere! {
    changes: every_change_reaches_them;
    outside: changes_from_outside_reach_the_others;
    filled: a_new_connection_is_filled;
    one_end: one_end_is_not_everybodys;
    consent: every_end_of_the_consent;
}
