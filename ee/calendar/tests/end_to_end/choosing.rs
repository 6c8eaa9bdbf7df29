//! Which calendar of an account is synced.

use daybind_domain::ErrorCode;
use daybind_fakes::DuplicateTransaction;
use daybind_services::{AppError, CalendarPort as _, Provider};

use crate::bench::{Database, World, actor};

/// What is wrong with the calendar, in words.
fn wrong(error: &AppError) -> String {
    error.field_message("calendar_id").unwrap_or_default()
}

/// W52: offered are the calendars the account has, the main one first and with what may be done there; another's, an unknown one
/// and one that may not be written to are refused; the chosen one alone is written to, and stays chosen.
async fn one_of_those_the_account_has(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let tom = actor(&w.services, "tom@demo.daybind.test").await;
    let (id, _) = w.connect_second(&tom).await;
    w.port
        .delete_calendar_provider(&tom, &id, true)
        .await
        .unwrap();
    w.drain().await;

    let done = w.consent(&tom, "second@example.test").await;
    assert!(done.contains("calendarAuth=success"), "{done}");
    let view = w.port.get_calendar_providers(&tom).await.unwrap();
    let id = view.connections[0].connection_id.clone();
    assert_eq!(view.connections[0].status, "configuring");
    let offered = w.port.list_remote_calendars(&tom, &id).await.unwrap();
    let mut known: Vec<_> = w
        .fakes
        .calendars(w.fake)
        .into_iter()
        .filter(|calendar| calendar["account"] == "second@example.test")
        .map(|calendar| {
            let text = |key: &str| calendar[key].as_str().unwrap().to_owned();
            (text("id"), text("name"), calendar["canWrite"] == true)
        })
        .collect();
    let mut told: Vec<_> = offered
        .iter()
        .map(|row| (row.calendar_id.clone(), row.name.clone(), row.can_write))
        .collect();
    known.sort();
    told.sort();
    assert_eq!(told, known);
    assert!(offered[0].is_primary && offered[1..].iter().all(|row| !row.is_primary));

    let choose = async |calendar: &str, direction: &str| {
        w.port
            .update_calendar_provider(&tom, &id, Some(calendar), Some(direction))
            .await
    };
    for strange in [w.calendar.as_str(), "no such calendar"] {
        let refused = choose(strange, "bidirectional").await.unwrap_err();
        assert!(
            wrong(&refused).contains("not in the account"),
            "{refused:?}"
        );
    }
    let read_only = offered.iter().find(|row| !row.can_write).unwrap();
    for direction in ["bidirectional", "to_external"] {
        let refused = choose(&read_only.calendar_id, direction).await.unwrap_err();
        assert!(wrong(&refused).contains("may not write"), "{refused:?}");
    }
    let refused = w.port.list_remote_calendars(&w.tess, &id).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::NotFound);

    let second = offered
        .iter()
        .find(|row| row.can_write && !row.is_primary)
        .unwrap();
    choose(&second.calendar_id, "bidirectional").await.unwrap();
    let entry = w.add("Replace switch").await;
    w.edit(entry, |entry| entry.assignees = vec![tom.user_id()])
        .await;
    w.drain().await;
    for calendar in &offered {
        let there = w.titled(&calendar.calendar_id, "Replace switch").len();
        let chosen = calendar.calendar_id == second.calendar_id;
        assert_eq!(there, usize::from(chosen), "{}", calendar.name);
    }
    let view = w.port.get_calendar_providers(&tom).await.unwrap();
    assert_eq!(view.connections[0].calendar_name, second.name);
    let refused = choose(&offered[0].calendar_id, "bidirectional").await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::Conflict);
}

everywhere! {
    chosen: one_of_those_the_account_has;
}
