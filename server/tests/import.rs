//! `import alga`: every state of a predecessor's database, into both databases.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::process::{Command, Output};
use std::sync::Arc;

use daybind_domain::ids::{ProfileId, TenantId};
use daybind_domain::{Consumer, ErrorCode};
use daybind_server::{Composition, assemble, config::Config};
use daybind_services::import::{self, Mark, Report, Request, SecretStore};
use daybind_services::profiles::secret_place;
use daybind_services::{Keyring, Services, bindings};
use daybind_storage::{Scope, Tenant};
use daybind_storage_postgres::{PgAlga, testing};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::{Connection as _, Executor as _, PgConnection};
use uuid::Uuid;

fn tenant(n: u128) -> TenantId {
    TenantId(Uuid::from_u128(0x00000000_0000_4000_8000_0000000000a0 + n))
}

fn profile(n: u128) -> ProfileId {
    ProfileId(Uuid::from_u128(0x00000000_0000_4000_8000_000000000b00 + n))
}

/// An installation, and a predecessor's database and secret store to import from.
struct Place {
    dir: tempfile::TempDir,
    database_url: Option<String>,
    alga_url: String,
    services: Services,
}

impl Place {
    async fn new(remote: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let database_url = if remote {
            Some(testing::database_url().await)
        } else {
            None
        };
        let alga_url = testing::database_url().await;
        let mut alga = PgConnection::connect(&alga_url).await.unwrap();
        alga.execute(include_str!("../../test-support/alga/schema.sql"))
            .await
            .unwrap();
        alga.execute(include_str!("../../test-support/alga/edge-states.sql"))
            .await
            .unwrap();
        let secrets = dir.path().join("secrets/tenants");
        for (n, name, text) in [
            (
                1,
                "microsoft_profile_b11_client_secret",
                "alpha~secret-value-0001\n",
            ),
            (
                3,
                "microsoft_profile_b31_client_secret",
                "enc:AAECAwQFBgcICQ==",
            ),
            (
                4,
                "microsoft_profile_b42_client_secret",
                "delta~old-secret-0042",
            ),
        ] {
            let own = secrets.join(tenant(n).to_string());
            std::fs::create_dir_all(&own).unwrap();
            std::fs::write(own.join(name), text).unwrap();
        }
        std::fs::write(
            dir.path().join("master.key"),
            Keyring::generate().expose_secret(),
        )
        .unwrap();
        let key_file = dir.path().join("master.key").display().to_string();
        let data = dir.path().display().to_string();
        let url = database_url.clone();
        let get = move |name: &str| match name {
            "DAYBIND_DATA_DIR" => Some(data.clone()),
            "DAYBIND_MASTER_KEY_FILE" => Some(key_file.clone()),
            "DATABASE_URL" => url.clone(),
            _ => None,
        };
        let composition = Composition::community();
        let config = Config::read(&composition, &get).unwrap();
        let store = assemble::open(&config).await.unwrap();
        store.migrate().await.unwrap();
        let state = assemble::state(&composition, &config, &get, Arc::clone(&store)).unwrap();
        Self {
            dir,
            database_url,
            alga_url,
            services: state.services,
        }
    }

    fn request(&self) -> Request {
        Request {
            from: SecretString::from(self.alga_url.clone()),
            dry_run: false,
            tenants: Vec::new(),
            into: None,
            secrets: Some(SecretStore::open(&self.dir.path().join("secrets")).unwrap()),
        }
    }

    async fn import(&self, request: &Request) -> Report {
        let mut alga = PgAlga::connect(&self.alga_url).await.unwrap();
        import::run(
            &self.services,
            &import::LeftForEnterprise,
            &mut alga,
            request,
        )
        .await
        .unwrap()
    }

    fn daybind(&self, arguments: &[&str], crash_at: Option<&str>) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_daybind"));
        command
            .args(["import", "alga", "--secrets"])
            .arg(self.dir.path().join("secrets"))
            .args(arguments)
            .env_clear()
            .env("DAYBIND_DATA_DIR", self.dir.path())
            .env(
                "DAYBIND_MASTER_KEY_FILE",
                self.dir.path().join("master.key"),
            )
            .env("DAYBIND_IMPORT_FROM", &self.alga_url);
        if let Some(url) = &self.database_url {
            command.env("DATABASE_URL", url);
        }
        if let Some(point) = crash_at {
            command.env("DAYBIND_TEST_CRASH_AT", point);
        }
        command.output().unwrap()
    }

    /// Everything an import may write, in words.
    async fn everything(&self) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        for n in 1..=7 {
            let id = tenant(n);
            let mut unit = self.services.store.read(Scope::Tenant(id)).await.unwrap();
            for row in unit.list_tenants().await.unwrap() {
                all.insert(format!("{n} tenant {}", row.name));
            }
            for row in unit.list_profiles(id).await.unwrap() {
                let secret = row.client_secret_sealed.as_ref().map(|sealed| {
                    let opened = self
                        .services
                        .keyring
                        .open(&secret_place(id, row.profile_id), sealed)
                        .unwrap();
                    opened.expose_secret().to_owned()
                });
                all.insert(format!(
                    "{n} profile {} {:?} {} {} archived={} secret={secret:?} v{}",
                    row.profile_id,
                    row.fields.display_name,
                    row.fields.client_id,
                    row.fields.directory_id,
                    row.archived_at.is_some(),
                    row.version,
                ));
            }
            for row in unit.list_bindings(id).await.unwrap() {
                all.insert(format!(
                    "{n} binding {} {}",
                    row.consumer.as_str(),
                    row.profile_id
                ));
            }
            for row in unit.list_login_domains(id).await.unwrap() {
                all.insert(format!("{n} domain {} {}", row.domain, row.status.as_str()));
            }
            for row in unit.list_ledger(id, "alga").await.unwrap() {
                all.insert(format!(
                    "{n} ledger {} {} {:?}",
                    row.kind, row.source_id, row.target_id
                ));
            }
            for row in unit.list_audit(id, 1000).await.unwrap() {
                all.insert(format!(
                    "{n} audit {} {} {}",
                    row.action, row.subject, row.detail
                ));
            }
        }
        all
    }

    async fn bound(&self, n: u128) -> Vec<(Consumer, ProfileId)> {
        let mut unit = self.services.read(tenant(n)).await.unwrap();
        unit.list_bindings(tenant(n))
            .await
            .unwrap()
            .into_iter()
            .map(|b| (b.consumer, b.profile_id))
            .collect()
    }
}

/// `(MSP, code, mark)` of all lines.
fn codes(report: &Report) -> BTreeSet<(u128, &'static str, &'static str)> {
    report
        .lines
        .iter()
        .map(|line| {
            let id = line.tenant_id.unwrap().0.as_u128() - tenant(0).0.as_u128();
            let mark = match line.mark {
                Mark::Done => "done",
                Mark::Already => "already",
                Mark::Todo => "todo",
                Mark::Left => "left",
            };
            (id, line.code, mark)
        })
        .collect()
}

async fn every_state(remote: bool) {
    let place = Place::new(remote).await;
    let dry = Request {
        dry_run: true,
        ..place.request()
    };
    let planned = place.import(&dry).await;
    assert!(
        place.everything().await.is_empty(),
        "a dry run writes nothing"
    );
    let report = place.import(&place.request()).await;
    assert_eq!(
        planned.lines, report.lines,
        "a dry run says what a run does"
    );
    let text = report.text();
    let found = codes(&report);
    for expected in [
        // One default, no bindings, in use: an explicit binding, and it says so.
        (1, "profile_imported", "done"),
        (1, "binding_from_use", "done"),
        (2, "no_profiles", "todo"),
        // Several profiles and no bindings: the default decides nothing.
        (3, "profile_secret_missing", "todo"),
        (3, "binding_ambiguous", "todo"),
        (4, "binding_imported", "done"),
        (4, "profile_imported", "done"),
        (4, "profile_secret_missing", "todo"),
        // The archived profile of a consumer that Community does not show.
        (4, "enterprise_left", "left"),
        (5, "no_profiles", "todo"),
        (5, "binding_cross_tenant", "todo"),
        (5, "domain_inactive", "left"),
        (1, "domain_imported", "done"),
        // Two MSPs list it: both keep it, and an operator is told.
        (1, "domain_contested", "todo"),
        (3, "domain_contested", "todo"),
        (3, "domain_imported", "done"),
        (6, "profile_invalid_client_id", "todo"),
        (6, "profile_invalid_directory_id", "todo"),
        (6, "binding_profile_not_imported", "todo"),
        (7, "default_not_used", "left"),
        (7, "domain_inactive", "left"),
    ] {
        assert!(found.contains(&expected), "{expected:?} is not in\n{text}");
    }
    for n in 1..=7 {
        assert!(found.contains(&(n, "tenant_imported", "todo")), "{text}");
    }
    for line in &report.lines {
        assert_eq!(line.mark == Mark::Todo, !line.todo.is_empty(), "{line:?}");
    }
    assert_eq!(place.bound(1).await, [(Consumer::MspSso, profile(0x11))]);
    assert_eq!(
        place.bound(4).await,
        [
            (Consumer::MspSso, profile(0x41)),
            (Consumer::Email, profile(0x41))
        ]
    );
    for n in [2, 3, 5, 6, 7] {
        assert_eq!(place.bound(n).await, [], "MSP {n}");
    }
    let all = place.everything().await;
    // No proof is carried over, and no spelling.
    for listed in [
        "1 domain alpha.example advisory",
        "3 domain shared.example advisory",
    ] {
        assert!(all.contains(listed), "{listed} is not in {all:?}");
    }
    assert!(!all.iter().any(|row| row.contains("domain golf.example")));
    assert!(
        all.iter()
            .any(|row| row.contains("alpha~secret-value-0001")),
        "the client secret came over, sealed for its place: {all:?}"
    );
    for hidden in ["alpha~secret", "delta~old", &place.alga_url] {
        assert!(
            !text.contains(hidden) && !serde_json::to_string(&report).unwrap().contains(hidden)
        );
        assert!(
            !all.iter()
                .any(|row| row.contains("audit") && row.contains(hidden))
        );
    }
    // Community names no feature that it does not have. (--email is an option of `user create`.)
    let words = text.replace("--email", "");
    for word in ["email", "calendar", "teams", "google"] {
        assert!(!words.to_lowercase().contains(word), "{word} in\n{text}");
    }
}

/// Every edge state is in the report with what to do, and only what the rules allow is bound (PRD, "Manual Cleanup").
#[tokio::test]
async fn every_state_is_reported_sqlite() {
    every_state(false).await;
}

/// As above, on PostgreSQL.
#[tokio::test]
async fn every_state_is_reported_postgres() {
    every_state(true).await;
}

async fn again(remote: bool) {
    let place = Place::new(remote).await;
    place.import(&place.request()).await;
    let before = place.everything().await;
    let second = place.import(&place.request()).await;
    assert_eq!(before, place.everything().await);
    assert_eq!(second.count(Mark::Done), 0, "{}", second.text());

    // What an administrator did since is theirs.
    let mut unit = place.services.begin(tenant(1)).await.unwrap();
    unit.clear_binding(tenant(1), Consumer::MspSso)
        .await
        .unwrap();
    unit.save().await.unwrap();
    place.import(&place.request()).await;
    assert_eq!(
        place.bound(1).await,
        [],
        "an import does not bind again what was unbound here"
    );
}

/// Running it twice changes nothing, whatever happened in between.
#[tokio::test]
async fn a_second_run_changes_nothing_sqlite() {
    again(false).await;
}

/// As above, on PostgreSQL.
#[tokio::test]
async fn a_second_run_changes_nothing_postgres() {
    again(true).await;
}

async fn killed(remote: bool) {
    let whole = Place::new(false).await;
    whole.import(&whole.request()).await;
    let wanted = whole.everything().await;

    let place = Place::new(remote).await;
    // Each run dies at another place, most of them several times: once for each MSP it gets to.
    for point in [
        "import.after_tenant",
        "import.before_profiles_save",
        "import.after_profiles",
        "import.before_domains_save",
        "import.after_domains",
        "import.after_tenant",
        "import.before_bindings_save",
        "import.after_bindings",
        "import.after_tenant",
        "import.before_profiles_save",
    ] {
        let output = place.daybind(&[], Some(point));
        assert!(
            output.status.code().is_none(),
            "{point} was not reached: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(place.everything().await.is_subset(&wanted), "{point}");
    }
    let done = place.daybind(&[], None);
    assert_eq!(
        done.status.code(),
        Some(3),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    assert_eq!(place.everything().await, wanted);
}

/// An interrupted import goes on, and ends where an uninterrupted one does.
#[tokio::test]
async fn an_interrupted_run_goes_on_sqlite() {
    killed(false).await;
}

/// As above, on PostgreSQL.
#[tokio::test]
async fn an_interrupted_run_goes_on_postgres() {
    killed(true).await;
}

/// W34, W70: an unbound consumer stays unbound however often it is resolved, with a profile marked default, an active
/// log-in domain, and nothing else to choose from. Resolving writes nothing at all: it works on a reading unit, which
/// SQLite refuses every write.
#[tokio::test]
async fn resolving_never_fills_in_a_binding() {
    let place = Place::new(false).await;
    place.import(&place.request()).await;
    let before = place.everything().await;
    for n in [3, 5, 7] {
        for _ in 0..3 {
            let mut unit = place.services.read(tenant(n)).await.unwrap();
            let refused =
                bindings::resolve(&place.services, unit.as_mut(), tenant(n), Consumer::MspSso)
                    .await
                    .unwrap_err();
            assert_eq!(refused.code, ErrorCode::NotReady);
        }
    }
    assert_eq!(before, place.everything().await);
}

/// Exit codes: 3 with something to do, 0 without, 1 when it cannot be done, 2 when it is asked wrongly.
#[tokio::test]
async fn exit_codes_and_into() {
    let place = Place::new(false).await;
    let home = TenantId(Uuid::from_u128(0xf00d));
    let mut unit = place.services.begin(home).await.unwrap();
    let row = Tenant {
        tenant_id: home,
        name: "Alpha, here".to_owned(),
        time_zone: "Europe/Berlin".to_owned(),
    };
    unit.add_tenant(&row, chrono::Utc::now()).await.unwrap();
    unit.save().await.unwrap();
    // The domain that two MSPs list is for an operator to decide; without it nothing is left to do.
    let mut alga = PgConnection::connect(&place.alga_url).await.unwrap();
    alga.execute("DELETE FROM msp_sso_tenant_login_domains WHERE domain = 'shared.example'")
        .await
        .unwrap();
    let (one, into) = (tenant(7).to_string(), home.to_string());
    std::fs::create_dir_all(place.dir.path().join("secrets/tenants").join(&one)).unwrap();
    std::fs::write(
        place
            .dir
            .path()
            .join("secrets/tenants")
            .join(&one)
            .join("microsoft_profile_b71_client_secret"),
        "golf~secret-value-0071",
    )
    .unwrap();
    let done = place.daybind(&["--tenant", &one, "--into", &into, "--json"], None);
    let stdout = String::from_utf8_lossy(&done.stdout);
    assert_eq!(done.status.code(), Some(0), "{stdout}");
    let report: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(report["edition"], "ce");
    assert_eq!(report["lines"][0]["code"], "tenant_present");
    let mut unit = place.services.read(home).await.unwrap();
    assert_eq!(unit.list_profiles(home).await.unwrap().len(), 1);
    drop(unit);

    let failed = place.daybind(&["--tenant", &Uuid::from_u128(9).to_string()], None);
    assert_eq!(failed.status.code(), Some(1));
    let empty = testing::database_url().await;
    let failed = place.daybind(&["--from", &empty], None);
    assert_eq!(failed.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&failed.stderr).contains("no Alga PSA database"));
    let usage = place.daybind(&["--tenant", "not-an-id"], None);
    assert_eq!(usage.status.code(), Some(2));
}
