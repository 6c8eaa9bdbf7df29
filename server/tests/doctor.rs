//! `doctor` finds planted faults and names what to do.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use daybind_server::Composition;
use daybind_server::doctor::{Finding, Outcome, examine};
use daybind_services::Keyring;
use daybind_storage::Store as _;
use daybind_storage_postgres::testing;
use daybind_storage_sqlite::SqliteStore;
use secrecy::ExposeSecret as _;

struct Patient {
    dir: tempfile::TempDir,
    variables: BTreeMap<String, String>,
}

impl Patient {
    /// An embedded installation as it should be.
    async fn healthy() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&dir.path().join("daybind.sqlite3"))
            .await
            .unwrap();
        store.migrate().await.unwrap();
        let path = dir.path().join("master.key");
        write_private(&path, Keyring::generate().expose_secret());
        let ring = Keyring::from_file(&path).unwrap();
        daybind_services::keys::guard(&store, &ring).await.unwrap();
        store.close().await;
        let mut patient = Self {
            dir,
            variables: BTreeMap::new(),
        };
        let data = patient.dir.path().display().to_string();
        patient.set("DAYBIND_DATA_DIR", &data);
        patient.set("DAYBIND_PUBLIC_URL", "https://daybind.example.com");
        patient
    }

    fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    async fn examine(&self, offline: bool) -> Vec<Finding> {
        let names: Vec<String> = self.variables.keys().cloned().collect();
        examine(
            &Composition::community(),
            &|name| self.variables.get(name).cloned(),
            &names,
            offline,
        )
        .await
    }

    /// The one finding of that outcome; all others must be fine.
    async fn only(&self, outcome: Outcome) -> Finding {
        let mut found = self.examine(true).await;
        found.retain(|f| !matches!(f.outcome, Outcome::Ok | Outcome::Skip));
        assert_eq!(found.len(), 1, "{found:#?}");
        let finding = found.remove(0);
        assert_eq!(finding.outcome, outcome, "{finding:?}");
        assert!(!finding.fix.is_empty(), "{finding:?}");
        finding
    }
}

fn write_private(path: &std::path::Path, text: &str) {
    std::fs::write(path, text).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}

#[tokio::test]
async fn a_healthy_installation_has_no_finding() {
    let found = Patient::healthy().await.examine(true).await;
    assert!(
        found
            .iter()
            .all(|f| matches!(f.outcome, Outcome::Ok | Outcome::Skip)),
        "{found:#?}"
    );
    for check in [
        "configuration",
        "public URL",
        "database",
        "schema",
        "master key",
    ] {
        assert!(
            found
                .iter()
                .any(|f| f.check == check && f.outcome == Outcome::Ok),
            "{check}"
        );
    }
}

#[tokio::test]
async fn addresses_browsers_cannot_use_are_found() {
    let mut patient = Patient::healthy().await;
    for (url, outcome) in [
        ("http://daybind.example.com", Outcome::Fail),
        ("https://0.0.0.0:3000", Outcome::Fail),
        ("https://user@daybind.example.com", Outcome::Fail),
        ("http://127.0.0.1:3000", Outcome::Warn),
        ("https://daybind", Outcome::Warn),
    ] {
        patient.set("DAYBIND_PUBLIC_URL", url);
        assert_eq!(patient.only(outcome).await.check, "public URL", "{url}");
    }
    patient.set("DAYBIND_PUBLIC_URL", "daybind.example.com");
    let finding = patient.only(Outcome::Fail).await;
    assert_eq!(finding.check, "configuration");
    assert!(finding.found.contains("DAYBIND_PUBLIC_URL"));
}

#[tokio::test]
async fn a_misspelt_variable_is_found_and_the_right_one_named() {
    let mut patient = Patient::healthy().await;
    patient.set("DAYBIND_LISEN", "0.0.0.0:80");
    let finding = patient.only(Outcome::Warn).await;
    assert!(finding.fix.contains("DAYBIND_LISTEN"), "{finding:?}");
}

/// M-20, M-21: weak, foreign and world-readable keys.
#[tokio::test]
async fn key_faults_are_found() {
    let patient = Patient::healthy().await;
    let path = patient.dir.path().join("master.key");
    let right = std::fs::read_to_string(&path).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let finding = patient.only(Outcome::Warn).await;
        assert!(finding.fix.contains("chmod 600"), "{finding:?}");
    }
    write_private(&path, Keyring::generate().expose_secret());
    let finding = patient.only(Outcome::Fail).await;
    assert!(finding.found.contains("not the one"), "{finding:?}");
    write_private(&path, "c2hvcnQ=");
    let finding = patient.only(Outcome::Fail).await;
    assert!(finding.found.contains("openssl"), "{finding:?}");
    // A rotation that has begun.
    write_private(
        &path,
        &format!("{}\n{right}", Keyring::generate().expose_secret()),
    );
    let finding = patient.only(Outcome::Warn).await;
    assert!(finding.fix.contains("keys rotate"), "{finding:?}");
}

#[tokio::test]
async fn database_faults_are_found() {
    let mut patient = Patient::healthy().await;
    let dir = patient.dir.path().join("empty");
    patient.set("DAYBIND_DATA_DIR", &dir.display().to_string());
    let found = patient.examine(true).await;
    assert!(
        found
            .iter()
            .any(|f| f.check == "database" && f.outcome == Outcome::Warn)
    );
    assert!(!dir.exists(), "doctor makes nothing");

    let url = testing::database_url().await;
    patient.set("DATABASE_URL", &url);
    patient.set("DAYBIND_MASTER_KEY", Keyring::generate().expose_secret());
    let finding = patient.only(Outcome::Fail).await;
    assert_eq!(finding.check, "schema");
    assert!(finding.fix.contains("migrate"), "{finding:?}");

    patient.set(
        "DATABASE_URL",
        "postgres://daybind:hush-hush@127.0.0.1:1/daybind",
    );
    let finding = patient.only(Outcome::Fail).await;
    assert_eq!(finding.check, "database");
    assert!(!format!("{finding:?}").contains("hush-hush"));
}

/// Community asks for Microsoft's log-in host and for no other.
#[tokio::test]
async fn community_looks_for_one_host() {
    let mut patient = Patient::healthy().await;
    patient.set("DAYBIND_MICROSOFT_LOGIN_URL", "http://127.0.0.1:1");
    let found = patient.examine(false).await;
    let outbound: Vec<_> = found.iter().filter(|f| f.check == "outbound").collect();
    assert_eq!(outbound.len(), 1, "{outbound:?}");
    assert_eq!(outbound[0].outcome, Outcome::Fail);
    assert!(outbound[0].fix.contains("DAYBIND_MICROSOFT_LOGIN_URL"));
}
