//! A calendar that is shared with two people is connected by one of them, whatever the moment.

use std::time::Duration;

use daybind_ee_storage::calendar;
use daybind_fakes::{DuplicateTransaction, Provider as Fake};
use daybind_services::{Actor, AppResult, CalendarPort, Provider, demo};

use crate::bench::{Database, World, actor, location};

/// What a second choice is told, whether it came later or in the same moment.
const ALREADY: &str = "This calendar is already connected.";
const TOMS: &str = "second@example.test";

/// Tess and Tom, each with a connection that waits for its calendar, and a calendar that is shared with both.
async fn two_who_choose(
    database: Database,
    provider: Provider,
) -> (World, Actor, String, String, String) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let tom = actor(&w.services, "tom@demo.daybind.test").await;
    let shared = w.fakes.calendars(Fake::Google).into_iter();
    let shared = shared
        .filter(|calendar| calendar["account"] != TOMS)
        .find(|calendar| calendar["primary"] == false && calendar["canWrite"] == true)
        .unwrap();
    let shared = shared["id"].as_str().unwrap().to_owned();
    w.fakes.share(&shared, TOMS);
    let tess = waiting(&w, &w.tess.clone(), None).await;
    let toms = waiting(&w, &tom, Some(TOMS)).await;
    (w, tom, shared, tess, toms)
}

/// A connection of the person that waits for its calendar.
async fn waiting(w: &World, who: &Actor, account: Option<&str>) -> String {
    let end = match account {
        Some(account) => w.consent(who, account).await,
        None => location(&w.authorize(who, None).await),
    };
    let id = end.strip_prefix("/msp/profile?tab=calendar&calendarAuth=success&connection=");
    id.unwrap_or_else(|| panic!("{end}")).to_owned()
}

async fn choose(port: &dyn CalendarPort, who: &Actor, id: &str, calendar: &str) -> AppResult<()> {
    port.update_calendar_provider(who, id, Some(calendar), None)
        .await
}

fn told(outcome: AppResult<()>) -> String {
    let error = outcome.unwrap_err();
    error.field_message("calendar_id").unwrap_or_default()
}

/// W55: while the choice of one is under way on one server, the other's on another server waits for how it ends, and is then
/// refused as one that comes later is.
async fn a_choice_under_way_holds_the_calendar(database: Database, provider: Provider) {
    let (w, tom, shared, tess, toms) = two_who_choose(database, provider).await;
    let (_, other) = w.second_server().await;
    let mut unit = w.services.begin(demo::TENANT).await.unwrap();
    let rows = calendar(unit.as_mut()).unwrap();
    let id = tess.parse().unwrap();
    let row = rows.find_connection(demo::TENANT, id).await.unwrap();
    let mut row = row.unwrap();
    row.calendar_id = Some(shared.clone());
    row.status = "connected".to_owned();
    rows.update_connection(&row).await.unwrap();
    let asked = w.asked("google.calendarList.list", "google.calendarList.list");
    let choice = {
        let (tom, toms, shared) = (tom.clone(), toms.clone(), shared.clone());
        tokio::spawn(async move { choose(other.as_ref(), &tom, &toms, &shared).await })
    };
    // Where there is one writer at a time, it waits before it asks the provider.
    let asks = || w.asked("google.calendarList.list", "google.calendarList.list");
    while database == Database::Postgres && asks() == asked {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!choice.is_finished(), "it cannot know yet");
    unit.save().await.unwrap();
    assert_eq!(told(choice.await.unwrap()), ALREADY);

    // One that comes later is told the same, and is not offered the calendar.
    assert_eq!(
        told(choose(w.port.as_ref(), &tom, &toms, &shared).await),
        ALREADY
    );
    let offered = w.port.list_remote_calendars(&tom, &toms).await.unwrap();
    let offer = offered.iter().find(|offer| offer.calendar_id == shared);
    assert!(offer.unwrap().taken);
}

/// W55: two who choose it at the same moment, on two servers: one gets it.
async fn one_of_two_gets_it(database: Database, provider: Provider) {
    let (w, tom, shared, mut tess, mut toms) = two_who_choose(database, provider).await;
    let (_, other) = w.second_server().await;
    for _ in 0..4 {
        let (hers, his) = tokio::join!(
            choose(w.port.as_ref(), &w.tess, &tess, &shared),
            choose(other.as_ref(), &tom, &toms, &shared),
        );
        assert!(hers.is_ok() != his.is_ok(), "{hers:?} {his:?}");
        let won = if hers.is_ok() {
            assert_eq!(told(his), ALREADY);
            (&w.tess, &mut tess, None)
        } else {
            assert_eq!(told(hers), ALREADY);
            (&tom, &mut toms, Some(TOMS))
        };
        let (who, id, account) = won;
        w.port
            .delete_calendar_provider(who, id, true)
            .await
            .unwrap();
        w.drain().await;
        *id = waiting(&w, who, account).await;
    }
}

/// W55: two that came about before the database kept them apart: the one that waits says why, syncs nothing, is not healed by
/// chance, ends as any other, and goes on once the calendar is free.
async fn one_of_an_old_pair_waits(database: Database, provider: Provider) {
    let (w, tom, shared, tess, toms) = two_who_choose(database, provider).await;
    choose(w.port.as_ref(), &w.tess, &tess, &shared)
        .await
        .unwrap();
    w.execute(&format!(
        "UPDATE calendar_providers SET calendar_id = '{shared}', calendar_name = 'Field service', \
         status = 'needs_reconnect', status_reason = 'calendar_twice' WHERE account_id = '{TOMS}'"
    ))
    .await;
    w.drain().await;
    let seen = async || {
        let view = w.port.get_calendar_providers(&tom).await.unwrap();
        let row = view.connections[0].clone();
        (row.status, row.status_text)
    };
    let (status, text) = seen().await;
    assert_eq!(status, "needs_reconnect");
    assert!(text.contains("the same calendar"), "{text}");
    assert!(w.port.sync_calendar_provider(&tom, &toms).await.is_err());
    let begun = async || {
        let start = w.port.initiate_calendar_oauth(&tom, "google", Some(&toms));
        let start = format!("{}&login_hint={TOMS}", start.await.unwrap());
        let answer = w.services.http.get(start).send().await.unwrap();
        let back = answer.headers()["location"].to_str().unwrap().to_owned();
        location(&w.call_back(Some(&tom), &back).await)
    };
    let end = begun().await;
    assert!(end.ends_with("calendarError=calendar_taken"), "{end}");
    // A consent for another calendar does not stumble over it.
    let further = waiting(&w, &tom, Some(TOMS)).await;
    assert_ne!(further, toms);
    assert_eq!(seen().await.0, "needs_reconnect");

    w.port
        .delete_calendar_provider(&w.tess, &tess, true)
        .await
        .unwrap();
    w.drain().await;
    let end = begun().await;
    assert!(end.contains("calendarAuth=success"), "{end}");
    w.drain().await;
    assert_eq!(seen().await.0, "connected");
}

on_both! {
    held_on_sqlite: a_choice_under_way_holds_the_calendar(Sqlite, Google);
    held_on_postgres: a_choice_under_way_holds_the_calendar(Postgres, Google);
    one_on_sqlite: one_of_two_gets_it(Sqlite, Google);
    one_on_postgres: one_of_two_gets_it(Postgres, Google);
    old_pair_on_sqlite: one_of_an_old_pair_waits(Sqlite, Google);
    old_pair_on_postgres: one_of_an_old_pair_waits(Postgres, Google);
}
