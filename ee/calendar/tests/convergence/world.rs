//! One connection with its calendar, its entries, and what is known about who wrote what.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, Weak};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use daybind_domain::Edition;
use daybind_domain::ids::{ConnectionId, EntryId, UserId};
use daybind_domain::schedule::{EntryContent, EntryStatus, ShowAs, When};
use daybind_domain::view::ConnectionView;
use daybind_ee_calendar::engine::{Engine, POINTS, Points};
use daybind_ee_calendar::event::canonical;
use daybind_ee_calendar::merge::differing;
use daybind_ee_calendar::{CalendarRuntime, register_endpoints};
use daybind_ee_storage::{Connection, ConnectionSettings, Failing, Mapping, SyncChange, calendar};
use daybind_services::{
    Actor, CalendarPort, Clock, Endpoints, EntryChange, Keyring, Services, SystemClock, auth, demo,
    outbound,
};
use daybind_storage::{Entry, FinishJob, NewEntry, NewJob, Scope, Store, User};
use daybind_storage_postgres::PgStore;
use daybind_storage_sqlite::SqliteStore;
use rand::Rng;
use rand::rngs::StdRng;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Notify;
use url::Url;
use uuid::Uuid;

use crate::calendar::{Calendar, edit, says};

const JOB: &str = "calendar.sync";
const FIELDS: [&str; 4] = ["title", "notes", "shows", "private"];
/// What the names of the points of a run begin with.
const RUN: [&str; 4] = ["run.", "call.", "map.", "page."];
/// Points outside transactions, at which a worker may sleep while another one works.
const QUIET: [&str; 5] = [
    "run.claimed",
    "call.before_send",
    "call.after_response",
    "map.after_commit",
    "page.after_commit",
];

#[derive(Default)]
struct ShiftedClock(AtomicI64);

impl Clock for ShiftedClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + TimeDelta::seconds(self.0.load(Ordering::Relaxed))
    }
}

/// A database that all cases of a test share.
pub struct Stored {
    pub services: Services,
    clock: Arc<ShiftedClock>,
    pub people: [UserId; 2],
    pub tess: Actor,
    _files: Option<tempfile::TempDir>,
}

async fn stored(store: Arc<dyn Store>, files: Option<tempfile::TempDir>) -> Stored {
    store.migrate().await.unwrap();
    let mut endpoints = Endpoints::from_env(&|_| None).unwrap();
    register_endpoints(&mut endpoints, &|_| None).unwrap();
    let clock = Arc::new(ShiftedClock::default());
    let services = Services {
        edition: Edition::Enterprise,
        store,
        keyring: Arc::new(Keyring::parse(&Keyring::generate()).unwrap()),
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        public_url: Url::parse("http://daybind.example").unwrap(),
        http: outbound::client(&endpoints).unwrap(),
        endpoints: Arc::new(endpoints),
        wake: Arc::default(),
        live: daybind_services::live::Live::default(),
        issuers: Arc::default(),
        guides: daybind_ee_calendar::GUIDES,
        wording: daybind_ee_calendar::WORDING,
    };
    demo::seed(&services).await.unwrap();
    let mut unit = services.read(demo::TENANT).await.unwrap();
    let users: Vec<User> = unit.list_users(demo::TENANT).await.unwrap();
    drop(unit);
    let person = |email: &str| {
        let user = users.iter().find(|user| user.email == email).unwrap();
        user.user_id
    };
    let people = [
        person("tess@demo.daybind.test"),
        person("tom@demo.daybind.test"),
    ];
    let tess = sign_in(&services).await;
    // The demo's own entries stay out of the way.
    let stored = Stored {
        services,
        clock,
        people,
        tess,
        _files: files,
    };
    clear(&stored).await;
    stored
}

async fn sign_in(services: &Services) -> Actor {
    let password = SecretString::from(demo::PASSWORD);
    let client = auth::Client::default();
    let cookie = auth::sign_in(services, "tess@demo.daybind.test", password, &client)
        .await
        .unwrap();
    auth::authenticate(services, cookie.expose_secret(), None)
        .await
        .unwrap()
        .unwrap()
}

async fn clear(stored: &Stored) {
    let now = stored.services.now();
    let mut unit = stored.services.begin(demo::TENANT).await.unwrap();
    let span = TimeDelta::days(4000);
    let entries = unit
        .list_entries(demo::TENANT, now - span, now + span, None)
        .await
        .unwrap();
    for mut entry in entries {
        entry.deleted_at = Some(now);
        unit.update_entry(&entry, now).await.unwrap();
    }
    unit.save().await.unwrap();
}

pub async fn sqlite() -> Stored {
    // In memory where there is such a place: the disk is not what is tested here.
    let memory = std::path::Path::new("/dev/shm");
    let files = if memory.is_dir() {
        tempfile::tempdir_in(memory).unwrap()
    } else {
        tempfile::tempdir().unwrap()
    };
    let store = SqliteStore::open(&files.path().join("db")).await.unwrap();
    stored(Arc::new(store), Some(files)).await
}

pub async fn postgres() -> Stored {
    let url = daybind_storage_postgres::testing::database_url().await;
    stored(Arc::new(PgStore::connect(&url).await.unwrap()), None).await
}

#[derive(Debug)]
pub struct Setting {
    pub google: bool,
    pub conflict_policy: &'static str,
    pub deletion_policy: &'static str,
    pub direction: &'static str,
}

/// What happens at the declared points: nothing, a crash, or a sleep through which another worker works.
#[derive(Default)]
struct Trouble {
    next: Mutex<Option<(bool, &'static str)>>,
    crashed: Notify,
    worker: Mutex<Weak<Worker>>,
}

#[async_trait]
impl Points for Trouble {
    async fn reach(&self, point: &'static str) {
        let crash = {
            let mut next = self.next.lock().unwrap();
            match *next {
                Some((crash, wanted)) if wanted == point => {
                    *next = None;
                    crash
                }
                _ => return,
            }
        };
        if crash {
            self.crashed.notify_one();
            std::future::pending::<()>().await;
        }
        let worker = self.worker.lock().unwrap().upgrade();
        if let Some(worker) = worker {
            worker.wait(61);
            worker.run_due().await;
        }
    }
}

pub struct Worker {
    services: Services,
    clock: Arc<ShiftedClock>,
    pub port: CalendarRuntime,
    trouble: Arc<Trouble>,
}

impl Worker {
    fn wait(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, Ordering::Relaxed);
    }

    /// Runs every due job once; whether there was one. A crash leaves its job to whoever comes after the lease.
    async fn run_due(&self) -> bool {
        let now = self.services.now();
        let mut unit = self.services.store.begin(Scope::System).await.unwrap();
        let lease = now + TimeDelta::seconds(45);
        let jobs = unit.claim_jobs(&[JOB], 10, now, lease).await.unwrap();
        unit.save().await.unwrap();
        let any = !jobs.is_empty();
        for job in jobs {
            let outcome: FinishJob = tokio::select! {
                outcome = self.port.run_job(&job) => outcome,
                () = self.trouble.crashed.notified() => continue,
            };
            let mut unit = self.services.store.begin(Scope::System).await.unwrap();
            // Refused when somebody else has the lease by now.
            if unit
                .finish_job(&job, &outcome, self.services.now())
                .await
                .is_ok()
            {
                unit.save().await.unwrap();
            }
        }
        any
    }
}

/// What is known of one entry since both sides last agreed.
struct Known {
    id: EntryId,
    /// The last value written here, by field.
    here: BTreeMap<&'static str, String>,
    edited: BTreeMap<&'static str, bool>,
    /// Deleted there, or in conflict: which words stay is the policy's business.
    unsure: bool,
}

pub struct World<'a> {
    pub stored: &'a Stored,
    pub engine: Engine,
    pub worker: Arc<Worker>,
    pub calendar: Calendar,
    connection: ConnectionId,
    known: Vec<Known>,
    words: u64,
    outward: bool,
}

impl<'a> World<'a> {
    pub async fn new(stored: &'a Stored, seed: u64, setting: &Setting) -> Self {
        let calendar = Calendar::new(seed, setting.google);
        let trouble = Arc::new(Trouble::default());
        let mut engine = Engine::new(stored.services.clone());
        engine.providers = Arc::new(calendar.clone());
        engine.points = Arc::clone(&trouble) as Arc<dyn Points>;
        let worker = Arc::new(Worker {
            services: stored.services.clone(),
            clock: Arc::clone(&stored.clock),
            port: CalendarRuntime::with_engine(engine.clone()),
            trouble: Arc::clone(&trouble),
        });
        *trouble.worker.lock().unwrap() = Arc::downgrade(&worker);
        let connection = ConnectionId(Uuid::now_v7());
        let now = stored.services.now();
        let row = Connection {
            tenant_id: demo::TENANT,
            connection_id: connection,
            user_id: stored.people[0],
            provider: if setting.google {
                "google"
            } else {
                "microsoft"
            }
            .to_owned(),
            account_id: connection.to_string(),
            account_email: "tess@calendar.example".to_owned(),
            calendar_id: Some("primary".to_owned()),
            calendar_name: Some("Calendar".to_owned()),
            status: "connected".to_owned(),
            status_reason: None,
            direction: setting.direction.to_owned(),
            profile_id: None,
            client_id: "client".to_owned(),
            cloud: daybind_domain::Cloud::Global,
            access_token_sealed: String::new(),
            access_token_expires_at: now,
            refresh_token_sealed: String::new(),
            cursor: None,
            cursor_window_start: None,
            cursor_window_end: None,
            last_sync_at: None,
            last_error: None,
            settings: ConnectionSettings {
                conflict_policy: setting.conflict_policy.to_owned(),
                deletion_policy: setting.deletion_policy.to_owned(),
                ..ConnectionSettings::default()
            },
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
        let mut unit = stored.services.begin(demo::TENANT).await.unwrap();
        let rows = calendar_of(unit.as_mut());
        rows.add_connection(&row).await.unwrap();
        unit.save().await.unwrap();
        let world = Self {
            stored,
            engine,
            worker,
            calendar,
            connection,
            known: Vec::new(),
            words: 0,
            outward: setting.direction == "to_external",
        };
        world.notify().await;
        world
    }

    /// Forgets the connection, so that the next case starts alone.
    pub async fn end(self) {
        let mut unit = self.stored.services.begin(demo::TENANT).await.unwrap();
        calendar_of(unit.as_mut())
            .remove_connection(demo::TENANT, self.connection)
            .await
            .unwrap();
        unit.remove_job(demo::TENANT, JOB, &self.connection.to_string())
            .await
            .unwrap();
        unit.save().await.unwrap();
        clear(self.stored).await;
    }

    pub fn word(&mut self) -> String {
        self.words += 1;
        format!("w{}", self.words)
    }

    pub fn wait(&self, seconds: i64) {
        self.worker.wait(seconds);
    }

    pub fn faults(&self, percent: u32) {
        self.calendar.state().faults = percent;
    }

    pub fn lose_cursors(&self) {
        self.calendar.state().forget_cursors();
    }

    pub fn crash_soon(&self, rng: &mut StdRng) {
        let in_run = |point: &&&str| RUN.iter().any(|part| point.starts_with(part));
        let points: Vec<_> = POINTS.iter().filter(in_run).collect();
        let point = points[rng.random_range(0..points.len())];
        *self.worker.trouble.next.lock().unwrap() = Some((true, point));
    }

    pub fn sleep_soon(&self, rng: &mut StdRng) {
        let point = QUIET[rng.random_range(0..QUIET.len())];
        *self.worker.trouble.next.lock().unwrap() = Some((false, point));
    }

    pub async fn work(&self) {
        self.worker.run_due().await;
    }

    pub async fn notify(&self) {
        let now = self.stored.services.now();
        let job = NewJob {
            tenant_id: demo::TENANT,
            kind: JOB,
            key: self.connection.to_string(),
            payload: serde_json::json!({ "cause": "notification" }),
            run_at: now,
            max_attempts: 12,
        };
        let mut unit = self.stored.services.begin(demo::TENANT).await.unwrap();
        unit.enqueue_job(&job, now).await.unwrap();
        unit.save().await.unwrap();
    }

    pub fn count(&self) -> usize {
        self.known.len()
    }

    pub async fn add(&mut self, shared: bool) -> EntryId {
        let (title, notes) = (self.word(), self.word());
        let start = self.stored.services.now() + TimeDelta::days(2);
        let [tess, tom] = self.stored.people;
        let entry = NewEntry {
            tenant_id: demo::TENANT,
            entry_id: EntryId(Uuid::now_v7()),
            content: EntryContent {
                title,
                notes,
                location: String::new(),
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
            assignees: if shared { vec![tess, tom] } else { vec![tess] },
            created_by: tess,
        };
        let mut unit = self.stored.services.begin(demo::TENANT).await.unwrap();
        let now = self.stored.services.now();
        unit.add_entry(&entry, now).await.unwrap();
        let change = EntryChange {
            tenant_id: demo::TENANT,
            entry_id: entry.entry_id,
            people: entry.assignees.clone(),
            by: None,
            restored: None,
        };
        let port = &self.worker.port;
        port.entry_changed(unit.as_mut(), &change).await.unwrap();
        unit.save().await.unwrap();
        self.known.push(Known {
            id: entry.entry_id,
            here: FIELDS
                .map(|field| (field, says(&entry.content, field)))
                .into(),
            edited: BTreeMap::new(),
            unsure: false,
        });
        entry.entry_id
    }

    pub async fn entry(&self, id: EntryId) -> Entry {
        let mut unit = self.stored.services.read(demo::TENANT).await.unwrap();
        unit.find_entry(demo::TENANT, id).await.unwrap().unwrap()
    }

    async fn store(&self, entry: &Entry, mut people: Vec<UserId>) {
        people.extend(entry.assignees.clone());
        people.sort_unstable();
        people.dedup();
        let now = self.stored.services.now();
        let mut unit = self.stored.services.begin(demo::TENANT).await.unwrap();
        unit.update_entry(entry, now).await.unwrap();
        let change = EntryChange {
            tenant_id: demo::TENANT,
            entry_id: entry.entry_id,
            people,
            by: None,
            restored: None,
        };
        let port = &self.worker.port;
        port.entry_changed(unit.as_mut(), &change).await.unwrap();
        unit.save().await.unwrap();
    }

    pub async fn change(&self, id: EntryId, with: impl FnOnce(&mut Entry)) {
        let mut entry = self.entry(id).await;
        let before = entry.assignees.clone();
        with(&mut entry);
        self.store(&entry, before).await;
    }

    /// How many events there are.
    pub fn alive(&self) -> usize {
        self.calendar.state().alive().len()
    }

    pub async fn status(&self) -> String {
        self.row().await.status
    }

    pub async fn row(&self) -> Connection {
        let mut unit = self.stored.services.read(demo::TENANT).await.unwrap();
        calendar_of(unit.as_mut())
            .find_connection(demo::TENANT, self.connection)
            .await
            .unwrap()
            .unwrap()
    }

    async fn view(&self) -> ConnectionView {
        let view = self
            .worker
            .port
            .get_calendar_providers(&self.stored.tess)
            .await
            .unwrap();
        let id = self.connection.to_string();
        let mut all = view.connections.into_iter();
        all.find(|view| view.connection_id == id).unwrap()
    }

    /// The kinds of the questions that wait for the owner.
    pub async fn questions(&self) -> Vec<String> {
        let view = self.view().await;
        view.questions
            .into_iter()
            .map(|question| question.kind)
            .collect()
    }

    /// Answers the first one.
    pub async fn answer(&self, choice: &str) {
        let view = self.view().await;
        let (id, question) = (&view.connection_id, &view.questions[0].question_id);
        self.worker
            .port
            .answer_calendar_question(&self.stored.tess, id, question, "all", choice)
            .await
            .unwrap();
    }

    pub async fn edit_here(&mut self, rng: &mut StdRng) {
        if self.known.is_empty() {
            return;
        }
        let at = rng.random_range(0..self.known.len());
        let field = FIELDS[rng.random_range(0..FIELDS.len())];
        let word = self.word();
        let mut entry = self.entry(self.known[at].id).await;
        edit(&mut entry.content, field, &word);
        self.store(&entry, Vec::new()).await;
        self.known[at]
            .here
            .insert(field, says(&entry.content, field));
        self.known[at].edited.insert(field, true);
    }

    pub fn edit_there(&mut self, rng: &mut StdRng) {
        let word = self.word();
        self.calendar
            .state()
            .edit(FIELDS[rng.random_range(0..FIELDS.len())], &word);
    }

    pub async fn delete_there(&mut self) {
        let gone = self.calendar.state().delete();
        let mappings = self.mappings().await;
        let gone = mappings.iter().find(|row| Some(row.mapping_id) == gone);
        if let Some(gone) = gone {
            let known = self
                .known
                .iter_mut()
                .find(|known| known.id == gone.entry_id);
            known.unwrap().unsure = true;
        }
    }

    pub async fn assign_or_call_off(&mut self, rng: &mut StdRng) {
        if self.known.is_empty() {
            return;
        }
        let [tess, tom] = self.stored.people;
        let known = &self.known[rng.random_range(0..self.known.len())];
        let mut entry = self.entry(known.id).await;
        let before = entry.assignees.clone();
        match rng.random_range(0..3) {
            0 => entry.assignees = vec![tom],
            1 => entry.assignees = vec![tess],
            _ => entry.content.status = EntryStatus::Cancelled,
        }
        self.store(&entry, before).await;
    }

    pub async fn mappings(&self) -> Vec<Mapping> {
        let mut unit = self.stored.services.read(demo::TENANT).await.unwrap();
        calendar_of(unit.as_mut())
            .list_mappings(demo::TENANT, self.connection)
            .await
            .unwrap()
    }

    /// What was recorded, the newest first.
    pub async fn changes(&self) -> Vec<SyncChange> {
        let mut unit = self.stored.services.read(demo::TENANT).await.unwrap();
        calendar_of(unit.as_mut())
            .list_changes(demo::TENANT, self.connection, None, 10_000)
            .await
            .unwrap()
    }

    /// How often the calendar was written to.
    pub fn writes(&self) -> u64 {
        self.calendar.state().writes
    }

    /// All entries there are.
    pub async fn entry_ids(&self) -> BTreeSet<EntryId> {
        let (now, span) = (self.stored.services.now(), TimeDelta::days(4000));
        let mut unit = self.stored.services.read(demo::TENANT).await.unwrap();
        let entries = unit
            .list_entries(demo::TENANT, now - span, now + span, None)
            .await
            .unwrap();
        let mut ids: BTreeSet<_> = entries.iter().map(|entry| entry.entry_id).collect();
        let series: Vec<_> = ids.iter().copied().collect();
        let rows = unit.list_occurrences(demo::TENANT, &series).await.unwrap();
        ids.extend(rows.iter().map(|row| row.entry_id));
        ids
    }

    pub async fn drain(&self) {
        for _ in 0..60 {
            if !self.worker.run_due().await {
                return;
            }
        }
        panic!("the queue never ends");
    }

    /// Lets everything come to rest: nothing fails any more, dead workers' leases run out, one poll looks at both sides.
    pub async fn settle(&self) {
        *self.worker.trouble.next.lock().unwrap() = None;
        self.faults(0);
        // Longer than any lease and any retry.
        for _ in 0..3 {
            self.wait(3600);
            self.notify().await;
            self.drain().await;
        }
    }

    /// Both sides agree, or a question is open; nothing was lost, doubled or revived; rest is silent.
    pub async fn check(&mut self) {
        let mappings = self.mappings().await;
        for at in 0..self.known.len() {
            self.check_entry(at, &mappings).await;
        }
        let owned = |of| mappings.iter().any(|row| row.mapping_id == of);
        for event in self.calendar.state().events.values() {
            assert!(event.deleted || owned(event.copy_of), "stray {event:?}");
        }
        self.notify().await;
        self.drain().await;
        let writes = self.calendar.state().writes;
        let calls = self.calendar.state().calls;
        let (before, rows) = (self.versions().await, self.mappings().await);
        self.notify().await;
        self.drain().await;
        assert_eq!(
            self.calendar.state().writes,
            writes,
            "rest writes nothing there"
        );
        assert_eq!(self.calendar.state().calls, calls + 1, "one call each");
        assert_eq!(self.versions().await, before, "rest writes nothing here");
        assert_eq!(self.mappings().await, rows, "rest writes nothing here");
        let mut state = self.calendar.state();
        for event in state.events.values_mut() {
            event.human.clear();
        }
    }

    async fn versions(&self) -> (i64, Vec<i64>) {
        let row = self.row().await;
        assert_eq!(row.status, "connected", "{:?}", row.status_reason);
        let mut versions = Vec::new();
        for known in &self.known {
            versions.push(self.entry(known.id).await.version);
        }
        (row.version, versions)
    }

    async fn check_entry(&mut self, at: usize, mappings: &[Mapping]) {
        let entry = self.entry(self.known[at].id).await;
        let known = &mut self.known[at];
        assert_eq!(entry.deleted_at, None, "sync never deletes an entry");
        assert!(!entry.assignees.is_empty(), "somebody does the work");
        let mapping = mappings.iter().find(|row| row.entry_id == known.id);
        let state = self.calendar.state();
        let copies = mapping.map_or(Vec::new(), |row| state.copies(row.mapping_id));
        let wanted = entry.content.status != EntryStatus::Cancelled
            && entry.assignees.contains(&self.stored.people[0]);
        let conflict = mapping.is_some_and(|row| row.state == "conflict");
        if !wanted {
            assert!(copies.is_empty(), "{mapping:?}");
            return;
        }
        if conflict && copies.is_empty() {
            known.unsure = true;
            return;
        }
        assert_eq!(copies.len(), 1, "{mapping:?} {entry:?}");
        let differ = differing(&canonical(&entry.content), &canonical(&copies[0].content));
        assert!(
            conflict || differ.is_empty(),
            "{differ:?} {mapping:?} {entry:?} {copies:?}"
        );
        assert!(!conflict || !differ.is_empty(), "{mapping:?}");
        let words = BTreeMap::from(FIELDS.map(|field| (field, says(&entry.content, field))));
        if conflict {
            known.unsure = true;
        }
        for (field, word) in &words {
            let (here, there) = (&known.here[field], copies[0].human.get(field));
            let edited = known.edited.get(field).copied().unwrap_or(false);
            let fine = match there {
                _ if known.unsure => true,
                // Written on one side only: that is what both sides say now.
                None => word == here,
                Some(_) if self.outward => word == here,
                Some(there) if !edited => word == there,
                Some(there) => word == here || word == there,
            };
            assert!(
                fine,
                "{field}: {word}, here {here}, there {there:?}, {mapping:?}"
            );
        }
        known.here = words;
        known.edited.clear();
        known.unsure = conflict;
    }
}

fn calendar_of(
    unit: &mut dyn daybind_storage::UnitOfWork,
) -> &mut dyn daybind_ee_storage::CalendarRepository {
    calendar(unit).unwrap()
}
