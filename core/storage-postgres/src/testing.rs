//! A private PostgreSQL cluster for tests: made in a temporary directory, reached over a free loopback port, gone with
//! the process that made it.

#![expect(clippy::expect_used, clippy::missing_panics_doc, reason = "a test that cannot get its database must fail loudly")]

use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{Connection as _, PgConnection};

struct Cluster {
    url: String,
    /// Holds the pipe whose end tells the watchdog to stop the server, also when this process is killed.
    _watchdog: Child,
}

/// Runs until its standard input closes, then stops the server and removes its files.
const WATCHDOG: &str = r#"
cat > /dev/null
"$1/pg_ctl" -D "$2/data" -m immediate stop > /dev/null 2>&1
rm -rf "$2"
"#;

/// The address of a fresh, empty database.
pub async fn database_url() -> String {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let cluster = CLUSTER.get_or_init(start);
    let name = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let mut connection =
        PgConnection::connect(&format!("{}/postgres", cluster.url)).await.expect("reach the test cluster");
    sqlx::query(sqlx::AssertSqlSafe(format!("create database {name}")))
        .execute(&mut connection)
        .await
        .expect("create a test database");
    format!("{}/{name}", cluster.url)
}

fn start() -> Cluster {
    let bin = binaries();
    let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port();
    let root = std::env::temp_dir().join(format!("daybind-pg-{}-{port}", std::process::id()));
    std::fs::create_dir_all(&root).expect("a directory for the test cluster");
    let data = root.join("data");
    if is_root() {
        // The server refuses to run as root.
        run(Command::new("chown").arg("postgres").arg(&root));
    }
    run(as_server_user(&bin.join("initdb"))
        .args(["--auth=trust", "--username=daybind", "--encoding=UTF8", "--no-sync", "-D"])
        .arg(&data));
    let options = format!(
        "-c listen_addresses=127.0.0.1 -c port={port} -c fsync=off -c full_page_writes=off \
         -c max_connections=200 -c unix_socket_directories={}",
        root.display()
    );
    run(as_server_user(&bin.join("pg_ctl"))
        .arg("-D")
        .arg(&data)
        .arg("-l")
        .arg(root.join("log"))
        .args(["-w", "-o", &options, "start"]));
    let watchdog = as_server_user(Path::new("/bin/sh"))
        .args(["-c", WATCHDOG, "watchdog"])
        .arg(&bin)
        .arg(&root)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("start the watchdog");
    Cluster { url: format!("postgres://daybind@127.0.0.1:{port}"), _watchdog: watchdog }
}

fn binaries() -> PathBuf {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin"))
        .filter(|bin| bin.join("initdb").exists())
        .collect();
    found.sort();
    found.pop().or_else(|| {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).find(|folder| folder.join("initdb").exists())
    })
    .expect("PostgreSQL's initdb; install the postgresql package")
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0)
}

fn as_server_user(program: &Path) -> Command {
    let mut command = if is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.current_dir("/");
    command
}

fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().expect("start a PostgreSQL program");
    if !output.status.success() {
        let _ = std::io::stderr().write_all(&output.stderr);
    }
    assert!(output.status.success(), "{command:?} failed");
}
