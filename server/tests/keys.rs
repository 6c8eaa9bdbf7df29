//! The master key of a real process: rotation that is killed again and again, and starts with the wrong key.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::process::{Command, Output};

use daybind_domain::ids::{ProfileId, TenantId, UserId};
use daybind_domain::profile::ProfileFields;
use daybind_services::profiles::secret_place;
use daybind_services::{Keyring, keys};
use daybind_storage::{Scope, Store, Tenant};
use daybind_storage_postgres::{PgStore, PgUnit, testing};
use daybind_storage_sqlite::{SqliteStore, SqliteUnit};
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

/// More than two batches of one table.
const PROFILES: u128 = 230;

struct Place {
    dir: tempfile::TempDir,
    database_url: Option<String>,
}

impl Place {
    fn key_file(&self) -> std::path::PathBuf {
        self.dir.path().join("master.key")
    }

    fn daybind(&self, arguments: &[&str], crash_at: Option<&str>) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_daybind"));
        command
            .args(arguments)
            .env_clear()
            .env("DAYBIND_DATA_DIR", self.dir.path())
            .env("DAYBIND_LISTEN", "127.0.0.1:0");
        if let Some(url) = &self.database_url {
            command
                .env("DATABASE_URL", url)
                .env("DAYBIND_MASTER_KEY_FILE", self.key_file());
        }
        if let Some(point) = crash_at {
            command.env("DAYBIND_TEST_CRASH_AT", point);
        }
        command.output().unwrap()
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
}

fn tenant_id(n: u128) -> TenantId {
    TenantId(Uuid::from_u128(0xa000 + n))
}

/// Two tenants with profiles, and rows of the Enterprise tables, which the Community binary has no code for: those
/// must be rewritten just the same.
async fn fill(store: &dyn Store, ring: &Keyring) {
    let now = chrono::Utc::now();
    for n in 0..2 {
        let tenant_id = tenant_id(n);
        let mut unit = store.begin(Scope::Tenant(tenant_id)).await.unwrap();
        let tenant = Tenant {
            tenant_id,
            name: format!("MSP {n}"),
            time_zone: "UTC".to_owned(),
        };
        unit.add_tenant(&tenant, now).await.unwrap();
        for row in 0..PROFILES {
            let profile_id = ProfileId(Uuid::from_u128(row + 1));
            let secret = SecretString::from(format!("secret-{n}-{row}"));
            let sealed = ring
                .seal(&secret_place(tenant_id, profile_id), &secret)
                .unwrap();
            let name = format!("profile {row}");
            unit.add_profile(&daybind_storage::Profile {
                tenant_id,
                profile_id,
                fields: ProfileFields {
                    display_name: name.clone(),
                    display_name_normalized: name,
                    client_id: Uuid::from_u128(row).to_string(),
                    directory_id: "contoso.example".to_owned(),
                    cloud: daybind_domain::Cloud::Global,
                },
                client_secret_sealed: Some(sealed),
                client_secret_last4: None,
                secret: daybind_storage::SecretMeta::default(),
                archived_at: None,
                version: 1,
                created_by: UserId(Uuid::nil()),
                created_at: now,
                updated_by: None,
                updated_at: now,
            })
            .await
            .unwrap();
        }
        let place = google_place(n);
        let sealed = ring
            .seal(&place, &SecretString::from(format!("google-{n}")))
            .unwrap();
        let sql = "INSERT INTO google_clients (tenant_id, client_id, client_secret_sealed, client_secret_last4, version, \
                   updated_by, updated_at) VALUES ($1, 'c', $2, '', 1, $1, $3)";
        let unit_any = (*unit).as_any_mut();
        if let Some(unit) = unit_any.downcast_mut::<PgUnit>() {
            sqlx::query(sql)
                .bind(tenant_id.0)
                .bind(sealed)
                .bind(now)
                .execute(unit.connection())
                .await
                .unwrap();
        } else if let Some(unit) = unit_any.downcast_mut::<SqliteUnit>() {
            sqlx::query(sql)
                .bind(tenant_id.0.to_string())
                .bind(sealed)
                .bind(now.timestamp_micros())
                .execute(unit.connection())
                .await
                .unwrap();
        }
        unit.save().await.unwrap();
    }
}

fn google_place(n: u128) -> daybind_services::SecretPlace {
    daybind_services::SecretPlace {
        tenant_id: tenant_id(n),
        table: "google_clients",
        row: tenant_id(n).0,
        column: "client_secret_sealed",
    }
}

async fn google_sealed(store: &dyn Store, n: u128) -> String {
    let mut unit = store.read(Scope::Tenant(tenant_id(n))).await.unwrap();
    let column = daybind_storage::SealedColumn {
        table: "google_clients".to_owned(),
        column: "client_secret_sealed".to_owned(),
        row_key: daybind_storage::RowKey::Tenant,
    };
    let mut found = unit
        .sealed_values(tenant_id(n), &column, "-", (Uuid::nil(), ""), 10)
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    found.remove(0).sealed
}

/// Every secret opens with `ring`, to what it was.
async fn all_readable(store: &dyn Store, ring: &Keyring) {
    for n in 0..2 {
        let mut unit = store.read(Scope::Tenant(tenant_id(n))).await.unwrap();
        let profiles = unit.list_profiles(tenant_id(n)).await.unwrap();
        assert_eq!(profiles.len(), usize::try_from(PROFILES).unwrap());
        for profile in profiles {
            let opened = ring
                .open(
                    &secret_place(profile.tenant_id, profile.profile_id),
                    profile.client_secret_sealed.as_deref().unwrap(),
                )
                .unwrap();
            let row = profile.profile_id.0.as_u128() - 1;
            assert_eq!(opened.expose_secret(), format!("secret-{n}-{row}"));
        }
        drop(unit);
        let sealed = google_sealed(store, n).await;
        let opened = ring.open(&google_place(n), &sealed).unwrap();
        assert_eq!(opened.expose_secret(), format!("google-{n}"));
    }
}

async fn rotation_survives_kills(place: Place) {
    let store = place.store().await;
    store.migrate().await.unwrap();
    let old = Keyring::generate();
    std::fs::write(place.key_file(), old.expose_secret()).unwrap();
    let first = Keyring::from_file(&place.key_file()).unwrap();
    keys::guard(store.as_ref(), &first).await.unwrap();
    fill(store.as_ref(), &first).await;

    let rotate = ["keys", "rotate"];
    let total = 2 * (u64::try_from(PROFILES).unwrap() + 1);
    // Dies with the new key in the file and nothing rewritten.
    assert!(
        !place
            .daybind(&rotate, Some("keys.after_new_key"))
            .status
            .success()
    );
    let mut left = total;
    let mut kills = 0;
    loop {
        let ring = Keyring::from_file(&place.key_file()).unwrap();
        assert_eq!(
            ring.ids().len(),
            2,
            "a repeated run must not make a third key"
        );
        assert_eq!(
            keys::left_behind(store.as_ref(), &ring).await.unwrap(),
            left
        );
        all_readable(store.as_ref(), &ring).await;
        if left == 0 {
            break;
        }
        // Killed before the batch is saved: nothing changed. Killed after: that much is done.
        assert!(
            !place
                .daybind(&rotate, Some("keys.before_batch_save"))
                .status
                .success()
        );
        assert_eq!(
            keys::left_behind(store.as_ref(), &ring).await.unwrap(),
            left
        );
        assert!(
            !place
                .daybind(&rotate, Some("keys.after_batch_save"))
                .status
                .success()
        );
        let now = keys::left_behind(store.as_ref(), &ring).await.unwrap();
        assert!(now < left);
        left = now;
        kills += 2;
    }
    assert_eq!(kills, 16, "four batches for each of two tenants");
    assert!(
        !place
            .daybind(&rotate, Some("keys.before_canary"))
            .status
            .success()
    );
    let ring = Keyring::from_file(&place.key_file()).unwrap();
    assert_eq!(
        keys::standing(store.as_ref(), &ring).await.unwrap(),
        keys::Standing::Rotating
    );

    let done = place.daybind(&["keys", "rotate", "--drop-old"], None);
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    let new = Keyring::from_file(&place.key_file()).unwrap();
    assert_eq!(new.ids(), ring.ids()[..1]);
    all_readable(store.as_ref(), &new).await;
    assert_eq!(
        keys::standing(store.as_ref(), &new).await.unwrap(),
        keys::Standing::Current
    );
    // The ring of a server that never stopped took up the file; the old key alone is foreign by now.
    all_readable(store.as_ref(), &first).await;
    assert_eq!(first.ids(), new.ids());
    let retired = Keyring::parse(&old).unwrap();
    assert!(keys::standing(store.as_ref(), &retired).await.is_err());
    for output in [&done.stdout, &done.stderr] {
        let text = String::from_utf8_lossy(output);
        assert!(!text.contains(old.expose_secret()), "{text}");
        assert!(!text.contains("secret-0-0"), "{text}");
    }
    store.close().await;
}

/// A server started with `key` must end by itself, before it listens, and must not have written anything.
async fn refuses_to_start(place: &Place, store: &dyn Store, key: &SecretString, says: &str) {
    let canary = |store: Box<dyn daybind_storage::UnitOfWork>| async move {
        let mut unit = store;
        unit.find_canary().await.unwrap()
    };
    let before = canary(store.read(Scope::System).await.unwrap()).await;
    std::fs::write(place.key_file(), key.expose_secret()).unwrap();
    for arguments in [&["serve"][..], &["keys", "rotate"], &["demo"]] {
        let refused = place.daybind(arguments, None);
        let text = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(1), "{arguments:?}: {text}");
        assert!(text.contains(says), "{arguments:?}: {text}");
        assert!(!text.contains(key.expose_secret()), "{text}");
    }
    let kept = std::fs::read_to_string(place.key_file()).unwrap();
    assert_eq!(
        kept,
        key.expose_secret(),
        "the key file must stay as it was"
    );
    let after = canary(store.read(Scope::System).await.unwrap()).await;
    assert_eq!(before, after);
    let tenants = store
        .read(Scope::System)
        .await
        .unwrap()
        .list_tenants()
        .await
        .unwrap();
    assert_eq!(tenants.len(), 2, "nothing was seeded");
}

async fn wrong_keys_are_refused(place: Place) {
    let store = place.store().await;
    store.migrate().await.unwrap();
    let right = Keyring::generate();
    let ring = Keyring::parse(&right).unwrap();
    fill(store.as_ref(), &ring).await;
    // Secrets from before there was a canary: their key ids speak.
    let wrong = Keyring::generate();
    refuses_to_start(&place, store.as_ref(), &wrong, "462 stored secrets").await;
    keys::guard(store.as_ref(), &ring).await.unwrap();
    refuses_to_start(
        &place,
        store.as_ref(),
        &wrong,
        "not the one this database was sealed with",
    )
    .await;
    let weak = SecretString::from("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    refuses_to_start(&place, store.as_ref(), &weak, "openssl rand -base64 32").await;
    std::fs::write(place.key_file(), right.expose_secret()).unwrap();
    let listed = place.daybind(&["keys", "list"], None);
    assert!(listed.status.success());
    assert!(String::from_utf8_lossy(&listed.stdout).contains(&ring.ids()[0]));
    store.close().await;
}

fn embedded() -> Place {
    Place {
        dir: tempfile::tempdir().unwrap(),
        database_url: None,
    }
}

async fn remote() -> Place {
    Place {
        dir: tempfile::tempdir().unwrap(),
        database_url: Some(testing::database_url().await),
    }
}

/// M-20 (T29): a rotation killed before and after every batch loses no secret, makes no second new key, goes on where
/// it was, and only then lets the old key go. Rows of the other edition's tables are rewritten with the rest.
#[tokio::test]
async fn rotation_survives_kills_on_sqlite() {
    rotation_survives_kills(embedded()).await;
}

/// M-20 (T29), on PostgreSQL.
#[tokio::test]
async fn rotation_survives_kills_on_postgres() {
    rotation_survives_kills(remote().await).await;
}

/// M-20, M-21: with a foreign or weak key no command listens, seals, seeds or writes.
#[tokio::test]
async fn wrong_keys_are_refused_on_sqlite() {
    wrong_keys_are_refused(embedded()).await;
}

/// M-20, M-21, on PostgreSQL.
#[tokio::test]
async fn wrong_keys_are_refused_on_postgres() {
    wrong_keys_are_refused(remote().await).await;
}

/// A secret that no key opens keeps the old key in place: nothing is dropped that something still needs (T30).
#[tokio::test]
async fn a_secret_that_does_not_open_keeps_the_old_key() {
    let place = embedded();
    let store = place.store().await;
    store.migrate().await.unwrap();
    std::fs::write(place.key_file(), Keyring::generate().expose_secret()).unwrap();
    let ring = Keyring::from_file(&place.key_file()).unwrap();
    keys::guard(store.as_ref(), &ring).await.unwrap();
    fill(store.as_ref(), &ring).await;
    // Moved from another row: authentic, but not here.
    let mut unit = store.begin(Scope::Tenant(tenant_id(0))).await.unwrap();
    let profiles = unit.list_profiles(tenant_id(0)).await.unwrap();
    let mut victim = profiles[0].clone();
    victim.client_secret_sealed = profiles[1].client_secret_sealed.clone();
    unit.update_profile(&victim).await.unwrap();
    unit.save().await.unwrap();
    let done = place.daybind(&["keys", "rotate", "--drop-old", "--json"], None);
    assert_eq!(done.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(report["left"], 1);
    assert_eq!(
        report["unreadable"][0]["row"],
        victim.profile_id.to_string()
    );
    assert_eq!(
        Keyring::from_file(&place.key_file()).unwrap().ids().len(),
        2
    );
    store.close().await;
}
