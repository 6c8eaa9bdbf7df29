//! The Enterprise half of an import from a predecessor, into both databases.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use daybind_domain::ids::TenantId;
use daybind_domain::{Consumer, Edition};
use daybind_ee_calendar::{CalendarRuntime, register_endpoints};
use daybind_ee_storage::{Connection, Mapping, calendar};
use daybind_services::import::{self, Mark, Report, Request};
use daybind_services::{CalendarPort as _, Endpoints, Keyring, Services, SystemClock, outbound};
use daybind_storage::{Store, User};
use daybind_storage_postgres::{PgAlga, PgStore, testing};
use daybind_storage_sqlite::SqliteStore;
use secrecy::SecretString;
use sqlx::{Connection as _, Executor as _, PgConnection};
use uuid::Uuid;

fn tenant(n: u128) -> TenantId {
    TenantId(Uuid::from_u128(
        0x0000_0000_0000_4000_8000_0000_0000_00a0 + n,
    ))
}

struct Place {
    services: Services,
    port: CalendarRuntime,
    url: String,
    _dir: tempfile::TempDir,
}

impl Place {
    async fn new(remote: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = if remote {
            Arc::new(
                PgStore::connect(&testing::database_url().await)
                    .await
                    .unwrap(),
            )
        } else {
            Arc::new(SqliteStore::open(&dir.path().join("db")).await.unwrap())
        };
        store.migrate().await.unwrap();
        let url = testing::database_url().await;
        let mut alga = PgConnection::connect(&url).await.unwrap();
        for sql in [
            include_str!("../../../test-support/alga/schema.sql"),
            include_str!("../../../test-support/alga/edge-states.sql"),
            include_str!("../../../test-support/alga/calendars.sql"),
        ] {
            alga.execute(sql).await.unwrap();
        }
        let mut endpoints = Endpoints::from_env(&|_| None).unwrap();
        register_endpoints(&mut endpoints, &|_| None).unwrap();
        let services = Services {
            edition: Edition::Enterprise,
            guides: daybind_ee_calendar::GUIDES,
            wording: daybind_ee_calendar::WORDING,
            store,
            keyring: Arc::new(Keyring::parse(&Keyring::generate()).unwrap()),
            clock: Arc::new(SystemClock),
            public_url: "https://daybind.example".parse().unwrap(),
            http: outbound::client(&endpoints).unwrap(),
            endpoints: Arc::new(endpoints),
            wake: Arc::default(),
            live: daybind_services::live::Live::default(),
            issuers: Arc::default(),
        };
        Self {
            port: CalendarRuntime::new(services.clone()),
            services,
            url,
            _dir: dir,
        }
    }

    async fn import(&self, dry_run: bool) -> Report {
        let mut alga = PgAlga::connect(&self.url).await.unwrap();
        let request = Request {
            from: SecretString::from(self.url.clone()),
            dry_run,
            tenants: Vec::new(),
            into: None,
            secrets: None,
        };
        import::run(&self.services, self.port.import(), &mut alga, &request)
            .await
            .unwrap()
    }

    async fn rows(&self) -> (Vec<Connection>, Vec<Mapping>, Vec<User>) {
        let mut unit = self.services.read(tenant(1)).await.unwrap();
        let people = unit.list_users(tenant(1)).await.unwrap();
        let rows = calendar(unit.as_mut()).unwrap();
        let connections = rows.list_connections(tenant(1)).await.unwrap();
        let mut mappings = Vec::new();
        for connection in &connections {
            let more = rows.list_mappings(tenant(1), connection.connection_id);
            mappings.extend(more.await.unwrap());
        }
        (connections, mappings, people)
    }
}

async fn calendars_come_over(remote: bool) {
    let place = Place::new(remote).await;
    place.import(true).await;
    assert!(place.rows().await.0.is_empty(), "a dry run writes nothing");
    let report = place.import(false).await;
    let text = report.text();
    for (n, code, mark) in [
        (1, "calendar_imported", Mark::Todo),
        (1, "calendar_without_owner", Mark::Left),
        (1, "calendar_never_connected", Mark::Left),
        (1, "entries_left", Mark::Left),
        (1, "person_imported", Mark::Todo),
        // Connected calendars without a binding: bound where one profile only can have served them ...
        (1, "binding_from_use", Mark::Done),
        // ... and left to the operator where several can.
        (3, "binding_ambiguous", Mark::Todo),
        (4, "binding_profile_archived", Mark::Todo),
    ] {
        let found = report.lines.iter().any(|line| {
            line.tenant_id == Some(tenant(n)) && line.code == code && line.mark == mark
        });
        assert!(found, "{n} {code} {mark:?} is not in\n{text}");
    }
    let mut unit = place.services.read(tenant(1)).await.unwrap();
    let bound = unit
        .find_binding(tenant(1), Consumer::Calendar)
        .await
        .unwrap()
        .unwrap();
    drop(unit);
    let first = place.rows().await;
    let (connections, mappings, people) = &first;
    assert_eq!(connections.len(), 1);
    assert_eq!(connections[0].status, "needs_reconnect");
    assert_eq!(connections[0].profile_id, Some(bound.profile_id.0));
    assert_eq!(
        connections[0].refresh_token_sealed, "",
        "tokens stay behind"
    );
    assert_eq!(
        mappings.len(),
        1,
        "no series, nothing private, nothing deleted"
    );
    assert_eq!(mappings[0].external_event_id.as_deref(), Some("event-1"));
    assert_eq!(mappings[0].base, None);
    assert_eq!(people.len(), 1);
    assert_eq!(people[0].email, "Tess@alpha.example");

    let second = place.import(false).await;
    assert_eq!(second.count(Mark::Done), 0, "{}", second.text());
    assert_eq!(first, place.rows().await, "a second run changes nothing");
}

#[tokio::test]
async fn calendars_come_over_sqlite() {
    calendars_come_over(false).await;
}

#[tokio::test]
async fn calendars_come_over_postgres() {
    calendars_come_over(true).await;
}
