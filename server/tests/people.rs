//! `user create`, as whoever sets Daybind up runs it: the first administrator of an MSP, on record.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use daybind_services::Keyring;
use daybind_storage::{AuditFilter, Scope, Store};
use daybind_storage_postgres::{PgStore, testing};
use daybind_storage_sqlite::SqliteStore;
use secrecy::ExposeSecret as _;

const PASSWORD: &str = "a long and quiet password 5518";

struct Place {
    dir: tempfile::TempDir,
    database_url: Option<String>,
}

impl Place {
    fn new(database_url: Option<String>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = Keyring::generate();
        std::fs::write(dir.path().join("master.key"), key.expose_secret()).unwrap();
        Self { dir, database_url }
    }

    fn daybind(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_daybind"));
        command
            .args(arguments)
            .env_clear()
            .env("DAYBIND_DATA_DIR", self.dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(url) = &self.database_url {
            let key = self.dir.path().join("master.key");
            command
                .env("DATABASE_URL", url)
                .env("DAYBIND_MASTER_KEY_FILE", key);
        }
        let mut child = command.spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    fn create(&self, email: &str, tenant: &str) -> Output {
        let arguments = [
            "user", "create", "--email", email, "--name", "Ada", "--tenant", tenant,
        ];
        self.daybind(&arguments, PASSWORD)
    }

    async fn store(&self) -> Box<dyn Store> {
        match &self.database_url {
            Some(url) => Box::new(PgStore::connect(url).await.unwrap()),
            None => Box::new(
                SqliteStore::open(&self.dir.path().join("daybind.sqlite3"))
                    .await
                    .unwrap(),
            ),
        }
    }

    /// Every MSP with what its log says, oldest first.
    async fn log(&self) -> Vec<(String, Vec<String>)> {
        let store = self.store().await;
        let mut unit = store.read(Scope::System).await.unwrap();
        let tenants = unit.list_tenants().await.unwrap();
        drop(unit);
        let mut found = Vec::new();
        for tenant in tenants {
            let id = tenant.tenant_id;
            let mut unit = store.read(Scope::Tenant(id)).await.unwrap();
            let rows = unit
                .find_audit(id, &AuditFilter::default(), None, 100)
                .await
                .unwrap();
            for row in &rows {
                assert!(!row.detail.to_string().contains(PASSWORD));
                assert_eq!(row.actor, None, "the command line is nobody's account");
            }
            let lines = rows
                .iter()
                .rev()
                .map(|row| {
                    let email = row.detail["email"].as_str().unwrap_or_default();
                    format!("{} {email}", row.action)
                })
                .collect();
            found.push((tenant.name, lines));
        }
        store.close().await;
        found
    }
}

async fn whoever_is_added_is_on_record(place: Place) {
    let said = place.daybind(&["migrate"], "");
    assert!(said.status.success(), "{said:?}");
    let said = place.create("ada@one.example", "One");
    assert!(said.status.success(), "{said:?}");
    let said = place.create("bo@one.example", "One");
    assert!(said.status.success(), "{said:?}");
    let expected = |lines: &[&str]| {
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        vec![("One".to_owned(), lines)]
    };
    let all = expected(&[
        "tenant.created ",
        "user.created ada@one.example",
        "user.created bo@one.example",
    ]);
    assert_eq!(place.log().await, all);
    // The same address again: refused, and nothing was written about it.
    let again = place.create("ADA@one.example", "One");
    assert!(!again.status.success());
    let why = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(
        why.contains("already has somebody with that email"),
        "{why}"
    );
    assert_eq!(place.log().await, all);
}

/// M-44: an account made on the command line stands in its MSP's log; a refused one leaves nothing.
#[tokio::test]
async fn on_sqlite() {
    whoever_is_added_is_on_record(Place::new(None)).await;
}

/// M-44.
#[tokio::test]
async fn on_postgres() {
    whoever_is_added_is_on_record(Place::new(Some(testing::database_url().await))).await;
}
