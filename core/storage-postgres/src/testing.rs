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
    if let Some(named) = std::env::var_os("DAYBIND_TEST_POSTGRES_BIN") {
        return named.into();
    }
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

/// A shell that is not root: PostgreSQL and PgBouncer refuse to run as root.
fn unprivileged_shell() -> Command {
    if !is_root() {
        return Command::new("sh");
    }
    let user = if has_user("postgres") {
        "postgres"
    } else {
        "nobody"
    };
    let group = if user == "nobody" { "nogroup" } else { user };
    let mut command = Command::new("setpriv");
    command.args(["--reuid", user, "--regid", group, "--clear-groups", "sh"]);
    command
}

/// Starts a watchdog; it and the folder it says that its sockets are in.
fn begin(command: &mut Command) -> (Child, String) {
    let mut watchdog = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a shell");
    let mut socket_dir = String::new();
    BufReader::new(watchdog.stdout.take().expect("piped"))
        .read_line(&mut socket_dir)
        .expect("a line");
    assert!(!socket_dir.is_empty(), "it did not start; see above");
    (watchdog, socket_dir.trim().to_owned())
}

fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let mut command = unprivileged_shell();
        command.args(["-c", SCRIPT, "sh"]).arg(binaries());
        let (watchdog, socket_dir) = begin(&mut command);
        Cluster {
            socket_dir,
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

const BOUNCER: &str = r#"
set -eu
dir=$(mktemp -d "${TMPDIR:-/tmp}/daybind-bouncer.XXXXXX")
pid=
stop() {
    if [ -n "$pid" ]; then kill -TERM "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; fi
    rm -rf "$dir"
}
trap stop EXIT
trap '' INT TERM HUP
printf '"postgres" ""\n' >"$dir/users"
cat >"$dir/bouncer.ini" <<END
[databases]
* = host=$2
[pgbouncer]
listen_addr =
unix_socket_dir = $dir
auth_type = trust
auth_file = $dir/users
pool_mode = transaction
default_pool_size = 2
max_client_conn = 500
ignore_startup_parameters = extra_float_digits
END
"$1" "$dir/bouncer.ini" </dev/null >"$dir/log" 2>&1 &
pid=$!
tries=0
until [ -S "$dir/.s.PGSQL.6432" ]; do
    tries=$((tries + 1))
    if [ "$tries" -gt 100 ]; then cat "$dir/log" >&2; exit 1; fi
    sleep 0.1
done
echo "$dir"
exec >/dev/null
read -r _ || true
"#;

/// PgBouncer in transaction mode in front of the test cluster, two connections wide. Dropping it stops it.
pub struct Bouncer {
    socket_dir: String,
    _watchdog: Child,
}

impl Bouncer {
    /// Starts it.
    ///
    /// # Panics
    /// When PgBouncer is missing or does not start.
    #[must_use]
    pub fn start() -> Self {
        let program = std::env::var_os("DAYBIND_TEST_PGBOUNCER")
            .map_or_else(|| PathBuf::from("/usr/sbin/pgbouncer"), PathBuf::from);
        assert!(
            program.is_file(),
            "PgBouncer is missing (Debian: apt-get install pgbouncer; elsewhere name it in DAYBIND_TEST_PGBOUNCER)"
        );
        let mut command = unprivileged_shell();
        command
            .args(["-c", BOUNCER, "sh"])
            .arg(program)
            .arg(&cluster().socket_dir);
        let (watchdog, socket_dir) = begin(&mut command);
        Self {
            socket_dir,
            _watchdog: watchdog,
        }
    }

    /// The address of a database of the cluster, through the pooler.
    #[must_use]
    pub fn through(&self, url: &str) -> String {
        let database = url
            .split('?')
            .next()
            .and_then(|url| url.rsplit('/').next())
            .unwrap_or_default();
        format!(
            "postgres://postgres@localhost:6432/{database}?host={}&statement-cache-capacity=0",
            self.socket_dir
        )
    }
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
