//! `bindings list` and `bindings clear`, as an operator runs them on the Community binary (W63).
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::process::{Command, Output};

use daybind_domain::Consumer;
use daybind_domain::ids::ProfileId;
use daybind_domain::profile::ProfileFields;
use daybind_services::demo;
use daybind_storage::{Binding, Profile, Scope, Store as _};
use daybind_storage_sqlite::SqliteStore;
use uuid::Uuid;

fn daybind(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_daybind"))
        .args(args)
        .env("DAYBIND_DATA_DIR", folder)
        .env("DATABASE_URL", "")
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

async fn open(folder: &Path) -> SqliteStore {
    SqliteStore::open(&folder.join("daybind.sqlite3"))
        .await
        .unwrap()
}

/// What Community does not show is listed and lifted by name, on record; what it shows stays.
#[tokio::test]
async fn a_hidden_binding_is_listed_and_lifted() {
    let files = tempfile::tempdir().unwrap();
    let folder = files.path();
    said(&daybind(folder, &["demo"]));
    let store = open(folder).await;
    let now = chrono::DateTime::from_timestamp(1_767_225_600, 0).unwrap();
    let profile = Profile {
        tenant_id: demo::TENANT,
        profile_id: ProfileId(Uuid::new_v4()),
        fields: ProfileFields {
            display_name: "Main".to_owned(),
            display_name_normalized: "main".to_owned(),
            client_id: Uuid::new_v4().to_string(),
            directory_id: "contoso.example".to_owned(),
            cloud: daybind_domain::Cloud::Global,
        },
        client_secret_sealed: None,
        client_secret_last4: None,
        secret: daybind_storage::SecretMeta::default(),
        archived_at: None,
        version: 1,
        created_by: demo::ADMIN,
        created_at: now,
        updated_by: None,
        updated_at: now,
    };
    let mut unit = store.begin(Scope::Tenant(demo::TENANT)).await.unwrap();
    unit.add_profile(&profile).await.unwrap();
    for consumer in [Consumer::MspSso, Consumer::Calendar] {
        let binding = Binding {
            tenant_id: demo::TENANT,
            consumer,
            profile_id: profile.profile_id,
            updated_by: demo::ADMIN,
            updated_at: now,
        };
        unit.set_binding(&binding).await.unwrap();
    }
    unit.save().await.unwrap();
    store.close().await;

    let tenant = demo::TENANT.to_string();
    let listed = said(&daybind(folder, &["bindings", "list", "--tenant", &tenant]));
    assert!(
        listed.contains("msp_sso: Main\n")
            && listed.contains("calendar: Main (not shown in this edition)"),
        "{listed}"
    );
    for wrong in [
        ["--tenant", "nobody", "--consumer", "calendar"],
        ["--tenant", &tenant, "--consumer", "nonsense"],
    ] {
        let args = [&["bindings", "clear"][..], &wrong[..]].concat();
        assert_eq!(daybind(folder, &args).status.code(), Some(1), "{wrong:?}");
    }
    let clear = ["bindings", "clear", "--tenant", &tenant, "--hidden"];
    assert!(said(&daybind(folder, &clear)).contains("Lifted calendar: Main"));
    assert!(said(&daybind(folder, &clear)).contains("nothing to lift"));

    let store = open(folder).await;
    let mut unit = store.read(Scope::Tenant(demo::TENANT)).await.unwrap();
    let left = unit.list_bindings(demo::TENANT).await.unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].consumer, Consumer::MspSso);
    let log = unit.list_audit(demo::TENANT, 9).await.unwrap();
    let rows: Vec<_> = log
        .iter()
        .filter(|row| row.action == "binding.cleared")
        .map(|row| (row.actor, row.subject.as_str()))
        .collect();
    assert_eq!(rows, [(None, "consumer:calendar")]);
}
