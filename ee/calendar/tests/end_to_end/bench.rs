//! Daybind over the stand-in providers: a server that answers round trips and notifications, a technician who is connected,
//! and what both sides do.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use daybind_domain::ids::EntryId;
use daybind_domain::schedule::{EntryContent, EntryStatus, ShowAs, When};
use daybind_domain::{Cloud, Edition};
use daybind_ee_calendar::{CalendarRuntime, register_endpoints};
use daybind_ee_storage::Connection;
use daybind_fakes::{DuplicateTransaction, FakeOptions, FakeProviders, Provider as Fake};
use daybind_services::{
    Actor, CalendarPort, Clock, Endpoints, EntryChange, Keyring, Provider, Services, StableRoute,
    SystemClock, auth, bindings, demo, jobs, outbound, profiles,
};
use daybind_storage::{Entry, FinishJob, NewEntry, Scope, Store};
use daybind_storage_postgres::PgStore;
use daybind_storage_sqlite::SqliteStore;
use secrecy::SecretString;
use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};
use url::Url;

/// The computer's clock, moved on by hand.
#[derive(Default)]
pub struct ShiftedClock(pub std::sync::atomic::AtomicI64);

impl Clock for ShiftedClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + TimeDelta::seconds(self.0.load(std::sync::atomic::Ordering::Relaxed))
    }
}

/// Daybind, set up for both providers and connected to one of them.
pub struct World {
    pub fakes: FakeProviders,
    pub services: Services,
    pub port: Arc<CalendarRuntime>,
    pub clock: Arc<ShiftedClock>,
    pub admin: Actor,
    pub tess: Actor,
    pub provider: Provider,
    pub fake: Fake,
    pub calendar: String,
    place: Place,
    _files: tempfile::TempDir,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Database {
    Sqlite,
    Postgres,
}

/// Where the database is.
enum Place {
    Sqlite(PathBuf),
    Postgres(String),
}

impl Place {
    async fn open(&self) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(path) => Arc::new(SqliteStore::open(path).await.unwrap()),
            Self::Postgres(url) => Arc::new(PgStore::connect(url).await.unwrap()),
        }
    }

    async fn break_column(&self, table: &str, column: &str) {
        match self {
            Self::Sqlite(_) => {
                self.execute(&format!(
                    "CREATE TRIGGER stumble BEFORE UPDATE ON {table} WHEN old.{column} IS NOT new.{column} \
                     BEGIN SELECT raise(ABORT, 'disk full'); END"
                ))
                .await;
            }
            Self::Postgres(_) => {
                self.execute(
                    "CREATE OR REPLACE FUNCTION stumble() RETURNS trigger LANGUAGE plpgsql AS \
                     $$ BEGIN RAISE EXCEPTION 'disk full' USING ERRCODE = '53100'; END $$",
                )
                .await;
                self.execute(&format!(
                    "CREATE TRIGGER stumble BEFORE UPDATE ON {table} FOR EACH ROW \
                     WHEN (old.{column} IS DISTINCT FROM new.{column}) EXECUTE FUNCTION stumble()"
                ))
                .await;
            }
        }
    }

    async fn mend(&self, table: &str) {
        match self {
            Self::Sqlite(_) => self.execute("DROP TRIGGER stumble").await,
            Self::Postgres(_) => {
                self.execute(&format!("DROP TRIGGER stumble ON {table}"))
                    .await;
            }
        }
    }

    /// Asks for one number beside the server.
    async fn number(&self, query: &str) -> i64 {
        let query = AssertSqlSafe(query.to_owned());
        match self {
            Self::Sqlite(path) => {
                let options = SqliteConnectOptions::new().filename(path);
                let mut other = options.connect().await.unwrap();
                sqlx::query_scalar(query)
                    .fetch_one(&mut other)
                    .await
                    .unwrap()
            }
            Self::Postgres(url) => {
                let mut other = sqlx::PgConnection::connect(url).await.unwrap();
                sqlx::query_scalar(query)
                    .fetch_one(&mut other)
                    .await
                    .unwrap()
            }
        }
    }

    /// Runs a statement beside the server.
    async fn execute(&self, statement: &str) {
        let statement = AssertSqlSafe(statement.to_owned());
        match self {
            Self::Sqlite(path) => {
                let options = SqliteConnectOptions::new().filename(path);
                let mut other = options.connect().await.unwrap();
                other.execute(statement).await.unwrap();
                other.close().await.unwrap();
            }
            Self::Postgres(url) => {
                let mut other = sqlx::PgConnection::connect(url).await.unwrap();
                other.execute(statement).await.unwrap();
                other.close().await.unwrap();
            }
        }
    }
}

pub async fn actor(services: &Services, email: &str) -> Actor {
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

/// How long production waits for an answer.
const HALF_A_MINUTE: std::time::Duration = std::time::Duration::from_secs(30);

impl World {
    pub async fn new(
        database: Database,
        provider: Provider,
        duplicate: DuplicateTransaction,
    ) -> Self {
        Self::that_waits(database, provider, duplicate, HALF_A_MINUTE).await
    }

    /// With a client that waits so long for an answer.
    pub async fn that_waits(
        database: Database,
        provider: Provider,
        duplicate: DuplicateTransaction,
        limit: std::time::Duration,
    ) -> Self {
        let files = tempfile::tempdir().unwrap();
        let place = match database {
            Database::Sqlite => Place::Sqlite(files.path().join("db")),
            Database::Postgres => {
                Place::Postgres(daybind_storage_postgres::testing::database_url().await)
            }
        };
        let home = (Cloud::Global, Vec::new());
        Self::on(place, files, provider, duplicate, limit, home).await
    }

    /// Connected to Outlook in that cloud; the environment names the hosts of the others.
    pub async fn in_cloud(database: Database, cloud: Cloud, others: Vec<(String, String)>) -> Self {
        let files = tempfile::tempdir().unwrap();
        let place = match database {
            Database::Sqlite => Place::Sqlite(files.path().join("db")),
            Database::Postgres => {
                Place::Postgres(daybind_storage_postgres::testing::database_url().await)
            }
        };
        let (provider, duplicate) = (Provider::Microsoft, DuplicateTransaction::Existing);
        Self::on(
            place,
            files,
            provider,
            duplicate,
            HALF_A_MINUTE,
            (cloud, others),
        )
        .await
    }

    /// With a PostgreSQL database at this address.
    pub async fn at(url: &str, provider: Provider) -> Self {
        let place = Place::Postgres(url.to_owned());
        let files = tempfile::tempdir().unwrap();
        let duplicate = DuplicateTransaction::Existing;
        let home = (Cloud::Global, Vec::new());
        Self::on(place, files, provider, duplicate, HALF_A_MINUTE, home).await
    }

    async fn on(
        place: Place,
        files: tempfile::TempDir,
        provider: Provider,
        duplicate: DuplicateTransaction,
        limit: std::time::Duration,
        (cloud, others): (Cloud, Vec<(String, String)>),
    ) -> Self {
        let store = place.open().await;
        store.migrate().await.unwrap();
        let options = FakeOptions {
            auto_approve: true,
            duplicate_transaction: duplicate,
            ..FakeOptions::default()
        };
        let fakes = FakeProviders::start(options.clone()).unwrap();
        // The last word counts: GCC High and DoD share a log-in.
        let mut env = hosts(cloud, &fakes).to_vec();
        env.extend(others);
        env.extend(fakes.env());
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
            wording: daybind_ee_calendar::WORDING,
            store,
            keyring: Arc::new(Keyring::parse(&Keyring::generate()).unwrap()),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            public_url,
            http: outbound::client_that_waits(&endpoints, limit).unwrap(),
            endpoints: Arc::new(endpoints),
            issuers: Arc::default(),
            wake: Arc::default(),
            live: daybind_services::live::Live::default(),
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
        set_up(&services, port.as_ref(), &admin, &options, cloud).await;
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
            place,
            _files: files,
        };
        world.connect().await;
        world
    }

    /// A second server on the same database, with pools of its own where there can be two.
    pub async fn second_server(&self) -> (Services, Arc<CalendarRuntime>) {
        let mut services = self.services.clone();
        services.wake = Arc::default();
        if matches!(self.place, Place::Postgres(_)) {
            services.store = self.place.open().await;
        }
        let port = Arc::new(CalendarRuntime::new(services.clone()));
        (services, port)
    }

    pub async fn authorize(&self, actor: &Actor, connection: Option<&str>) -> Response {
        let start = self
            .port
            .initiate_calendar_oauth(actor, self.provider.as_str(), connection)
            .await
            .unwrap();
        let answer = self.services.http.get(start).send().await.unwrap();
        let back = answer.headers()["location"].to_str().unwrap().to_owned();
        self.call_back(Some(actor), &back).await
    }

    pub async fn call_back(&self, actor: Option<&Actor>, back: &str) -> Response {
        let mut request = Request::get(back).body(Body::empty()).unwrap();
        request.extensions_mut().insert(actor.cloned());
        self.port
            .serve(StableRoute::Callback(self.provider), request)
            .await
    }

    pub async fn connect(&mut self) {
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

    pub async fn connection(&self) -> String {
        self.port
            .get_calendar_providers(&self.tess)
            .await
            .unwrap()
            .connections[0]
            .connection_id
            .clone()
    }

    pub async fn status(&self) -> String {
        self.port
            .get_calendar_providers(&self.tess)
            .await
            .unwrap()
            .connections[0]
            .status
            .clone()
    }

    /// Runs every job that is due, failed ones again at their time.
    pub async fn drain(&self) {
        for _ in 0..50 {
            let ended = self.once().await;
            if ended.is_empty() {
                return;
            }
            for (_, outcome) in ended {
                if let FinishJob::Retry { at, .. } = outcome {
                    self.pass(at - self.services.now() + TimeDelta::seconds(1));
                }
            }
        }
        panic!("jobs never end");
    }

    /// Runs every job that is due once, as the worker does; what they were and how they ended.
    ///
    /// A claim passes over a job whose row a notification is just poking (`SKIP LOCKED`; the worker looks again within
    /// a second), so the queue counts as empty only once no notification is on its way.
    pub async fn once(&self) -> Vec<(String, FinishJob)> {
        self.once_of(self.port.job_kinds()).await
    }

    /// The same for some kinds of jobs.
    pub async fn once_of(&self, kinds: &[&str]) -> Vec<(String, FinishJob)> {
        assert!(self.fakes.settle(std::time::Duration::from_secs(20)).await);
        // Notifications that come one after the other wait for so long.
        self.pass(TimeDelta::seconds(1));
        let now = self.services.now();
        let mut unit = self.services.store.begin(Scope::System).await.unwrap();
        let due = unit
            .claim_jobs(kinds, 10, now, now + TimeDelta::seconds(60))
            .await
            .unwrap();
        unit.save().await.unwrap();
        let mut ended = Vec::new();
        for job in due {
            let port = Arc::clone(&self.port) as Arc<dyn CalendarPort>;
            let kind = job.kind.clone();
            let outcome = jobs::run(self.services.clone(), port, job).await;
            ended.push((kind, outcome.unwrap()));
        }
        ended
    }

    /// Moves the clock on.
    pub fn pass(&self, time: TimeDelta) {
        let seconds = time.num_seconds().max(0);
        self.clock
            .0
            .fetch_add(seconds, std::sync::atomic::Ordering::Relaxed);
        self.fakes.pass(TimeDelta::seconds(seconds));
    }

    /// The connection as it is stored.
    pub async fn row(&self) -> Connection {
        let id = self.connection().await.parse().unwrap();
        let mut unit = self.services.begin(demo::TENANT).await.unwrap();
        let rows = daybind_ee_storage::calendar(unit.as_mut()).unwrap();
        rows.find_connection(demo::TENANT, id)
            .await
            .unwrap()
            .unwrap()
    }

    /// From now on every statement that changes the column fails, as on a full disk.
    pub async fn break_column(&self, table: &str, column: &str) {
        self.place.break_column(table, column).await;
    }

    /// Runs a statement beside the server, the same on both databases.
    pub async fn execute(&self, statement: &str) {
        self.place.execute(statement).await;
    }

    /// Keeps every other writer out for so long (SQLite).
    pub async fn lock_out(&self, time: std::time::Duration) {
        let Place::Sqlite(path) = &self.place else {
            panic!("only where one writes at a time");
        };
        let mut other = SqliteConnectOptions::new()
            .filename(path)
            .connect()
            .await
            .unwrap();
        other.execute("BEGIN IMMEDIATE").await.unwrap();
        tokio::time::sleep(time).await;
        other.execute("ROLLBACK").await.unwrap();
    }

    /// How long, at this moment, a transaction has been open with nothing going on in it (PostgreSQL), or keeps another
    /// writer out (SQLite).
    pub async fn longest_transaction(&self) -> std::time::Duration {
        match &self.place {
            Place::Sqlite(_) => {
                let began = std::time::Instant::now();
                self.lock_out(std::time::Duration::ZERO).await;
                began.elapsed()
            }
            Place::Postgres(_) => {
                let query = "SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start) * 1000), 0)::bigint \
                             FROM pg_stat_activity WHERE datname = current_database() \
                             AND state LIKE 'idle in transaction%'";
                let millis = self.place.number(query).await;
                std::time::Duration::from_millis(u64::try_from(millis).unwrap())
            }
        }
    }

    /// Goes through the consent of that account; the page it ends on.
    pub async fn consent(&self, actor: &Actor, account: &str) -> String {
        let start = self
            .port
            .initiate_calendar_oauth(actor, self.provider.as_str(), None)
            .await
            .unwrap();
        let start = format!("{start}&login_hint={account}");
        let answer = self.services.http.get(start).send().await.unwrap();
        let back = answer.headers()["location"].to_str().unwrap().to_owned();
        location(&self.call_back(Some(actor), &back).await)
    }

    /// Connects the second account for somebody else; connection and calendar.
    pub async fn connect_second(&self, actor: &Actor) -> (String, String) {
        let done = self.consent(actor, "second@example.test").await;
        assert!(done.contains("calendarAuth=success"));
        let view = self.port.get_calendar_providers(actor).await.unwrap();
        let id = view.connections[0].connection_id.clone();
        let calendars = self.port.list_remote_calendars(actor, &id).await.unwrap();
        let calendar = calendars[0].calendar_id.clone();
        self.port
            .update_calendar_provider(actor, &id, Some(&calendar), None)
            .await
            .unwrap();
        self.drain().await;
        (id, calendar)
    }

    /// The events of that title in a calendar.
    pub fn titled(&self, calendar: &str, title: &str) -> Vec<Value> {
        let key = self.key("title");
        let events = self.fakes.events(self.fake, calendar).into_iter();
        events.filter(|event| event[key] == title).collect()
    }

    /// How many rows all these tables have together.
    pub async fn rows(&self, tables: &[&str]) -> i64 {
        let mut sum = 0;
        for table in tables {
            sum += self
                .place
                .number(&format!("SELECT count(*) FROM {table}"))
                .await;
        }
        sum
    }

    /// From now on every transaction that changes a subscription fails as late as one can, when it is committed.
    pub async fn break_commits(&self) {
        self.execute("CREATE TABLE never (id int PRIMARY KEY)")
            .await;
        self.execute(
            "CREATE TABLE late (id int REFERENCES never (id) DEFERRABLE INITIALLY DEFERRED)",
        )
        .await;
        let what = match &self.place {
            Place::Sqlite(_) => "BEGIN INSERT INTO late VALUES (1); END",
            Place::Postgres(_) => {
                self.execute(
                    "CREATE FUNCTION come_late() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS \
                     $$ BEGIN INSERT INTO late VALUES (1); RETURN NULL; END $$",
                )
                .await;
                "EXECUTE FUNCTION come_late()"
            }
        };
        self.execute(&format!(
            "CREATE TRIGGER stumble AFTER UPDATE ON calendar_subscriptions FOR EACH ROW {what}"
        ))
        .await;
    }

    /// Undoes [`Self::break_column`] and [`Self::break_commits`].
    pub async fn mend(&self, table: &str) {
        self.place.mend(table).await;
    }

    /// How often the provider was asked for this.
    pub fn asked(&self, google: &str, microsoft: &str) -> u64 {
        let counters = self.fakes.counters();
        let operation = self.operation(google, microsoft);
        counters.get(&operation).copied().unwrap_or(0)
    }

    pub async fn sync(&self) {
        self.port
            .sync_calendar_provider(&self.tess, &self.connection().await)
            .await
            .unwrap();
        self.drain().await;
    }

    pub async fn add(&self, title: &str) -> EntryId {
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
                repeats: None,
                shows: ShowAs::Busy,
                private: false,
                status: EntryStatus::Scheduled,
            },
            occurrence_of: None,
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
            by: None,
            restored: None,
        };
        self.port
            .entry_changed(unit.as_mut(), &change)
            .await
            .unwrap();
        unit.save().await.unwrap();
        entry.entry_id
    }

    pub async fn entry(&self, id: EntryId) -> Entry {
        self.services
            .read(demo::TENANT)
            .await
            .unwrap()
            .find_entry(demo::TENANT, id)
            .await
            .unwrap()
            .unwrap()
    }

    pub async fn edit(&self, id: EntryId, with: impl FnOnce(&mut Entry)) {
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
            by: None,
            restored: None,
        };
        self.port
            .entry_changed(unit.as_mut(), &change)
            .await
            .unwrap();
        unit.save().await.unwrap();
    }

    pub fn named(&self, title: &str) -> Vec<Value> {
        let key = self.key("title");
        self.fakes
            .events(self.fake, &self.calendar)
            .into_iter()
            .filter(|event| event[key] == title)
            .collect()
    }

    pub fn key(&self, what: &str) -> &'static str {
        match (self.provider, what) {
            (Provider::Google, "title") => "summary",
            (Provider::Microsoft, "title") => "subject",
            _ => "location",
        }
    }

    pub fn outside(&self, event: &Value, patch: &Value) {
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
    pub async fn answer(&self, part: &str, choice: &str) {
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

    pub async fn mark(&self, id: EntryId) -> String {
        let marks = self
            .port
            .get_schedule_entry_sync_status(&self.tess, &[id])
            .await
            .unwrap();
        marks[0].clone().unwrap().state
    }

    pub fn operation(&self, google: &str, microsoft: &str) -> String {
        match self.provider {
            Provider::Google => google.to_owned(),
            Provider::Microsoft => microsoft.to_owned(),
        }
    }
}

/// The variables that name a stand-in as the hosts of one of Microsoft's clouds.
pub fn hosts(cloud: Cloud, fakes: &FakeProviders) -> [(String, String); 2] {
    let (login, graph) = match cloud {
        Cloud::Global => ("", ""),
        Cloud::UsGovHigh => ("_US_GOV", "_US_GOV_HIGH"),
        Cloud::UsGovDod => ("_US_GOV", "_US_GOV_DOD"),
        Cloud::China => ("_CHINA", "_CHINA"),
    };
    let host = |which: &str| format!("{}ms/{which}", fakes.base_url);
    [
        (format!("DAYBIND_MICROSOFT_LOGIN_URL{login}"), host("login")),
        (format!("DAYBIND_MICROSOFT_GRAPH_URL{graph}"), host("graph")),
    ]
}

async fn set_up(
    services: &Services,
    port: &CalendarRuntime,
    admin: &Actor,
    options: &FakeOptions,
    cloud: Cloud,
) {
    let google = &options.google;
    port.save_google_client(admin, &google.client_id, &google.client_secret)
        .await
        .unwrap();
    let microsoft = &options.microsoft;
    let input = profiles::ProfileInput {
        display_name: "Calendar".to_owned(),
        client_id: microsoft.client_id.clone(),
        directory_id: microsoft.tenant_id.clone(),
        cloud: cloud.as_str().to_owned(),
        client_secret: SecretString::from(microsoft.client_secret.clone()),
        secret_expires_on: String::new(),
    };
    let profile = profiles::create(services, admin, input).await.unwrap();
    bindings::set_binding(services, port, admin, "calendar", &profile.to_string())
        .await
        .unwrap();
}

pub fn location(response: &Response) -> String {
    response.headers()["location"].to_str().unwrap().to_owned()
}
