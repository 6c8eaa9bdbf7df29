//! Databases for tests: one private PostgreSQL cluster per test process, one fresh database per test.
//!
//! The cluster belongs to a small shell that waits for the end of its standard input. The pipe closes when the test
//! process ends, however it ends, and the shell then stops the cluster and removes its files.
#![expect(
    clippy::expect_used,
    reason = "only tests use it; they should stop with the reason"
)]

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use daybind_storage::Store as _;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use crate::PgStore;

const SCRIPT: &str = r#"
set -eu
bin=$1
dir=$(mktemp -d "${TMPDIR:-/tmp}/daybind-postgres.XXXXXX")
cd "$dir"
pid=
stop() {
    if [ -n "$pid" ]; then kill -QUIT "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; fi
    cd /
    rm -rf "$dir"
}
trap stop EXIT
trap '' INT TERM HUP
"$bin/initdb" -D data -U postgres -A trust -E UTF8 --locale=C --no-sync >init.log 2>&1 || { cat init.log >&2; exit 1; }
"$bin/postgres" -D data -k "$dir" -c listen_addresses= -c fsync=off -c max_connections=300 \
    </dev/null >server.log 2>&1 &
pid=$!
tries=0
until "$bin/pg_isready" -q -h "$dir"; do
    tries=$((tries + 1))
    if [ "$tries" -gt 300 ]; then cat server.log >&2; exit 1; fi
    sleep 0.1
done
echo "$dir"
exec >/dev/null
read -r _ || true
"#;

struct Cluster {
    socket_dir: String,
    /// Never waited for: its standard input must stay open as long as this process lives.
    _watchdog: Child,
}

fn binaries() -> PathBuf {
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .expect("PostgreSQL's server programs in /usr/lib/postgresql")
        .flatten()
        .filter_map(|entry| {
            let bin = entry.path().join("bin");
            let version = entry.file_name().to_str()?.parse().ok()?;
            bin.join("initdb").exists().then_some((version, bin))
        })
        .collect();
    found.sort();
    found.pop().expect("initdb in /usr/lib/postgresql/*/bin").1
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("id -u");
    id.stdout.trim_ascii() == b"0"
}

fn has_user(name: &str) -> bool {
    Command::new("id")
        .args(["-u", name])
        .output()
        .is_ok_and(|id| id.status.success())
}

fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        // PostgreSQL refuses to run as root.
        let mut command = if is_root() {
            let user = if has_user("postgres") {
                "postgres"
            } else {
                "nobody"
            };
            let mut command = Command::new("setpriv");
            command.args([
                "--reuid",
                user,
                "--regid",
                if user == "nobody" { "nogroup" } else { user },
            ]);
            command.args(["--clear-groups", "sh"]);
            command
        } else {
            Command::new("sh")
        };
        let mut watchdog = command
            .args(["-c", SCRIPT, "sh"])
            .arg(binaries())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut socket_dir = String::new();
        BufReader::new(watchdog.stdout.take().expect("piped"))
            .read_line(&mut socket_dir)
            .expect("a line");
        assert!(
            !socket_dir.is_empty(),
            "the PostgreSQL cluster did not start; see above"
        );
        Cluster {
            socket_dir: socket_dir.trim().to_owned(),
            _watchdog: watchdog,
        }
    })
}

fn url(database: &str) -> String {
    format!(
        "postgres://postgres@localhost/{database}?host={}",
        cluster().socket_dir
    )
}

/// Makes an empty database and returns its URL. The log-in is a superuser, as in careless installations.
///
/// # Panics
/// When PostgreSQL's server programs are missing or do not start.
pub async fn database_url() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let mut admin = PgConnection::connect(&url("postgres"))
        .await
        .expect("the test cluster");
    admin
        .execute(AssertSqlSafe(format!(
            "CREATE DATABASE {name} TEMPLATE template0"
        )))
        .await
        .expect("a database");
    admin.close().await.expect("closed");
    url(&name)
}

/// A store on a fresh, migrated database, and its URL.
///
/// # Panics
/// As [`database_url`].
pub async fn store() -> (PgStore, String) {
    let url = database_url().await;
    let store = PgStore::connect(&url).await.expect("connected");
    store.migrate().await.expect("migrated");
    (store, url)
}
