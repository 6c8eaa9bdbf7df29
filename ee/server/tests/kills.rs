//! A server that is killed again and again, at any moment, while both sides change. Whatever it was doing, the database is
//! whole after each kill, and in the end both sides agree: nothing is lost, nothing is there twice.
//!
//! `DAYBIND_TEST_KILLS` says how often in all (1,000 for the full proof), `DAYBIND_TEST_SEED` when; the seed is printed.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on must fail loudly"
)]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use daybind_domain::ids::{ConnectionId, EntryId};
use daybind_domain::schedule::{EntryContent, EntryStatus, ShowAs, When};
use daybind_ee_storage::calendar;
use daybind_fakes::{FakeOptions, FakeProviders, Provider};
use daybind_services::demo;
use daybind_storage::{Entry, NewEntry, NewJob, Scope, Store};
use daybind_storage_postgres::PgStore;
use daybind_storage_sqlite::SqliteStore;
use serde_json::json;

use support::{Server, connect};

/// How often in all, unless `DAYBIND_TEST_KILLS` says otherwise.
const KILLS: u64 = 40;
/// So many databases and providers share them.
const PLACES: u64 = 4;
/// After so many kills both sides must have come to agree.
const ROUNDS: u64 = 10;
/// A dead worker's work is taken over after that; how long a lease lasts is not what is tested here.
const LEASE: (&str, &str) = ("DAYBIND_TEST_LEASE_MS", "1500");

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// SplitMix64: the same moments for the same seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)) % limit
    }
}

/// What both sides are to say: each entry's title, or that it is called off.
struct Sides {
    fakes: FakeProviders,
    provider: Provider,
    calendar: String,
    connection: ConnectionId,
    store: Arc<dyn Store>,
    wanted: BTreeMap<EntryId, Option<String>>,
    words: u64,
}

impl Sides {
    fn word(&mut self, word: &str) -> String {
        self.words += 1;
        format!("{word} {}", self.words)
    }

    fn title(&self) -> &'static str {
        match self.provider {
            Provider::Google => "summary",
            Provider::Microsoft => "subject",
        }
    }

    async fn entry(&self, id: EntryId) -> Entry {
        let mut unit = self.store.read(Scope::Tenant(demo::TENANT)).await.unwrap();
        unit.find_entry(demo::TENANT, id).await.unwrap().unwrap()
    }

    fn poke(&self) -> NewJob {
        NewJob {
            tenant_id: demo::TENANT,
            kind: "calendar.sync",
            key: self.connection.to_string(),
            payload: json!({ "cause": "schedule" }),
            run_at: Utc::now(),
            max_attempts: i32::MAX,
        }
    }

    /// Changes an entry in the schedule, as the server does: with its job, in one transaction.
    async fn change(&mut self, id: EntryId, title: Option<String>) {
        // The server may change it at the same moment; then the newer one is changed.
        loop {
            let mut entry = self.entry(id).await;
            match &title {
                Some(title) => entry.content.title.clone_from(title),
                None => entry.content.status = EntryStatus::Cancelled,
            }
            let now = Utc::now();
            let mut unit = self.store.begin(Scope::Tenant(demo::TENANT)).await.unwrap();
            if unit.update_entry(&entry, now).await.is_ok() {
                unit.enqueue_job(&self.poke(), now).await.unwrap();
                unit.save().await.unwrap();
                self.wanted.insert(id, title);
                return;
            }
            unit.cancel().await.unwrap();
        }
    }

    async fn add(&mut self, like: &Entry) -> EntryId {
        let (id, now) = (EntryId(uuid::Uuid::now_v7()), Utc::now());
        let title = self.word("New");
        let start = now + TimeDelta::days(2);
        let entry = NewEntry {
            tenant_id: demo::TENANT,
            entry_id: id,
            content: EntryContent {
                title: title.clone(),
                notes: String::new(),
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
            assignees: like.assignees.clone(),
            created_by: like.assignees[0],
        };
        let mut unit = self.store.begin(Scope::Tenant(demo::TENANT)).await.unwrap();
        unit.add_entry(&entry, now).await.unwrap();
        unit.enqueue_job(&self.poke(), now).await.unwrap();
        unit.save().await.unwrap();
        self.wanted.insert(id, Some(title));
        id
    }

    /// Changes the event of an entry in the calendar, if there is one yet.
    fn change_there(&mut self, was: &str) -> Option<String> {
        let events = self.fakes.events(self.provider, &self.calendar);
        let event = events.iter().find(|event| event[self.title()] == was)?;
        let word = self.word("There");
        let patch = json!({ self.title(): word });
        let id = event["id"].as_str()?;
        self.fakes
            .patch_event(self.provider, &self.calendar, id, &patch)
            .ok()?;
        Some(word)
    }

    /// What both sides say, and should.
    async fn said(&self) -> [Vec<String>; 3] {
        let mut wanted: Vec<String> = self.wanted.values().flatten().cloned().collect();
        let mut here = Vec::new();
        for (id, title) in &self.wanted {
            if title.is_some() {
                here.push(self.entry(*id).await.content.title);
            }
        }
        let events = self.fakes.events(self.provider, &self.calendar);
        let mut there: Vec<String> = events
            .iter()
            .filter_map(|event| event[self.title()].as_str().map(str::to_owned))
            .collect();
        for titles in [&mut wanted, &mut here, &mut there] {
            titles.sort();
        }
        [wanted, here, there]
    }

    async fn agree(&self) -> bool {
        let [wanted, here, there] = self.said().await;
        wanted == here && here == there
    }
}

async fn open(folder: &std::path::Path, database: Option<&str>) -> Arc<dyn Store> {
    match database {
        Some(url) => Arc::new(PgStore::connect(url).await.unwrap()),
        None => Arc::new(
            SqliteStore::open(&folder.join("daybind.sqlite3"))
                .await
                .unwrap(),
        ),
    }
}

/// The database passes its own check (SQLite).
async fn is_whole(path: &std::path::Path) {
    use sqlx::{ConnectOptions as _, Connection as _};
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut other = options.connect().await.unwrap();
    let said: String = sqlx::query_scalar("PRAGMA integrity_check")
        .fetch_one(&mut other)
        .await
        .unwrap();
    other.close().await.unwrap();
    assert_eq!(said, "ok");
}

async fn killed_at_any_moment(provider: Provider, name: &str, database: Option<String>) {
    let kills = number("DAYBIND_TEST_KILLS")
        .unwrap_or(KILLS)
        .div_ceil(PLACES);
    let seed = number("DAYBIND_TEST_SEED").unwrap_or_else(|| {
        let now = Utc::now().timestamp_micros();
        u64::try_from(now).unwrap()
    });
    println!("DAYBIND_TEST_SEED={seed}, {kills} kills");
    let mut chance = Chance(seed);
    let options = FakeOptions {
        auto_approve: true,
        ..FakeOptions::default()
    };
    let fakes = FakeProviders::start(options).unwrap();
    let server = Server::new(&fakes, database.clone());
    server.seed().await;
    let mut alive = server.start(&[LEASE], "first.log").await;
    let chosen = connect(&server, name).await;
    let store = open(server.folder(), database.as_deref()).await;
    let mut unit = store.read(Scope::Tenant(demo::TENANT)).await.unwrap();
    let rows = calendar(unit.as_mut()).unwrap();
    let connections = rows.list_connections(demo::TENANT).await.unwrap();
    let connection = &connections[0];
    let now = Utc::now();
    let span = TimeDelta::days(60);
    let whose = Some(connection.user_id);
    let entries = unit.list_entries(demo::TENANT, now - span, now + span, whose);
    let entries: Vec<Entry> = entries.await.unwrap();
    drop(unit);
    let mut sides = Sides {
        fakes,
        provider,
        calendar: chosen,
        connection: connection.connection_id,
        store,
        wanted: entries
            .iter()
            .map(|entry| (entry.entry_id, Some(entry.content.title.clone())))
            .collect(),
        words: 0,
    };
    let (ours, theirs) = (entries[0].entry_id, entries[1].entry_id);
    let mut passing = sides.add(&entries[0]).await;
    for round in 1..=kills {
        // What each side changes is its own, so that what has to come of it is known.
        let word = sides.word("Ours");
        sides.change(ours, Some(word)).await;
        let was = sides.wanted[&theirs].clone().unwrap();
        if let Some(word) = sides.change_there(&was) {
            sides.wanted.insert(theirs, Some(word));
        }
        if chance.below(2) == 0 {
            sides.change(passing, None).await;
            sides.wanted.remove(&passing);
            passing = sides.add(&entries[0]).await;
        }
        tokio::time::sleep(Duration::from_millis(chance.below(700))).await;
        alive.kill().await.unwrap();
        if database.is_none() {
            is_whole(&server.folder().join("daybind.sqlite3")).await;
        }
        alive = server.start(&[LEASE], "next.log").await;
        if round % ROUNDS != 0 && round != kills {
            continue;
        }
        for _ in 0..600 {
            if sides.agree().await {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let [wanted, here, there] = sides.said().await;
        assert_eq!(here, wanted, "round {round}: {}", server.log("next.log"));
        assert_eq!(there, wanted, "round {round}: {}", server.log("next.log"));
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(sides.agree().await, "nothing more is written later");
    alive.kill().await.unwrap();
}

/// M-30, M-40.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn google_on_sqlite() {
    killed_at_any_moment(Provider::Google, "google", None).await;
}

/// M-30, M-40.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn microsoft_on_sqlite() {
    killed_at_any_moment(Provider::Microsoft, "microsoft", None).await;
}

/// M-30.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn google_on_postgres() {
    let database = daybind_storage_postgres::testing::database_url().await;
    killed_at_any_moment(Provider::Google, "google", Some(database)).await;
}

/// M-30.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn microsoft_on_postgres() {
    let database = daybind_storage_postgres::testing::database_url().await;
    killed_at_any_moment(Provider::Microsoft, "microsoft", Some(database)).await;
}
