//! The runtime against both stand-in providers, on both databases: connecting, changes in both directions, deletions,
//! lost answers, lost cursors, lost access, notifications.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use daybind_domain::Edition;
use daybind_domain::ids::EntryId;
use daybind_domain::schedule::{EntryContent, EntryStatus, When};
use daybind_ee_calendar::{CalendarRuntime, register_endpoints};
use daybind_fakes::{
    DuplicateTransaction, FakeOptions, FakeProviders, Fault, FaultKind, Provider as Fake,
};
use daybind_services::{
    Actor, CalendarPort, Clock, Endpoints, EntryChange, Keyring, Provider, Services, StableRoute,
    SystemClock, auth, bindings, demo, outbound, profiles,
};
use daybind_storage::{Entry, FinishJob, NewEntry, Scope, Store, User};
use daybind_storage_postgres::PgStore;
use daybind_storage_sqlite::SqliteStore;
use secrecy::SecretString;
use serde_json::{Value, json};
use url::Url;

/// The computer's clock, moved on by hand.
#[derive(Default)]
struct ShiftedClock(std::sync::atomic::AtomicI64);

impl Clock for ShiftedClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + TimeDelta::seconds(self.0.load(std::sync::atomic::Ordering::Relaxed))
    }
}

struct World {
    fakes: FakeProviders,
    services: Services,
    port: Arc<CalendarRuntime>,
    clock: Arc<ShiftedClock>,
    admin: Actor,
    tess: Actor,
    provider: Provider,
    fake: Fake,
    calendar: String,
    _files: tempfile::TempDir,
}

#[derive(Clone, Copy, PartialEq)]
enum Database {
    Sqlite,
    Postgres,
}

async fn actor(services: &Services, email: &str) -> Actor {
    let client = auth::Client::default();
    let cookie = auth::sign_in(services, email, SecretString::from(demo::PASSWORD), &client)
        .await
        .unwrap();
    use secrecy::ExposeSecret as _;
    auth::authenticate(services, cookie.expose_secret(), None)
        .await
        .unwrap()
        .unwrap()
}

impl World {
    async fn new(database: Database, provider: Provider, duplicate: DuplicateTransaction) -> Self {
        let files = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = match database {
            Database::Sqlite => {
                Arc::new(SqliteStore::open(&files.path().join("db")).await.unwrap())
            }
            Database::Postgres => {
                let url = daybind_storage_postgres::testing::database_url().await;
                Arc::new(PgStore::connect(&url).await.unwrap())
            }
        };
        store.migrate().await.unwrap();
        let http = outbound::client().unwrap();
        let options = FakeOptions {
            auto_approve: true,
            duplicate_transaction: duplicate,
            ..FakeOptions::default()
        };
        let fakes = FakeProviders::start(options.clone()).unwrap();
        let env = fakes.env();
        let get = |name: &str| {
            env.iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.clone())
        };
        let mut endpoints = Endpoints::from_env(&get).unwrap();
        register_endpoints(&mut endpoints, &get).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let public_url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let clock = Arc::new(ShiftedClock::default());
        let services = Services {
            edition: Edition::Enterprise,
            guides: daybind_ee_calendar::GUIDES,
            store,
            keyring: Arc::new(Keyring::parse(&Keyring::generate()).unwrap()),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            public_url,
            endpoints: Arc::new(endpoints),
            http,
            issuers: Arc::default(),
            wake: Arc::default(),
        };
        demo::seed(&services).await.unwrap();
        let port = Arc::new(CalendarRuntime::new(services.clone()));
        let serving = Arc::clone(&port);
        let app = Router::new().fallback(move |request: Request<Body>| {
            let port = Arc::clone(&serving);
            async move {
                let route = StableRoute::ALL
                    .into_iter()
                    .find(|route| route.path() == request.uri().path())
                    .unwrap();
                port.serve(route, request).await
            }
        });
        tokio::spawn(async move { axum::serve(listener, app).await });
        let admin = actor(&services, "admin@demo.daybind.test").await;
        let tess = actor(&services, "tess@demo.daybind.test").await;
        set_up(&services, port.as_ref(), &admin, &options).await;
        let fake = match provider {
            Provider::Google => Fake::Google,
            Provider::Microsoft => Fake::Microsoft,
        };
        let mut world = Self {
            fakes,
            services,
            port,
            clock,
            admin,
            tess,
            provider,
            fake,
            calendar: String::new(),
            _files: files,
        };
        world.connect().await;
        world
    }

    async fn authorize(&self, actor: &Actor, connection: Option<&str>) -> Response {
        let start = self
            .port
            .initiate_calendar_oauth(actor, self.provider.as_str(), connection)
            .await
            .unwrap();
        let answer = self.services.http.get(start).send().await.unwrap();
        let back = answer.headers()["location"].to_str().unwrap().to_owned();
        self.call_back(Some(actor), &back).await
    }

    async fn call_back(&self, actor: Option<&Actor>, back: &str) -> Response {
        let mut request = Request::get(back).body(Body::empty()).unwrap();
        request.extensions_mut().insert(actor.cloned());
        self.port
            .serve(StableRoute::Callback(self.provider), request)
            .await
    }

    async fn connect(&mut self) {
        let done = self.authorize(&self.tess, None).await;
        assert_eq!(done.status(), StatusCode::SEE_OTHER);
        let target = location(&done);
        assert!(
            target.starts_with("/msp/profile?tab=calendar&calendarAuth=success&connection="),
            "{target}"
        );
        let id = self.connection().await;
        let calendars = self
            .port
            .list_remote_calendars(&self.tess, &id)
            .await
            .unwrap();
        assert!(calendars[0].is_primary && calendars.iter().any(|calendar| !calendar.can_write));
        self.calendar.clone_from(&calendars[0].calendar_id);
        self.port
            .update_calendar_provider(&self.tess, &id, Some(&self.calendar), None)
            .await
            .unwrap();
        self.drain().await;
        assert_eq!(self.status().await, "connected");
    }

    async fn connection(&self) -> String {
        self.port
            .get_calendar_providers(&self.tess)
            .await
            .unwrap()
            .connections[0]
            .connection_id
            .clone()
    }

    async fn status(&self) -> String {
        self.port
            .get_calendar_providers(&self.tess)
            .await
            .unwrap()
            .connections[0]
            .status
            .clone()
    }

    /// Runs every job that is due, failed ones again at their time.
    ///
    /// A claim passes over a job whose row a notification is just poking (`SKIP LOCKED`; the worker looks again within
    /// a second), so the queue counts as empty only once no notification is on its way.
    async fn drain(&self) {
        for _ in 0..50 {
            assert!(self.fakes.settle(std::time::Duration::from_secs(20)).await);
            let now = self.services.now();
            let mut unit = self.services.store.begin(Scope::System).await.unwrap();
            let jobs = unit
                .claim_jobs(self.port.job_kinds(), 10, now, now + TimeDelta::seconds(60))
                .await
                .unwrap();
            unit.save().await.unwrap();
            if jobs.is_empty() {
                return;
            }
            for job in jobs {
                let outcome = self.port.run_job(&job).await;
                if let FinishJob::Retry { at, .. } = &outcome {
                    let wait = (*at - self.services.now()).num_seconds() + 1;
                    self.clock
                        .0
                        .fetch_add(wait, std::sync::atomic::Ordering::Relaxed);
                }
                let mut unit = self.services.store.begin(Scope::System).await.unwrap();
                unit.finish_job(&job, &outcome, self.services.now())
                    .await
                    .unwrap();
                unit.save().await.unwrap();
            }
        }
        panic!("jobs never end");
    }

    async fn sync(&self) {
        self.port
            .sync_calendar_provider(&self.tess, &self.connection().await)
            .await
            .unwrap();
        self.drain().await;
    }

    async fn add(&self, title: &str) -> EntryId {
        let start = self.services.now() + TimeDelta::days(2);
        let start = start.date_naive().and_hms_opt(9, 0, 0).unwrap().and_utc();
        let entry = NewEntry {
            tenant_id: demo::TENANT,
            entry_id: EntryId(self.services.new_id()),
            content: EntryContent {
                title: title.to_owned(),
                notes: "Bring <cables>\nand \"labels\"".to_owned(),
                location: "Hall 3".to_owned(),
                when: When::Timed {
                    start,
                    end: start + TimeDelta::hours(1),
                    zone: "Europe/Berlin".to_owned(),
                },
                status: EntryStatus::Scheduled,
            },
            assignees: vec![self.tess.user_id()],
            created_by: self.admin.user_id(),
        };
        let mut unit = self.services.begin(demo::TENANT).await.unwrap();
        unit.add_entry(&entry, self.services.now()).await.unwrap();
        let people = entry.assignees.clone();
        let change = EntryChange {
            tenant_id: demo::TENANT,
            entry_id: entry.entry_id,
            people,
        };
        self.port
            .entry_changed(unit.as_mut(), &change)
            .await
            .unwrap();
        unit.save().await.unwrap();
        entry.entry_id
    }

    async fn entry(&self, id: EntryId) -> Entry {
        self.services
            .read(demo::TENANT)
            .await
            .unwrap()
            .find_entry(demo::TENANT, id)
            .await
            .unwrap()
            .unwrap()
    }

    async fn edit(&self, id: EntryId, with: impl FnOnce(&mut Entry)) {
        let mut entry = self.entry(id).await;
        let mut people = entry.assignees.clone();
        with(&mut entry);
        people.extend(entry.assignees.clone());
        people.dedup();
        let mut unit = self.services.begin(demo::TENANT).await.unwrap();
        unit.update_entry(&entry, self.services.now())
            .await
            .unwrap();
        let change = EntryChange {
            tenant_id: demo::TENANT,
            entry_id: id,
            people,
        };
        self.port
            .entry_changed(unit.as_mut(), &change)
            .await
            .unwrap();
        unit.save().await.unwrap();
    }

    fn named(&self, title: &str) -> Vec<Value> {
        let key = self.key("title");
        self.fakes
            .events(self.fake, &self.calendar)
            .into_iter()
            .filter(|event| event[key] == title)
            .collect()
    }

    fn key(&self, what: &str) -> &'static str {
        match (self.provider, what) {
            (Provider::Google, "title") => "summary",
            (Provider::Microsoft, "title") => "subject",
            _ => "location",
        }
    }

    fn outside(&self, event: &Value, patch: &Value) {
        self.fakes
            .patch_event(
                self.fake,
                &self.calendar,
                event["id"].as_str().unwrap(),
                patch,
            )
            .unwrap();
    }

    /// Answers the one open question of the connection.
    async fn answer(&self, part: &str, choice: &str) {
        let view = self.port.get_calendar_providers(&self.tess).await.unwrap();
        let connection = &view.connections[0];
        let question = &connection.questions[0];
        self.port
            .answer_calendar_question(
                &self.tess,
                &connection.connection_id,
                &question.question_id,
                part,
                choice,
            )
            .await
            .unwrap();
    }

    async fn mark(&self, id: EntryId) -> String {
        let marks = self
            .port
            .get_schedule_entry_sync_status(&self.tess, &[id])
            .await
            .unwrap();
        marks[0].clone().unwrap().state
    }

    fn operation(&self, google: &str, microsoft: &str) -> String {
        match self.provider {
            Provider::Google => google.to_owned(),
            Provider::Microsoft => microsoft.to_owned(),
        }
    }
}

async fn set_up(services: &Services, port: &CalendarRuntime, admin: &Actor, options: &FakeOptions) {
    let google = &options.google;
    port.save_google_client(admin, &google.client_id, &google.client_secret)
        .await
        .unwrap();
    let microsoft = &options.microsoft;
    let input = profiles::ProfileInput {
        display_name: "Calendar".to_owned(),
        client_id: microsoft.client_id.clone(),
        directory_id: microsoft.tenant_id.clone(),
        client_secret: SecretString::from(microsoft.client_secret.clone()),
        secret_expires_on: String::new(),
    };
    let profile = profiles::create(services, admin, input).await.unwrap();
    bindings::set_binding(services, port, admin, "calendar", &profile.to_string())
        .await
        .unwrap();
}

fn location(response: &Response) -> String {
    response.headers()["location"].to_str().unwrap().to_owned()
}

/// Creates, edits on both sides, conflict, deletions; nothing is ever made twice.
async fn both_ways(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let id = w.add("Replace switch").await;
    w.drain().await;
    let made = w.named("Replace switch");
    assert_eq!(made.len(), 1);
    assert!(made[0]["attendees"].as_array().is_none_or(Vec::is_empty));
    assert_eq!(w.mark(id).await, "synced");
    let version = w.entry(id).await.version;
    w.sync().await;
    w.sync().await;
    assert_eq!(
        (w.named("Replace switch").len(), w.entry(id).await.version),
        (1, version),
        "an echo changes nothing"
    );

    // One field each, at the same time: both survive.
    w.outside(
        &made[0],
        &json!({ w.key("title"): "Replace both switches" }),
    );
    w.edit(id, |entry| entry.content.location = "Hall 4".to_owned())
        .await;
    w.drain().await;
    assert_eq!(w.entry(id).await.content.title, "Replace both switches");
    let there = w.named("Replace both switches");
    assert!(
        there[0]["location"].to_string().contains("Hall 4"),
        "{}",
        there[0]
    );
    assert_eq!(w.mark(id).await, "synced");

    // The same field differently: neither is overwritten, and the user is told.
    w.outside(&there[0], &json!({ w.key("title"): "Theirs" }));
    w.edit(id, |entry| entry.content.title = "Ours".to_owned())
        .await;
    w.drain().await;
    assert_eq!(
        (w.mark(id).await.as_str(), w.named("Theirs").len()),
        ("conflict", 1)
    );
    assert_eq!(w.entry(id).await.content.title, "Ours");
    w.edit(id, |entry| entry.content.title = "Theirs".to_owned())
        .await;
    w.drain().await;
    assert_eq!(w.mark(id).await, "synced");

    // Whole days come back as whole days.
    let (start, end) = ("2027-03-01".parse().unwrap(), "2027-03-03".parse().unwrap());
    w.edit(id, |entry| entry.content.when = When::AllDay { start, end })
        .await;
    w.drain().await;
    let now = w.named("Theirs")[0].clone();
    w.outside(&now, &json!({ w.key("title"): "Whole days" }));
    w.sync().await;
    assert_eq!(w.entry(id).await.content.when, When::AllDay { start, end });

    // Deleted there, and nobody else does it: the work stays until somebody says what becomes of it.
    let gone = w.named("Whole days")[0]["id"].as_str().unwrap().to_owned();
    w.fakes.delete_event(w.fake, &w.calendar, &gone).unwrap();
    w.sync().await;
    w.sync().await;
    assert!(w.named("Whole days").is_empty());
    assert_eq!(
        (w.entry(id).await.deleted_at, w.mark(id).await.as_str()),
        (None, "conflict")
    );
    w.answer("all", "put_back").await;
    w.drain().await;
    assert_eq!(
        (w.named("Whole days").len(), w.mark(id).await.as_str()),
        (1, "synced")
    );
    let gone = w.named("Whole days")[0]["id"].as_str().unwrap().to_owned();
    w.fakes.delete_event(w.fake, &w.calendar, &gone).unwrap();
    w.sync().await;
    w.answer("all", "cancel").await;
    w.drain().await;
    assert_eq!(w.entry(id).await.content.status, EntryStatus::Cancelled);
    assert!(w.named("Whole days").is_empty());

    // Deleted here: deleted there. Unassigned: deleted there. Assigned again: one new copy.
    let second = w.add("Second").await;
    w.drain().await;
    let tom = actor(&w.services, "tom@demo.daybind.test").await;
    w.edit(second, |entry| entry.assignees = vec![tom.user_id()])
        .await;
    w.drain().await;
    assert!(w.named("Second").is_empty());
    let tess = w.tess.user_id();
    w.edit(second, |entry| entry.assignees = vec![tess, tom.user_id()])
        .await;
    w.drain().await;
    assert_eq!(w.named("Second").len(), 1);
    // Deleted there while somebody else does it too: only the technician is taken off.
    let copy = w.named("Second")[0]["id"].as_str().unwrap().to_owned();
    w.fakes.delete_event(w.fake, &w.calendar, &copy).unwrap();
    w.sync().await;
    let left = w.entry(second).await;
    assert_eq!(
        (left.assignees, left.deleted_at),
        (vec![tom.user_id()], None)
    );
    let third = w.add("Third").await;
    w.drain().await;
    w.edit(third, |entry| entry.deleted_at = Some(Utc::now()))
        .await;
    w.drain().await;
    assert!(w.named("Third").is_empty());
}

/// Lost answers, lost cursors, revoked tokens and push notifications.
async fn adversity(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Conflict).await;
    let create = w.operation("google.events.insert", "microsoft.events.create");
    w.fakes.arm(Fault {
        operation: create.clone(),
        count: 2,
        kind: FaultKind::DropAfter,
    });
    let id = w.add("Lost answer").await;
    w.drain().await;
    assert_eq!(
        (w.named("Lost answer").len(), w.mark(id).await.as_str()),
        (1, "synced")
    );

    let throttled = FaultKind::Status {
        status: 429,
        retry_after: Some(3),
        reason: None,
    };
    w.fakes.arm(Fault {
        operation: create,
        count: 1,
        kind: throttled,
    });
    w.add("Throttled").await;
    w.drain().await;
    assert_eq!(w.named("Throttled").len(), 1);

    // The cursor is lost while one event is edited and another deleted.
    let other = w.add("To be deleted").await;
    w.drain().await;
    w.outside(
        &w.named("Lost answer")[0].clone(),
        &json!({ w.key("title"): "Edited" }),
    );
    let gone = w.named("To be deleted")[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    w.fakes.delete_event(w.fake, &w.calendar, &gone).unwrap();
    w.fakes.expire_sync_tokens(w.fake);
    w.sync().await;
    assert_eq!(w.entry(id).await.content.title, "Edited");
    assert_eq!(w.mark(other).await, "conflict");
    assert!(w.entry(other).await.deleted_at.is_none());
    assert!(w.entry(id).await.deleted_at.is_none());

    // Access tokens that end early are refreshed without anybody noticing.
    w.fakes.expire_access_tokens(w.fake);
    w.sync().await;
    assert_eq!(w.status().await, "connected");

    // A change outside reaches us by itself, through the webhook.
    assert_eq!(w.fakes.subscriptions(w.fake).len(), 1);
    w.outside(
        &w.named("Edited")[0].clone(),
        &json!({ w.key("title"): "Pushed" }),
    );
    for _ in 0..100 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        w.drain().await;
        if w.entry(id).await.content.title == "Pushed" {
            break;
        }
    }
    assert_eq!(w.entry(id).await.content.title, "Pushed");

    // Access taken away: the user is asked to reconnect, and nothing is lost.
    w.fakes.revoke_grants(w.fake);
    w.sync().await;
    assert_eq!(w.status().await, "needs_reconnect");
    let waiting = w.add("Meanwhile").await;
    w.drain().await;
    let connection = w.connection().await;
    let done = w.authorize(&w.tess, Some(&connection)).await;
    assert!(location(&done).contains("calendarAuth=success"));
    w.drain().await;
    assert_eq!(
        (w.status().await.as_str(), w.mark(waiting).await.as_str()),
        ("connected", "synced")
    );
    assert_eq!(w.named("Pushed").len(), 1);

    // Disconnected with removal: no copy, no subscription, no row.
    w.port
        .delete_calendar_provider(&w.tess, &connection, true)
        .await
        .unwrap();
    w.drain().await;
    assert!(w.named("Pushed").is_empty() && w.named("Meanwhile").is_empty());
    assert!(w.fakes.subscriptions(w.fake).is_empty());
    assert!(
        w.port
            .get_calendar_providers(&w.tess)
            .await
            .unwrap()
            .connections
            .is_empty()
    );
    assert!(w.entry(id).await.deleted_at.is_none());
}

macro_rules! on_both {
    ($($name:ident: $run:ident($database:ident, $provider:ident);)+) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            $run(Database::$database, Provider::$provider).await;
        }
    )+};
}

on_both! {
    google_both_ways_on_sqlite: both_ways(Sqlite, Google);
    google_both_ways_on_postgres: both_ways(Postgres, Google);
    microsoft_both_ways_on_sqlite: both_ways(Sqlite, Microsoft);
    microsoft_both_ways_on_postgres: both_ways(Postgres, Microsoft);
    google_adversity_on_sqlite: adversity(Sqlite, Google);
    google_adversity_on_postgres: adversity(Postgres, Google);
    microsoft_adversity_on_sqlite: adversity(Sqlite, Microsoft);
    microsoft_adversity_on_postgres: adversity(Postgres, Microsoft);
}

#[tokio::test(flavor = "multi_thread")]
async fn callbacks_are_single_use_and_belong_to_their_session() {
    let w = World::new(
        Database::Sqlite,
        Provider::Google,
        DuplicateTransaction::Existing,
    )
    .await;
    let outcome = |response: &Response| location(response).rsplit('=').next().unwrap().to_owned();
    let path = StableRoute::Callback(Provider::Google).path();
    assert_eq!(
        outcome(&w.call_back(Some(&w.tess), path).await),
        "missing_parameters"
    );
    let forged = format!("{path}?code=x&state=y");
    assert_eq!(
        outcome(&w.call_back(Some(&w.tess), &forged).await),
        "invalid_state"
    );
    let tom = actor(&w.services, "tom@demo.daybind.test").await;
    for (who, expected) in [
        (None, "invalid_state"),
        (Some(&w.admin), "invalid_state"),
        (Some(&tom), "already_connected"),
    ] {
        let start = w
            .port
            .initiate_calendar_oauth(&tom, "google", None)
            .await
            .unwrap();
        let answer = w.services.http.get(start).send().await.unwrap();
        let back = answer.headers()["location"].to_str().unwrap().to_owned();
        assert_eq!(outcome(&w.call_back(who, &back).await), expected);
        if who.is_some() {
            assert_eq!(
                outcome(&w.call_back(Some(&tom), &back).await),
                "invalid_state",
                "used up"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_answer_alike_and_shake_hands() {
    let w = World::new(
        Database::Sqlite,
        Provider::Microsoft,
        DuplicateTransaction::Existing,
    )
    .await;
    let route = StableRoute::Webhook(Provider::Microsoft);
    let post = |query: &str, body: String| {
        let request = Request::post(format!("{}{query}", route.path()))
            .body(Body::from(body))
            .unwrap();
        w.port.serve(route, request)
    };
    let hello = post("?validationToken=a%3A%20b%2B", String::new()).await;
    assert_eq!(hello.headers()["content-type"], "text/plain");
    assert_eq!(
        axum::body::to_bytes(hello.into_body(), 100).await.unwrap(),
        "a: b+"
    );
    let before = jobs_due(&w).await;
    for state in [
        "",
        "x.y.z",
        &format!("{}.{}.secret", demo::TENANT, uuid::Uuid::now_v7()),
    ] {
        let body = json!({ "value": [{ "clientState": state }] }).to_string();
        assert_eq!(post("", body).await.status(), StatusCode::ACCEPTED);
    }
    assert_eq!(
        post("", "not json".to_owned()).await.status(),
        StatusCode::ACCEPTED
    );
    assert_eq!(
        post("", "x".repeat(300 << 10)).await.status(),
        StatusCode::PAYLOAD_TOO_LARGE
    );
    assert_eq!(jobs_due(&w).await, before, "nothing was queued");
}

async fn jobs_due(w: &World) -> usize {
    let now = w.services.now();
    let mut unit = w.services.store.begin(Scope::System).await.unwrap();
    let due = unit
        .claim_jobs(w.port.job_kinds(), 10, now, now)
        .await
        .unwrap()
        .len();
    unit.cancel().await.unwrap();
    due
}

#[tokio::test(flavor = "multi_thread")]
async fn others_connections_and_settings_are_out_of_reach() {
    let w = World::new(
        Database::Sqlite,
        Provider::Google,
        DuplicateTransaction::Existing,
    )
    .await;
    let id = w.connection().await;
    let tom = actor(&w.services, "tom@demo.daybind.test").await;
    assert!(w.port.list_remote_calendars(&tom, &id).await.is_err());
    assert!(
        w.port
            .delete_calendar_provider(&tom, &id, true)
            .await
            .is_err()
    );
    assert!(w.port.save_google_client(&tom, "x", "y").await.is_err());
    assert!(w.port.get_calendar_settings(&tom).await.is_err());
    let client = User {
        user_type: daybind_domain::user::UserType::Client,
        ..tom.user.clone()
    };
    let client = Actor {
        user: client,
        ..tom
    };
    assert!(w.port.get_calendar_providers(&client).await.is_err());
    let settings = w.port.get_calendar_settings(&w.admin).await.unwrap();
    assert_eq!(settings.connections.len(), 1);
    assert!(settings.google_ready && settings.microsoft_profile.is_some());
}

async fn as_if_imported(w: &World) -> String {
    let id = w.connection().await;
    let mut unit = w.services.begin(demo::TENANT).await.unwrap();
    let rows = daybind_ee_storage::calendar(unit.as_mut()).unwrap();
    let mut row = rows
        .find_connection(demo::TENANT, id.parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    row.account_id = format!("import:{id}");
    row.calendar_id = Some("primary".to_owned());
    row.status = "needs_reconnect".to_owned();
    row.status_reason = Some("imported".to_owned());
    row.access_token_sealed = String::new();
    row.refresh_token_sealed = String::new();
    row.cursor = None;
    rows.update_connection(&row).await.unwrap();
    unit.save().await.unwrap();
    id
}

/// A connection that was brought over is taken up by the account that sees its events, and by no other: there every
/// entry would count as deleted.
#[tokio::test]
async fn an_imported_connection_asks_for_proof() {
    for provider in [Provider::Google, Provider::Microsoft] {
        let w = World::new(Database::Sqlite, provider, DuplicateTransaction::Existing).await;
        let entry = w.add("Brought over").await;
        w.drain().await;
        let id = as_if_imported(&w).await;
        let done = w.authorize(&w.tess, Some(&id)).await;
        assert!(
            location(&done).contains("calendarAuth=success"),
            "{}",
            location(&done)
        );
        assert_eq!(w.status().await, "connected");
        w.drain().await;
        assert!(w.entry(entry).await.deleted_at.is_none());

        let id = as_if_imported(&w).await;
        // An account that has a calendar, but none of the events.
        for event in w.fakes.events(w.fake, &w.calendar) {
            w.fakes
                .delete_event(w.fake, &w.calendar, event["id"].as_str().unwrap())
                .unwrap();
        }
        let refused = w.authorize(&w.tess, Some(&id)).await;
        assert!(
            location(&refused).ends_with("calendarError=different_account"),
            "{}",
            location(&refused)
        );
        assert_eq!(w.status().await, "needs_reconnect");
        assert!(
            w.entry(entry).await.deleted_at.is_none(),
            "nothing counts as deleted"
        );
    }
}
