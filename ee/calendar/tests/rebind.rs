//! What a change of a binding does to what the old app registration issued, on both databases.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use chrono::{DateTime, Utc};
use daybind_domain::bindings::{ImpactKind, RebindReview};
use daybind_domain::ids::{ConnectionId, ProfileId, UserId};
use daybind_domain::user::{Role, UserType};
use daybind_domain::{Consumer, Edition};
use daybind_ee_calendar::{CalendarRuntime, register_endpoints};
use daybind_ee_storage::{Connection, ConnectionSettings, Failing, Grant, calendar, grants};
use daybind_services::bindings::{self, Change};
use daybind_services::{
    Actor, Endpoints, Keyring, Services, SystemClock, auth, demo, outbound, profiles,
};
use daybind_storage::{Scope, Store, User};
use daybind_storage_postgres::{PgStore, testing};
use daybind_storage_sqlite::SqliteStore;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;
use uuid::Uuid;

macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                let files = tempfile::tempdir().unwrap();
                let store = super::SqliteStore::open(&files.path().join("db")).await.unwrap();
                super::$name(super::World::new(std::sync::Arc::new(store)).await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                let url = super::testing::database_url().await;
                let store = super::PgStore::connect(&url).await.unwrap();
                super::$name(super::World::new(std::sync::Arc::new(store)).await).await;
            })+
        }
    };
}

on_both! {
    connections_of_another_app_wait_and_come_back,
    calendars_of_one_account_are_one_thing_to_do,
    the_same_app_under_another_name_changes_nothing,
    unbinding_stops_and_binding_revives,
    a_connection_made_again_meanwhile_stays,
    installed_packages_and_mailboxes_follow_the_binding,
}

struct World {
    services: Services,
    port: CalendarRuntime,
    admin: Actor,
    tess: UserId,
    /// Two app registrations, and a second profile for the first.
    one: ProfileId,
    two: ProfileId,
    twin: ProfileId,
}

const APP_ONE: &str = "11111111-1111-4111-8111-111111111111";
const APP_TWO: &str = "22222222-2222-4222-8222-222222222222";
const DIRECTORY: &str = "contoso.example";

impl World {
    async fn new(store: Arc<dyn Store>) -> Self {
        store.migrate().await.unwrap();
        let mut endpoints = Endpoints::from_env(&|_| None).unwrap();
        register_endpoints(&mut endpoints, &|_| None).unwrap();
        let services = Services {
            edition: Edition::Enterprise,
            guides: daybind_ee_calendar::GUIDES,
            wording: daybind_ee_calendar::WORDING,
            store,
            keyring: Arc::new(Keyring::parse(&Keyring::generate()).unwrap()),
            clock: Arc::new(SystemClock),
            public_url: Url::parse("http://127.0.0.1:3000").unwrap(),
            http: outbound::client(&endpoints).unwrap(),
            endpoints: Arc::new(endpoints),
            wake: Arc::default(),
            live: daybind_services::live::Live::default(),
            issuers: Arc::default(),
        };
        demo::seed(&services).await.unwrap();
        let password = SecretString::from(demo::PASSWORD);
        let cookie = auth::sign_in(
            &services,
            "admin@demo.daybind.test",
            password,
            &auth::Client::default(),
        )
        .await
        .unwrap();
        let admin = auth::authenticate(&services, cookie.expose_secret(), None)
            .await
            .unwrap()
            .unwrap();
        let mut unit = services.read(demo::TENANT).await.unwrap();
        let users: Vec<User> = unit.list_users(demo::TENANT).await.unwrap();
        let is_technician =
            |user: &&User| user.user_type == UserType::Internal && user.role == Role::Technician;
        let tess = users.iter().find(is_technician).unwrap().user_id;
        drop(unit);
        let port = CalendarRuntime::new(services.clone());
        let mut world = Self {
            services,
            port,
            admin,
            tess,
            one: ProfileId(Uuid::nil()),
            two: ProfileId(Uuid::nil()),
            twin: ProfileId(Uuid::nil()),
        };
        world.one = world.profile("One", APP_ONE).await;
        world.two = world.profile("Two", APP_TWO).await;
        world.twin = world.profile("Twin", APP_ONE).await;
        for consumer in ["msp_sso", "email", "calendar", "teams"] {
            world.bind(consumer, Some(world.one)).await;
        }
        world
    }

    async fn profile(&self, name: &str, client_id: &str) -> ProfileId {
        let input = profiles::ProfileInput {
            display_name: name.to_owned(),
            client_id: client_id.to_owned(),
            directory_id: DIRECTORY.to_owned(),
            cloud: String::new(),
            client_secret: SecretString::from("long-enough-to-be-a-secret"),
            secret_expires_on: String::new(),
        };
        profiles::create(&self.services, &self.admin, input)
            .await
            .unwrap()
    }

    async fn review(&self, consumer: &str, to: Option<ProfileId>) -> RebindReview {
        let to = to.map(|id| id.to_string()).unwrap_or_default();
        bindings::review(&self.services, &self.port, &self.admin, consumer, &to)
            .await
            .unwrap()
    }

    async fn bind(&self, consumer: &str, to: Option<ProfileId>) {
        let review = self.review(consumer, to).await;
        let to = to.map(|id| id.to_string()).unwrap_or_default();
        let wanted = Change {
            consumer,
            profile_id: &to,
            seen: Some(&review.seen),
            ..Change::default()
        };
        bindings::change(&self.services, &self.port, &self.admin, wanted)
            .await
            .unwrap();
    }

    async fn undo(&self, consumer: &str) {
        let board = bindings::board(&self.services, &self.admin).await.unwrap();
        let row = board.rows.iter().find(|row| row.consumer == consumer);
        let token = row.unwrap().undo.as_ref().unwrap().token.clone();
        bindings::undo(&self.services, &self.port, &self.admin, consumer, &token)
            .await
            .unwrap();
    }

    async fn connect(&self, provider: &str, email: &str, status: &str) -> ConnectionId {
        let connection_id = ConnectionId(Uuid::now_v7());
        let now = self.services.now();
        let microsoft = provider == "microsoft";
        let row = Connection {
            tenant_id: demo::TENANT,
            connection_id,
            user_id: self.tess,
            provider: provider.to_owned(),
            account_id: email.to_owned(),
            account_email: email.to_owned(),
            calendar_id: Some(connection_id.to_string()),
            calendar_name: Some("Calendar".to_owned()),
            status: status.to_owned(),
            status_reason: (status == "error").then(|| "quota".to_owned()),
            direction: "bidirectional".to_owned(),
            profile_id: microsoft.then_some(self.one.0),
            client_id: if microsoft { APP_ONE } else { "google" }.to_owned(),
            cloud: daybind_domain::Cloud::Global,
            access_token_sealed: "sealed".to_owned(),
            access_token_expires_at: now,
            refresh_token_sealed: "sealed".to_owned(),
            cursor: Some("delta".to_owned()),
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
            generation: 1,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        let mut unit = self.services.begin(demo::TENANT).await.unwrap();
        calendar(unit.as_mut())
            .unwrap()
            .add_connection(&row)
            .await
            .unwrap();
        unit.save().await.unwrap();
        connection_id
    }

    async fn connection(&self, id: ConnectionId) -> Connection {
        let mut unit = self.services.read(demo::TENANT).await.unwrap();
        let rows = calendar(unit.as_mut()).unwrap();
        rows.find_connection(demo::TENANT, id)
            .await
            .unwrap()
            .unwrap()
    }

    async fn status(&self, id: ConnectionId) -> (String, Option<String>) {
        let row = self.connection(id).await;
        (row.status, row.status_reason)
    }

    async fn others(&self) -> Vec<(Consumer, ProfileId, DateTime<Utc>)> {
        let mut unit = self.services.read(demo::TENANT).await.unwrap();
        let rows = unit.list_bindings(demo::TENANT).await.unwrap();
        rows.into_iter()
            .filter(|row| row.consumer != Consumer::Calendar)
            .map(|row| (row.consumer, row.profile_id, row.updated_at))
            .collect()
    }
}

fn status(word: &str, reason: Option<&str>) -> (String, Option<String>) {
    (word.to_owned(), reason.map(str::to_owned))
}

/// Microsoft connections of another app wait for their owners, nothing else is touched, and undo puts each back exactly
/// as it was (W66, W68).
async fn connections_of_another_app_wait_and_come_back(w: World) {
    let outlook = w
        .connect("microsoft", "t@contoso.example", "connected")
        .await;
    let paused = w.connect("microsoft", "p@contoso.example", "paused").await;
    let google = w.connect("google", "t@gmail.example", "connected").await;
    let others = w.others().await;

    let review = w.review("calendar", Some(w.two)).await;
    assert!(!review.same_app && review.refused.is_empty());
    let lines = review.impact.unwrap();
    assert_eq!(
        lines[0].kind,
        ImpactKind::MustAct,
        "the urgent comes first: {lines:?}"
    );
    assert_eq!(lines[0].count, 2);
    assert!(
        lines[0]
            .names
            .iter()
            .any(|n| n.contains("t@contoso.example"))
    );
    assert!(!format!("{lines:?}").contains("gmail"));
    assert_eq!(w.status(outlook).await, status("connected", None));

    w.bind("calendar", Some(w.two)).await;
    for id in [outlook, paused] {
        let waits = status("needs_reconnect", Some("client_changed"));
        assert_eq!(w.status(id).await, waits);
    }
    let kept = w.connection(outlook).await;
    assert_eq!(
        (kept.refresh_token_sealed.as_str(), kept.cursor.as_deref()),
        ("sealed", Some("delta")),
        "nothing is thrown away"
    );
    assert_eq!(w.status(google).await, status("connected", None));
    assert_eq!(w.others().await, others);

    w.undo("calendar").await;
    assert_eq!(w.status(outlook).await, status("connected", None));
    assert_eq!(w.status(paused).await, status("paused", None));
    assert_eq!(w.others().await, others);
    // What works again has its catching up queued in the same transaction.
    let (now, port) = (w.services.now(), &w.port);
    let mut unit = w.services.store.begin(Scope::System).await.unwrap();
    let kinds = daybind_services::CalendarPort::job_kinds(port);
    let jobs = unit.claim_jobs(kinds, 20, now, now).await.unwrap();
    assert!(!jobs.is_empty());
}

/// W55: two calendars of one account wait both, and one consent heals them: that is one thing to do. Where they work on each
/// is named by its calendar.
async fn calendars_of_one_account_are_one_thing_to_do(w: World) {
    let first = w
        .connect("microsoft", "t@contoso.example", "connected")
        .await;
    let second = w
        .connect("microsoft", "t@contoso.example", "connected")
        .await;
    w.connect("microsoft", "o@contoso.example", "connected")
        .await;
    let mut row = w.connection(second).await;
    row.calendar_name = Some("Field service".to_owned());
    let mut unit = w.services.begin(demo::TENANT).await.unwrap();
    let rows = calendar(unit.as_mut()).unwrap();
    rows.update_connection(&row).await.unwrap();
    unit.save().await.unwrap();

    let lines = w.review("calendar", Some(w.two)).await.impact.unwrap();
    assert_eq!((lines[0].kind, lines[0].count), (ImpactKind::MustAct, 2));
    assert!(
        lines[0]
            .names
            .iter()
            .any(|name| name.ends_with("(t@contoso.example)"))
    );
    let lines = w.review("calendar", Some(w.twin)).await.impact.unwrap();
    assert_eq!((lines[0].kind, lines[0].count), (ImpactKind::Keeps, 3));
    let mut ends: Vec<_> = lines[0]
        .names
        .iter()
        .map(|name| name.split_once('(').unwrap().1)
        .collect();
    ends.sort_unstable();
    assert_eq!(
        ends,
        [
            "o@contoso.example)",
            "t@contoso.example): Calendar",
            "t@contoso.example): Field service"
        ]
    );
    w.bind("calendar", Some(w.two)).await;
    for id in [first, second] {
        let waits = status("needs_reconnect", Some("client_changed"));
        assert_eq!(w.status(id).await, waits);
    }
    w.undo("calendar").await;
    for id in [first, second] {
        assert_eq!(w.status(id).await, status("connected", None));
    }
}

/// Same client and directory: the review says that nobody reconnects, and nobody has to (W66).
async fn the_same_app_under_another_name_changes_nothing(w: World) {
    let outlook = w
        .connect("microsoft", "t@contoso.example", "connected")
        .await;
    let review = w.review("calendar", Some(w.twin)).await;
    assert!(review.same_app);
    let lines = review.impact.unwrap();
    assert!(
        lines.iter().all(|line| line.kind == ImpactKind::Keeps),
        "{lines:?}"
    );
    w.bind("calendar", Some(w.twin)).await;
    assert_eq!(w.status(outlook).await, status("connected", None));
}

/// Without a binding connections stop; the next binding of their app wakes them without their owners.
async fn unbinding_stops_and_binding_revives(w: World) {
    let outlook = w
        .connect("microsoft", "t@contoso.example", "connected")
        .await;
    let lines = w.review("calendar", None).await.impact.unwrap();
    assert_eq!(
        (lines[0].kind, lines[0].count),
        (ImpactKind::Invalidated, 1)
    );
    w.bind("calendar", None).await;
    let stopped = status("needs_reconnect", Some("unbound"));
    assert_eq!(w.status(outlook).await, stopped);
    let lines = w.review("calendar", Some(w.one)).await.impact.unwrap();
    assert_eq!((lines[0].kind, lines[0].count), (ImpactKind::Keeps, 1));
    w.bind("calendar", Some(w.one)).await;
    assert_eq!(w.status(outlook).await, status("connected", None));
}

/// Undo leaves alone what its owner has connected anew since, and what failed before the change fails after it.
async fn a_connection_made_again_meanwhile_stays(w: World) {
    let again = w
        .connect("microsoft", "t@contoso.example", "connected")
        .await;
    let broken = w.connect("microsoft", "b@contoso.example", "error").await;
    w.bind("calendar", Some(w.two)).await;
    let mut row = w.connection(again).await;
    row.client_id = APP_TWO.to_owned();
    row.profile_id = Some(w.two.0);
    row.generation += 1;
    row.status = "connected".to_owned();
    row.status_reason = None;
    let mut unit = w.services.begin(demo::TENANT).await.unwrap();
    calendar(unit.as_mut())
        .unwrap()
        .update_connection(&row)
        .await
        .unwrap();
    unit.save().await.unwrap();
    w.undo("calendar").await;
    // Its tokens are the other app's now.
    let waits = status("needs_reconnect", Some("client_changed"));
    assert_eq!(w.status(again).await, waits);
    assert_eq!(w.status(broken).await, status("error", Some("quota")));
}

/// Teams packages and mailboxes of another app go stale with the binding, in one transaction, and come back (W64).
async fn installed_packages_and_mailboxes_follow_the_binding(w: World) {
    let grant = |consumer, subject: &str| Grant {
        tenant_id: demo::TENANT,
        consumer,
        subject: subject.to_owned(),
        state: "active".to_owned(),
        client_id: APP_ONE.to_owned(),
        directory_id: DIRECTORY.to_owned(),
        cloud: daybind_domain::Cloud::Global,
        updated_at: w.services.now(),
    };
    let mut unit = w.services.begin(demo::TENANT).await.unwrap();
    let rows = grants(unit.as_mut()).unwrap();
    rows.save_grant(&grant(Consumer::Teams, "Daybind app"))
        .await
        .unwrap();
    rows.save_grant(&grant(Consumer::Email, "help@contoso.example"))
        .await
        .unwrap();
    unit.save().await.unwrap();
    let state = |consumer| {
        let services = &w.services;
        async move {
            let mut unit = services.read(demo::TENANT).await.unwrap();
            let rows = grants(unit.as_mut()).unwrap();
            rows.list_grants(demo::TENANT, consumer).await.unwrap()[0]
                .state
                .clone()
        }
    };
    let lines = w.review("teams", Some(w.two)).await.impact.unwrap();
    assert_eq!(lines[0].kind, ImpactKind::Invalidated);
    let lines = w.review("email", Some(w.two)).await.impact.unwrap();
    assert_eq!(lines[0].names, ["help@contoso.example"]);
    w.bind("teams", Some(w.two)).await;
    assert_eq!(state(Consumer::Teams).await, "stale");
    assert_eq!(state(Consumer::Email).await, "active", "another consumer's");
    w.undo("teams").await;
    assert_eq!(state(Consumer::Teams).await, "active");
    w.bind("email", Some(w.two)).await;
    assert_eq!(state(Consumer::Email).await, "stale");
    w.bind("email", Some(w.twin)).await;
    assert_eq!(state(Consumer::Email).await, "active");
}
