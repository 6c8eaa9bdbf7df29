use chrono::Utc;
use daybind_domain::ids::{ConnectionId, TenantId, UserId};
use daybind_ee_storage::{Connection, ConnectionSettings, Failing};
use uuid::Uuid;

use super::{Asked, Chosen, choose};

const ME: UserId = UserId(Uuid::from_u128(1));
const OTHER: UserId = UserId(Uuid::from_u128(2));

/// A Google connection of mine to account `a`, known by its number.
fn row(number: u128, status: &str, reason: Option<&str>) -> Connection {
    let now = Utc::now();
    Connection {
        tenant_id: TenantId(Uuid::from_u128(9)),
        connection_id: ConnectionId(Uuid::from_u128(number)),
        user_id: ME,
        provider: "google".to_owned(),
        account_id: "a".to_owned(),
        account_email: "a@example.test".to_owned(),
        calendar_id: (status != "configuring").then(|| format!("calendar {number}")),
        calendar_name: None,
        status: status.to_owned(),
        status_reason: reason.map(str::to_owned),
        direction: "bidirectional".to_owned(),
        profile_id: None,
        client_id: String::new(),
        cloud: daybind_domain::Cloud::Global,
        access_token_sealed: String::new(),
        access_token_expires_at: now,
        refresh_token_sealed: String::new(),
        cursor: None,
        cursor_window_start: None,
        cursor_window_end: None,
        last_sync_at: None,
        last_error: None,
        settings: ConnectionSettings::default(),
        brake: None,
        brake_count: 0,
        brake_occurrences: 0,
        pause: None,
        failing: Failing::default(),
        generation: 0,
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

fn connect() -> Asked<'static> {
    Asked {
        user_id: ME,
        provider: "google",
        connection: None,
        adopted: false,
    }
}

fn reconnect(number: u128) -> Asked<'static> {
    Asked {
        connection: Some(Uuid::from_u128(number)),
        ..connect()
    }
}

/// Which connection, and which along with it, by their numbers.
fn numbers(chosen: &Chosen) -> (Option<u128>, Vec<u128>) {
    let number = |row: &Connection| row.connection_id.0.as_u128();
    (
        chosen.row.as_ref().map(number),
        chosen.along.iter().map(number).collect(),
    )
}

/// W55: an account that is connected is connected once more, whatever stands in the way of its calendars.
#[test]
fn a_further_connection() {
    for (status, reason) in [
        ("connected", None),
        ("paused", Some("brake")),
        ("error", Some("calendar_missing")),
        ("error", Some("secret")),
    ] {
        let all = [row(1, status, reason)];
        let chosen = choose(&all, connect(), "a").unwrap();
        assert_eq!(numbers(&chosen), (None, vec![]), "{status} {reason:?}");
    }
    assert_eq!(
        numbers(&choose(&[], connect(), "a").unwrap()),
        (None, vec![])
    );
}

/// W55: no second connection waits for its calendar.
#[test]
fn one_without_a_calendar_is_taken_up_again() {
    let all = [row(1, "connected", None), row(2, "configuring", None)];
    assert_eq!(
        numbers(&choose(&all, connect(), "a").unwrap()),
        (Some(2), vec![])
    );
    // Another account's, or another provider's of the same name, is not it.
    let mut elsewhere = row(3, "configuring", None);
    elsewhere.provider = "microsoft".to_owned();
    let all = [row(2, "configuring", None), elsewhere];
    assert_eq!(
        numbers(&choose(&all, connect(), "b").unwrap()),
        (None, vec![])
    );
    assert_eq!(
        numbers(&choose(&all[1..], connect(), "a").unwrap()),
        (None, vec![])
    );
}

/// W55: one consent heals every connection of the account that waits for one, however it was begun.
#[test]
fn a_consent_heals_all_that_wait() {
    let all = [
        row(1, "needs_reconnect", Some("grant_ended")),
        row(2, "connected", None),
        row(3, "needs_reconnect", Some("unauthorized")),
        row(4, "error", Some("refused")),
    ];
    let chosen = choose(&all, reconnect(3), "a").unwrap();
    assert_eq!(numbers(&chosen), (Some(3), vec![1, 4]));
    let chosen = choose(&all, connect(), "a").unwrap();
    assert_eq!(numbers(&chosen), (Some(1), vec![3, 4]));
    let mut all = all.to_vec();
    all.push(row(5, "configuring", None));
    let chosen = choose(&all, connect(), "a").unwrap();
    assert_eq!(numbers(&chosen), (Some(5), vec![1, 3, 4]));
    // Not those of another account, nor one that has yet to show whose it is.
    let mut foreign = row(6, "needs_reconnect", None);
    foreign.account_id = "b".to_owned();
    let mut imported = row(7, "needs_reconnect", Some("imported"));
    imported.account_id = format!("import:{}", imported.connection_id);
    // Nor one whose calendar is another connection's: it would keep the consent from all of them.
    let twice = row(8, "needs_reconnect", Some("calendar_twice"));
    let all = [row(1, "needs_reconnect", None), foreign, imported, twice];
    let chosen = choose(&all, connect(), "a").unwrap();
    assert_eq!(numbers(&chosen), (Some(1), vec![]));
}

#[test]
fn what_is_refused() {
    let mut theirs = row(1, "connected", None);
    theirs.user_id = OTHER;
    let mut left = theirs.clone();
    left.status_reason = Some("disconnecting".to_owned());
    for theirs in [&theirs, &left] {
        let all = [theirs.clone(), row(2, "needs_reconnect", None)];
        assert_eq!(choose(&all, connect(), "a"), Err("already_connected"));
        assert_eq!(choose(&all, reconnect(2), "a"), Err("already_connected"));
        assert_eq!(choose(&all, reconnect(1), "a"), Err("invalid_state"));
    }
    let ending = row(3, "paused", Some("disconnecting"));
    let all = [ending.clone()];
    assert_eq!(choose(&all, connect(), "a"), Err("still_ending"));
    assert_eq!(choose(&all, reconnect(3), "a"), Err("invalid_state"));
    // Where another one lives on the grant, it stays, and so may a further one.
    let all = [ending, row(4, "connected", None)];
    assert_eq!(
        numbers(&choose(&all, connect(), "a").unwrap()),
        (None, vec![])
    );
    let all = [row(5, "needs_reconnect", None)];
    assert_eq!(choose(&all, reconnect(5), "b"), Err("different_account"));
}

/// One that was brought over goes to the account that has shown to be its own, unless that one is somebody else's.
#[test]
fn one_that_was_brought_over() {
    let mut imported = row(1, "needs_reconnect", Some("imported"));
    imported.account_id = format!("import:{}", imported.connection_id);
    let adopted = Asked {
        adopted: true,
        ..reconnect(1)
    };
    let all = [imported.clone(), row(2, "needs_reconnect", None)];
    assert_eq!(
        numbers(&choose(&all, adopted, "a").unwrap()),
        (Some(1), vec![2])
    );
    assert_eq!(choose(&all, reconnect(1), "a"), Err("different_account"));
    let mut theirs = row(3, "connected", None);
    theirs.user_id = OTHER;
    assert_eq!(
        choose(&[imported, theirs], adopted, "a"),
        Err("already_connected")
    );
}
