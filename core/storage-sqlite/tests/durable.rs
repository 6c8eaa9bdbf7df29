//! What is saved on SQLite stays saved: how the file is opened, that one server serves it, and that it is whole after
//! its process was killed at any moment.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on must fail loudly"
)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use chrono::DateTime;
use daybind_domain::ids::TenantId;
use daybind_storage::{NewJob, Scope, Store as _, Tenant, UnitOfWork};
use daybind_storage_sqlite::{SqliteStore, SqliteUnit};
use uuid::Uuid;

/// How often the writer is killed, unless `DAYBIND_TEST_KILLS` says otherwise.
const KILLS: u32 = 100;
/// Makes [`writes_until_it_is_killed`] write: the file.
const FILE: &str = "DAYBIND_TEST_KILLED_FILE";
/// The number of the first unit it writes.
const FIRST: &str = "DAYBIND_TEST_KILLED_FIRST";
const TENANT: TenantId = TenantId(Uuid::from_u128(1));

async fn open(path: &Path) -> SqliteStore {
    let store = SqliteStore::open(path).await.unwrap();
    store.migrate().await.unwrap();
    store
}

async fn text(unit: &mut Box<dyn UnitOfWork>, query: &'static str) -> String {
    let unit = unit.as_any_mut().downcast_mut::<SqliteUnit>().unwrap();
    let row = sqlx::query_scalar(query);
    row.fetch_one(unit.connection()).await.unwrap()
}

async fn number(unit: &mut Box<dyn UnitOfWork>, query: &'static str) -> i64 {
    let unit = unit.as_any_mut().downcast_mut::<SqliteUnit>().unwrap();
    let row = sqlx::query_scalar(query);
    row.fetch_one(unit.connection()).await.unwrap()
}

/// M-40: a write-ahead log, and every commit waits until it is on the disk.
#[tokio::test]
async fn every_commit_reaches_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("db")).await;
    for _ in 0..2 {
        let mut unit = store.begin(Scope::System).await.unwrap();
        assert_eq!(text(&mut unit, "PRAGMA journal_mode").await, "wal");
        let full = number(&mut unit, "PRAGMA synchronous").await;
        assert_eq!(full, 2, "FULL");
        let keys = number(&mut unit, "PRAGMA foreign_keys").await;
        assert_eq!(keys, 1);
        unit.cancel().await.unwrap();
    }
}

/// M-40: one server at a time; whoever comes second is told, and comes in when the first has gone. Other commands may
/// open the file meanwhile.
#[tokio::test]
async fn one_server_serves_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let (first, second) = (open(&path).await, open(&path).await);
    assert!(first.take_alone().unwrap());
    assert!(!second.take_alone().unwrap());
    second.ready().await.unwrap();
    drop(first);
    assert!(second.take_alone().unwrap());
}

fn job(key: String) -> NewJob {
    NewJob {
        tenant_id: TENANT,
        kind: "test",
        key,
        payload: serde_json::json!({ "text": "x".repeat(600) }),
        run_at: DateTime::UNIX_EPOCH,
        max_attempts: 1,
    }
}

/// Not a test by itself: what [`a_killed_writer_leaves_a_whole_file`] starts and kills. Each unit writes two rows; its
/// number is said once it is saved.
#[tokio::test]
async fn writes_until_it_is_killed() {
    let (Some(path), Ok(first)) = (std::env::var_os(FILE), std::env::var(FIRST)) else {
        return;
    };
    let store = open(&PathBuf::from(path)).await;
    let mut out = std::io::stderr();
    for number in first.parse::<u32>().unwrap().. {
        let mut unit = store.begin(Scope::Tenant(TENANT)).await.unwrap();
        for half in ["a", "b"] {
            unit.enqueue_job(&job(format!("{half}-{number}")), DateTime::UNIX_EPOCH)
                .await
                .unwrap();
        }
        unit.save().await.unwrap();
        writeln!(out, "saved {number}").unwrap();
    }
}

/// M-40: killed a hundred times at any moment: the file passes SQLite's own check, every unit that was said to be saved
/// is there, and no unit is there by half.
#[tokio::test]
async fn a_killed_writer_leaves_a_whole_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let store = open(&path).await;
    let mut unit = store.begin(Scope::Tenant(TENANT)).await.unwrap();
    let tenant = Tenant {
        tenant_id: TENANT,
        name: "MSP".to_owned(),
        time_zone: "UTC".to_owned(),
    };
    unit.add_tenant(&tenant, DateTime::UNIX_EPOCH)
        .await
        .unwrap();
    unit.save().await.unwrap();
    store.close().await;
    let kills = std::env::var("DAYBIND_TEST_KILLS").map_or(KILLS, |text| text.parse().unwrap());
    let mut next = 0_u32;
    let mut saved = Vec::new();
    for round in 0..kills {
        let mut writer = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "writes_until_it_is_killed", "--nocapture"])
            .env(FILE, &path)
            .env(FIRST, next.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(writer.stderr.take().unwrap()).lines();
        let mut said = |line: std::io::Result<String>| {
            // What comes after the kill may break off in the middle of a line.
            let number = line
                .ok()
                .and_then(|line| line.strip_prefix("saved ")?.parse().ok());
            saved.extend(number.filter(|number: &u32| *number >= next));
        };
        said(lines.next().unwrap());
        std::thread::sleep(Duration::from_micros(u64::from(round * 7919 % 30_000)));
        writer.kill().unwrap();
        writer.wait().unwrap();
        lines.for_each(said);

        let store = open(&path).await;
        let mut unit = store.read(Scope::Tenant(TENANT)).await.unwrap();
        assert_eq!(text(&mut unit, "PRAGMA integrity_check").await, "ok");
        let halves = number(
            &mut unit,
            "SELECT count(*) FROM (SELECT substr(key, 3) FROM jobs GROUP BY 1 HAVING count(*) <> 2)",
        )
        .await;
        assert_eq!(halves, 0, "a unit is there by half");
        let there = number(&mut unit, "SELECT count(*) / 2 FROM jobs").await;
        let last = saved.last().copied().unwrap();
        assert!(there > i64::from(last), "saved {last}, there {there}");
        next = u32::try_from(there).unwrap();
        drop(unit);
        store.close().await;
    }
    assert!(saved.len() >= kills as usize, "it wrote in every round");
}
