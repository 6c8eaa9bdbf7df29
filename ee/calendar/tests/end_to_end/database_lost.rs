//! The database goes away under a working server and comes back: nothing wrong is left behind, and nobody has to help.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use daybind_domain::ids::EntryId;
use daybind_fakes::DuplicateTransaction;
use daybind_services::{CalendarPort, Provider, jobs};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::bench::{Database, World};

const SOCKET: &str = ".s.PGSQL.5432";
const ENTRIES: usize = 4;

/// Stands between a server and its PostgreSQL.
struct Wire {
    url: String,
    state: Arc<WireState>,
    _folder: tempfile::TempDir,
}

#[derive(Default)]
struct WireState {
    down: AtomicBool,
    cut: Notify,
    /// So many commits reach the database, and their answers nobody.
    lost_commits: AtomicI32,
}

impl Wire {
    async fn new() -> Self {
        let direct = daybind_storage_postgres::testing::database_url().await;
        let (before, real) = direct.split_once("?host=").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join(SOCKET)).unwrap();
        let state = Arc::new(WireState::default());
        let (target, shared) = (format!("{real}/{SOCKET}"), Arc::clone(&state));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if !shared.down.load(Ordering::SeqCst) {
                    tokio::spawn(carry(client, target.clone(), Arc::clone(&shared)));
                }
            }
        });
        Self {
            url: format!("{before}?host={}", folder.path().display()),
            state,
            _folder: folder,
        }
    }

    /// Every connection breaks, and none comes about for so long.
    async fn down_for(&self, time: Duration) {
        self.state.down.store(true, Ordering::SeqCst);
        self.state.cut.notify_waiters();
        tokio::time::sleep(time).await;
        self.state.down.store(false, Ordering::SeqCst);
    }

    /// The answers to the next commits get lost.
    fn lose_commits(&self, count: i32) {
        self.state.lost_commits.store(count, Ordering::SeqCst);
    }
}

async fn carry(mut client: UnixStream, target: String, state: Arc<WireState>) {
    let mut server = UnixStream::connect(target).await.unwrap();
    let (mut asked, mut answered) = ([0; 16 << 10], [0; 16 << 10]);
    loop {
        tokio::select! {
            () = state.cut.notified() => return,
            read = client.read(&mut asked) => {
                let Ok(count @ 1..) = read else { return };
                let sent = &asked[..count];
                if server.write_all(sent).await.is_err() {
                    return;
                }
                let commits = sent.windows(7).any(|word| word == b"COMMIT\0");
                let lost = |left: i32| (left > 0).then(|| left - 1);
                if commits && state.lost_commits.fetch_update(Ordering::SeqCst, Ordering::SeqCst, lost).is_ok() {
                    // It is committed before the connection breaks.
                    let _ = server.read(&mut answered).await;
                    return;
                }
            }
            read = server.read(&mut answered) => {
                let Ok(count @ 1..) = read else { return };
                if client.write_all(&answered[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// A server that works, as `serve` does.
fn work(w: &World) -> (CancellationToken, tokio::task::JoinHandle<()>) {
    let stop = CancellationToken::new();
    let port = Arc::clone(&w.port) as Arc<dyn CalendarPort>;
    let worker = jobs::work(
        w.services.clone(),
        port,
        stop.clone(),
        Duration::from_secs(20),
    );
    (stop, tokio::spawn(worker))
}

/// Every entry says what its one event says.
async fn agree(w: &World, ids: &[EntryId]) -> bool {
    for id in ids {
        let entry = w.entry(*id).await;
        let copies = w.named(&entry.content.title);
        let placed = |copy: &serde_json::Value| {
            copy["location"]
                .to_string()
                .contains(&entry.content.location)
        };
        if copies.len() != 1 || !placed(&copies[0]) || w.mark(*id).await != "synced" {
            return false;
        }
    }
    true
}

/// Lets time pass (leases run out, retries fall due) until both sides agree.
async fn come_together(w: &World, ids: &[EntryId], when: &str) {
    for _ in 0..150 {
        if agree(w, ids).await && w.row().await.last_error.is_none() {
            return;
        }
        w.pass(TimeDelta::seconds(20));
        w.services.wake.notify_waiters();
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("{when}: {:?}", w.row().await);
}

/// Both sides change something at the same time.
async fn change(w: &World, ids: &[EntryId], round: usize) {
    let (here, there) = (ids[round % ENTRIES], ids[(round + 1) % ENTRIES]);
    let title = w.entry(there).await.content.title;
    let event = w.named(&title)[0].clone();
    w.outside(&event, &json!({ w.key("title"): format!("Round {round}") }));
    w.edit(here, |entry| {
        entry.content.location = format!("Hall {round}");
    })
    .await;
    w.port
        .sync_calendar_provider(&w.tess, &w.connection().await)
        .await
        .unwrap();
}

async fn begin(w: &World) -> Vec<EntryId> {
    let mut ids = Vec::new();
    for number in 0..ENTRIES {
        ids.push(w.add(&format!("Entry {number}")).await);
    }
    ids
}

async fn end(w: &World, (stop, worker): (CancellationToken, tokio::task::JoinHandle<()>)) {
    stop.cancel();
    worker.await.unwrap();
    assert_eq!(w.status().await, "connected");
    assert_eq!(w.row().await.failing, Default::default());
    // Entries of the demo and ours, each once.
    let events = w.fakes.events(w.fake, &w.calendar).len();
    assert_eq!(events, ENTRIES + 2, "nothing is there twice");
}

/// M-39: PostgreSQL breaks all connections, stays away for a moment, or commits and loses the answer, in the middle of
/// whatever is going on.
async fn postgres_breaks_off(provider: Provider) {
    let wire = Wire::new().await;
    let w = World::at(&wire.url, provider).await;
    let worker = work(&w);
    let ids = begin(&w).await;
    come_together(&w, &ids, "at first").await;
    for round in 0..10 {
        change(&w, &ids, round).await;
        if round % 2 == 0 {
            tokio::time::sleep(Duration::from_millis(13 * round as u64)).await;
            wire.down_for(Duration::from_millis(400)).await;
        } else {
            let count = 1 + i32::try_from(round).unwrap() / 3;
            wire.lose_commits(count);
            let left = || wire.state.lost_commits.load(Ordering::SeqCst);
            for _ in 0..200 {
                if left() < count {
                    break;
                }
                // The next poll falls due, if the change has been dealt with already.
                w.pass(TimeDelta::seconds(20));
                w.services.wake.notify_waiters();
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
            let left = wire.state.lost_commits.swap(0, Ordering::SeqCst);
            assert!(left < count, "no commit was lost");
        }
        come_together(&w, &ids, &format!("round {round}")).await;
    }
    end(&w, worker).await;
}

/// M-39: the disk is full for what is known of entries, for jobs, and for the connection itself, one after the other.
async fn disk_is_full(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let worker = work(&w);
    let ids = begin(&w).await;
    come_together(&w, &ids, "at first").await;
    let columns = [
        ("calendar_event_mappings", "external_etag"),
        ("calendar_event_mappings", "sent"),
        ("jobs", "lease_until"),
        ("jobs", "state"),
        ("calendar_providers", "cursor"),
        ("schedule_entries", "title"),
    ];
    for (round, (table, column)) in columns.into_iter().enumerate() {
        let trouble = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            w.break_column(table, column).await;
            tokio::time::sleep(Duration::from_millis(700)).await;
            w.mend(table).await;
        };
        tokio::join!(change(&w, &ids, round), trouble);
        come_together(&w, &ids, &format!("{table}.{column}")).await;
    }
    end(&w, worker).await;
}

/// M-39: SQLite lets nobody write for longer than anybody waits.
async fn locked_out(provider: Provider) {
    let w = World::new(Database::Sqlite, provider, DuplicateTransaction::Existing).await;
    let worker = work(&w);
    let ids = begin(&w).await;
    come_together(&w, &ids, "at first").await;
    change(&w, &ids, 1).await;
    w.lock_out(Duration::from_secs(12)).await;
    come_together(&w, &ids, "locked out").await;
    end(&w, worker).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn google_on_postgres_that_breaks_off() {
    postgres_breaks_off(Provider::Google).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn microsoft_on_postgres_that_breaks_off() {
    postgres_breaks_off(Provider::Microsoft).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn google_on_sqlite_that_is_locked() {
    locked_out(Provider::Google).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn microsoft_on_sqlite_that_is_locked() {
    locked_out(Provider::Microsoft).await;
}

on_both! {
    google_full_on_sqlite: disk_is_full(Sqlite, Google);
    google_full_on_postgres: disk_is_full(Postgres, Google);
    microsoft_full_on_sqlite: disk_is_full(Sqlite, Microsoft);
    microsoft_full_on_postgres: disk_is_full(Postgres, Microsoft);
}
