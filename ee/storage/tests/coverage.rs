//! What the databases count, filter, order and cut into pages is what a plain look at all rows finds.

#![expect(
    clippy::unwrap_used,
    reason = "a test without its database must fail loudly"
)]

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use daybind_domain::Cloud;
use daybind_domain::ids::{ConnectionId, EntryId, MappingId, TenantId, UserId};
use daybind_domain::schedule::{EntryContent, EntryStatus, ShowAs, When};
use daybind_domain::user::{Role, UserType};
use daybind_ee_storage::{
    Conflict, Connection, ConnectionFilter, ConnectionSettings, Failing, Mapping, Pause, Show,
    calendar, found_in,
};
use daybind_storage::{NewEntry, NewUser, Scope, Store, Tenant, UnitOfWork, User};
use daybind_storage_postgres::{PgStore, testing};
use daybind_storage_sqlite::SqliteStore;
use serde_json::json;
use uuid::Uuid;

/// Everybody's rows, in memory.
#[derive(Default)]
struct Rows {
    users: Vec<User>,
    connections: Vec<Connection>,
    disputed: BTreeSet<ConnectionId>,
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600, 0).unwrap()
}

fn ending(row: &Connection) -> bool {
    row.status_reason.as_deref() == Some("disconnecting")
}

impl Rows {
    fn owner(&self, row: &Connection) -> &str {
        let mut users = self.users.iter();
        let owner = users.find(|user| user.user_id == row.user_id);
        owner.unwrap().display_name.as_str()
    }

    fn staying(&self) -> impl Iterator<Item = &Connection> {
        self.connections.iter().filter(|row| !ending(row))
    }

    fn matching(&self, filter: &ConnectionFilter) -> Vec<ConnectionId> {
        let mut found: Vec<&Connection> = self
            .staying()
            .filter(|row| match filter.show {
                Show::All => true,
                Show::Attention => row.status != "connected",
                Show::Conflicts => self.disputed.contains(&row.connection_id),
                Show::Paused => row.pause.is_some(),
            })
            .filter(|row| filter.provider.iter().all(|one| *one == row.provider))
            .filter(|row| {
                filter
                    .only
                    .iter()
                    .all(|ids| ids.contains(&row.connection_id))
            })
            .collect();
        found.sort_by_key(|row| {
            let owner = self.owner(row).to_lowercase();
            (row.status == "connected", owner, row.created_at)
        });
        found.into_iter().map(|row| row.connection_id).collect()
    }

    fn people(&self) -> Vec<&User> {
        let mut people: Vec<&User> = self
            .users
            .iter()
            .filter(|user| user.is_active && user.user_type == UserType::Internal)
            .collect();
        people.sort_by_key(|user| user.display_name.to_lowercase());
        people
    }

    fn has(&self, user: &User) -> bool {
        self.staying().any(|row| row.user_id == user.user_id)
    }
}

/// People of all kinds, none to two connections each, in every way of standing.
async fn fill(store: &dyn Store, tenant_id: TenantId, people: i64) -> Rows {
    let mut rows = Rows::default();
    let mut system = store.begin(Scope::System).await.unwrap();
    let tenant = Tenant {
        tenant_id,
        name: "An MSP".to_owned(),
        time_zone: "Europe/Berlin".to_owned(),
    };
    system.add_tenant(&tenant, now()).await.unwrap();
    system.save().await.unwrap();
    let mut unit = store.begin(Scope::Tenant(tenant_id)).await.unwrap();
    for n in 0..people {
        // Names neither in the order of the keys, nor all in one case.
        let number = (n * 37) % people;
        let name = format!(
            "{} {number:03}",
            if n % 2 == 0 { "Person" } else { "PERSON" }
        );
        let user = User {
            tenant_id,
            user_id: UserId(Uuid::new_v4()),
            email: format!("p{number}@example.test"),
            display_name: if n == 5 {
                format!("Jürgen {number:03}")
            } else {
                name
            },
            user_type: if n % 11 == 0 {
                UserType::Client
            } else {
                UserType::Internal
            },
            role: Role::Technician,
            is_active: n % 7 != 0,
            time_zone: "Europe/Berlin".to_owned(),
        };
        let new = NewUser {
            user: user.clone(),
            email_normalized: user.email.clone(),
            password_hash: None,
        };
        unit.add_user(&new, now()).await.unwrap();
        for which in 0..n % 3 {
            let row = connection(&user, rows.connections.len(), which);
            calendar(unit.as_mut())
                .unwrap()
                .add_connection(&row)
                .await
                .unwrap();
            if rows.connections.len() % 6 == 1 {
                dispute(unit.as_mut(), &row).await;
                rows.disputed.insert(row.connection_id);
            }
            rows.connections.push(row);
        }
        rows.users.push(user);
    }
    unit.save().await.unwrap();
    rows
}

fn connection(user: &User, n: usize, which: i64) -> Connection {
    let count = i64::try_from(n).unwrap();
    let (status, reason) = [
        ("connected", None),
        ("needs_reconnect", Some("revoked")),
        ("connected", None),
        ("error", Some("secret")),
        ("needs_reconnect", Some("disconnecting")),
        ("configuring", None),
        ("paused", Some("many_deletions")),
    ][n % 7];
    Connection {
        tenant_id: user.tenant_id,
        connection_id: Uuid::new_v4().into(),
        user_id: user.user_id,
        provider: if n.is_multiple_of(3) {
            "google"
        } else {
            "microsoft"
        }
        .to_owned(),
        account_id: format!("account {n}"),
        account_email: format!("mailbox{n}@example.test"),
        calendar_id: Some(format!("calendar {n}")),
        calendar_name: (!n.is_multiple_of(5)).then(|| format!("Kalender Ü {which}")),
        status: status.to_owned(),
        status_reason: reason.map(str::to_owned),
        direction: "bidirectional".to_owned(),
        profile_id: None,
        client_id: "client".to_owned(),
        cloud: Cloud::Global,
        access_token_sealed: "sealed".to_owned(),
        access_token_expires_at: now(),
        refresh_token_sealed: "sealed".to_owned(),
        cursor: None,
        cursor_window_start: None,
        cursor_window_end: None,
        last_sync_at: (!n.is_multiple_of(4)).then(|| now() - TimeDelta::minutes(count * 13 % 101)),
        last_error: None,
        failing: Failing {
            held_until: (n % 9 == 2).then(|| now() + TimeDelta::minutes(count - 20)),
            ..Failing::default()
        },
        settings: ConnectionSettings::default(),
        brake: None,
        brake_count: 0,
        brake_occurrences: 0,
        pause: (n % 8 == 2).then(|| Pause {
            since: now(),
            until: None,
            by: user.user_id,
        }),
        generation: 0,
        version: 1,
        created_at: now() + TimeDelta::seconds(count),
        updated_at: now(),
    }
}

async fn dispute(unit: &mut dyn UnitOfWork, row: &Connection) {
    let (tenant_id, entry_id) = (row.tenant_id, EntryId(Uuid::new_v4()));
    let content = EntryContent {
        title: "Disputed".to_owned(),
        notes: String::new(),
        location: String::new(),
        when: When::AllDay {
            start: NaiveDate::from_ymd_opt(2026, 1, 5).unwrap(),
            end: NaiveDate::from_ymd_opt(2026, 1, 6).unwrap(),
        },
        repeats: None,
        shows: ShowAs::Busy,
        private: false,
        status: EntryStatus::Scheduled,
    };
    let ours = serde_json::to_value(&content).unwrap();
    let entry = NewEntry {
        tenant_id,
        entry_id,
        content,
        occurrence_of: None,
        assignees: vec![row.user_id],
        created_by: row.user_id,
    };
    unit.add_entry(&entry, now()).await.unwrap();
    let mapping_id = MappingId(Uuid::new_v4());
    let mapping = Mapping {
        tenant_id,
        mapping_id,
        connection_id: row.connection_id,
        entry_id,
        external_event_id: Some(format!("event {mapping_id}")),
        external_etag: None,
        external_ical_uid: None,
        series_event_id: None,
        state: "conflict".to_owned(),
        origin: "schedule".to_owned(),
        beside: None,
        copy_left: false,
        answers: 0,
        generation: 1,
        base: None,
        sent: None,
        meeting_url: None,
        entry_version: 1,
        error: None,
        attempts: 0,
        created_at: now(),
        updated_at: now(),
    };
    let rows = calendar(unit).unwrap();
    rows.add_mapping(&mapping).await.unwrap();
    let conflict = Conflict {
        tenant_id,
        conflict_id: Uuid::new_v4(),
        connection_id: row.connection_id,
        mapping_id,
        entry_id,
        kind: "fields".to_owned(),
        state: "open".to_owned(),
        fields: vec!["title".to_owned()],
        base: None,
        local: ours,
        remote: Some(json!({})),
        local_at: now(),
        remote_at: None,
        resolution: None,
        resolved_by: None,
        resolved_at: None,
        created_at: now(),
        updated_at: now(),
    };
    rows.add_conflict(&conflict).await.unwrap();
}

async fn as_a_plain_look_finds(store: &dyn Store) {
    let tenant_id = TenantId(Uuid::new_v4());
    let all = fill(store, tenant_id, 64).await;
    // Somebody else's must not be among them.
    fill(store, TenantId(Uuid::new_v4()), 9).await;
    let mut unit = store.begin(Scope::Tenant(tenant_id)).await.unwrap();
    let rows = calendar(unit.as_mut()).unwrap();
    numbers(rows, tenant_id, &all).await;
    let some: Vec<ConnectionId> = all
        .connections
        .iter()
        .step_by(2)
        .map(|row| row.connection_id)
        .collect();
    for show in [Show::All, Show::Attention, Show::Conflicts, Show::Paused] {
        for provider in [None, Some("google".to_owned()), Some("nobody".to_owned())] {
            for only in [None, Some(some.clone()), Some(Vec::new())] {
                let provider = provider.clone();
                let filter = ConnectionFilter {
                    show,
                    provider,
                    only,
                };
                pages(rows, tenant_id, &all, &filter).await;
            }
        }
    }
    for text in [
        "PERSON 00",
        "jÜRGEN",
        "mailbox1@",
        "kalender ü 1",
        " ",
        "nobody",
    ] {
        let found = rows.search_connections(tenant_id, text).await.unwrap();
        let expected = all.connections.iter().filter(|row| {
            let calendar = row.calendar_name.as_deref().unwrap_or_default();
            found_in(text, &[all.owner(row), &row.account_email, calendar])
        });
        let expected: BTreeSet<ConnectionId> = expected.map(|row| row.connection_id).collect();
        assert_eq!(BTreeSet::from_iter(found), expected, "{text}");
        assert_eq!(expected.is_empty(), text == "nobody", "{text}");
    }
    let going = all.connections.iter().find(|row| ending(row)).unwrap();
    let known = rows.list_owned(tenant_id, &[going.connection_id]).await;
    let known = known.unwrap();
    assert_eq!(known.len(), 1, "the names of those that go are known");
    assert_eq!(known[0].owner, all.owner(going));
    assert!(rows.list_owned(tenant_id, &[]).await.unwrap().is_empty());
}

async fn pages(
    rows: &mut dyn daybind_ee_storage::CalendarRepository,
    tenant_id: TenantId,
    all: &Rows,
    filter: &ConnectionFilter,
) {
    let expected = all.matching(filter);
    let counted = rows.count_connections(tenant_id, filter).await.unwrap();
    assert_eq!(
        usize::try_from(counted).unwrap(),
        expected.len(),
        "{filter:?}"
    );
    let mut seen = Vec::new();
    for page in 0..=counted / 7 {
        let page = rows
            .page_connections(tenant_id, filter, (7, page * 7))
            .await;
        for one in page.unwrap() {
            assert_eq!(one.owner, all.owner(&one.row));
            let open = i64::from(all.disputed.contains(&one.row.connection_id));
            assert_eq!(one.conflicts, open);
            seen.push(one.row.connection_id);
        }
    }
    assert_eq!(seen, expected, "{filter:?}");
    let keys = rows.connection_keys(tenant_id, filter).await.unwrap();
    assert_eq!(BTreeSet::from_iter(keys), BTreeSet::from_iter(expected));
}

async fn numbers(
    rows: &mut dyn daybind_ee_storage::CalendarRepository,
    tenant_id: TenantId,
    all: &Rows,
) {
    let counted = rows.coverage(tenant_id, now()).await.unwrap();
    let number = |count: usize| i64::try_from(count).unwrap();
    let of = |holds: &dyn Fn(&Connection) -> bool| {
        number(all.staying().filter(|row| holds(row)).count())
    };
    let people = all.people();
    let connected = people.iter().filter(|user| all.has(user)).count();
    assert_eq!(counted.people, number(people.len()));
    assert_eq!(counted.connected, number(connected));
    assert_eq!(counted.connections, of(&|_| true));
    assert_eq!(counted.attention, of(&|row| row.status != "connected"));
    assert_eq!(counted.paused, of(&|row| row.pause.is_some()));
    let working = |row: &Connection| row.status == "connected" && row.pause.is_none();
    assert_eq!(counted.working, of(&working));
    let held = |row: &Connection| row.failing.held_until.is_some_and(|until| until > now());
    assert_eq!(counted.held, of(&held));
    assert_eq!(counted.conflicts, number(all.disputed.len()));
    // Nothing of this is shown where there is nothing to show.
    for some in [
        counted.connected,
        counted.people - counted.connected,
        counted.attention,
        counted.paused,
        counted.held,
        counted.connections - number(all.connections.len()),
    ] {
        assert_ne!(some, 0);
    }

    let without: Vec<UserId> = people
        .iter()
        .filter(|user| !all.has(user))
        .map(|user| user.user_id)
        .collect();
    let mut seen = Vec::new();
    for page in 0..=number(without.len()) / 5 {
        let page = rows.page_unconnected(tenant_id, (5, page * 5)).await;
        seen.extend(page.unwrap().into_iter().map(|person| person.user_id));
    }
    assert_eq!(seen, without);

    let waiting = rows.list_waiting(tenant_id).await.unwrap();
    let told: BTreeSet<_> = waiting
        .iter()
        .map(|one| (one.user_id, one.status.clone(), one.reason.clone()))
        .collect();
    let expected: BTreeSet<_> = all
        .staying()
        .filter(|row| row.status != "connected")
        .map(|row| (row.user_id, row.status.clone(), row.status_reason.clone()))
        .collect();
    assert_eq!((told.len(), told), (waiting.len(), expected));
    let names: Vec<String> = waiting.iter().map(|one| one.owner.to_lowercase()).collect();
    assert!(names.is_sorted());

    let asked = rows.list_asked(tenant_id).await.unwrap();
    let disputed = all
        .staying()
        .filter(|row| all.disputed.contains(&row.connection_id));
    let expected: BTreeSet<UserId> = disputed.map(|row| row.user_id).collect();
    assert_eq!(asked.len(), expected.len());

    let longest = rows.longest_without_sync(tenant_id).await.unwrap().unwrap();
    let expected = all.staying().filter(|row| working(row));
    let expected = expected.filter_map(|row| row.last_sync_at).min();
    assert_eq!(longest.row.last_sync_at, expected);
    assert_eq!(longest.owner, all.owner(&longest.row));
}

#[tokio::test]
async fn on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("test.sqlite3")).await;
    let store = store.unwrap();
    store.migrate().await.unwrap();
    as_a_plain_look_finds(&store).await;
}

#[tokio::test]
async fn on_postgres() {
    let store = PgStore::connect(&testing::database_url().await).await;
    let store = store.unwrap();
    store.migrate().await.unwrap();
    as_a_plain_look_finds(&store).await;
}
