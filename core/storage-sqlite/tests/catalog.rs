//! What the SQLite schema itself must guarantee: it has no row-level security, so its keys carry the tenant everywhere.

#![expect(
    clippy::unwrap_used,
    reason = "a test without its database must fail loudly"
)]

use daybind_storage::{Scope, Store as _, UnitOfWork};
use daybind_storage_sqlite::{SqliteStore, SqliteUnit};
use sqlx::{AssertSqlSafe, Row as _};

const TABLES: &str = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> '_sqlx_migrations' \
    AND name NOT LIKE 'sqlite%' ORDER BY name";

async fn texts(unit: &mut dyn UnitOfWork, sql: &str) -> Vec<String> {
    let unit: &mut SqliteUnit = unit.as_any_mut().downcast_mut().unwrap();
    let rows = sqlx::query(AssertSqlSafe(sql.to_owned()))
        .fetch_all(unit.connection())
        .await
        .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn unit(folder: &tempfile::TempDir) -> (SqliteStore, Box<dyn UnitOfWork>) {
    let store = SqliteStore::open(&folder.path().join("db")).await.unwrap();
    store.migrate().await.unwrap();
    let unit = store.read(Scope::System).await.unwrap();
    (store, unit)
}

/// M-04: every table has `tenant_id` and a primary key, and `tenant_id` leads that key, every unique key and both sides of
/// every foreign key.
#[tokio::test]
async fn every_key_leads_with_the_tenant() {
    let folder = tempfile::tempdir().unwrap();
    let (_store, mut unit) = unit(&folder).await;
    let tables = texts(unit.as_mut(), TABLES).await;
    assert!(tables.len() >= 14, "{tables:?}");
    for table in &tables {
        let first = texts(
            unit.as_mut(),
            &format!("SELECT name FROM pragma_table_xinfo('{table}') WHERE pk = 1"),
        )
        .await;
        assert_eq!(first, ["tenant_id"], "the primary key of {table}");
        let unique = texts(
            unit.as_mut(),
            &format!(
                "SELECT coalesce(c.name, '(expression)') FROM pragma_index_list('{table}') l, pragma_index_info(l.name) c \
                 WHERE l.\"unique\" AND c.seqno = 0"
            ),
        )
        .await;
        assert!(
            unique.iter().all(|name| name == "tenant_id"),
            "unique keys of {table}: {unique:?}"
        );
        let foreign = texts(
            unit.as_mut(),
            &format!("SELECT \"from\" || ' ' || \"to\" FROM pragma_foreign_key_list('{table}') WHERE seq = 0"),
        )
        .await;
        assert!(
            foreign.iter().all(|pair| pair == "tenant_id tenant_id"),
            "foreign keys of {table}: {foreign:?}"
        );
    }
}

/// M-02, T02: the database itself refuses a reference to another tenant's row, whatever a service forgot; and foreign keys
/// are on in every connection.
#[tokio::test]
async fn foreign_keys_are_enforced() {
    let folder = tempfile::tempdir().unwrap();
    let (store, mut reader) = unit(&folder).await;
    assert_eq!(
        texts(
            reader.as_mut(),
            "SELECT CAST(foreign_keys AS TEXT) FROM pragma_foreign_keys"
        )
        .await,
        ["1"]
    );
    let mut writer = store.begin(Scope::System).await.unwrap();
    assert_eq!(
        texts(
            writer.as_mut(),
            "SELECT CAST(foreign_keys AS TEXT) FROM pragma_foreign_keys"
        )
        .await,
        ["1"]
    );
    let unit: &mut SqliteUnit = writer.as_mut().as_any_mut().downcast_mut().unwrap();
    for tenant in ["a", "b"] {
        sqlx::query("INSERT INTO tenants (tenant_id, name, time_zone, created_at) VALUES ($1, $1, 'UTC', 0)")
            .bind(tenant)
            .execute(unit.connection())
            .await
            .unwrap();
    }
    sqlx::query(
        "INSERT INTO microsoft_profiles (tenant_id, profile_id, display_name, display_name_normalized, client_id, \
         directory_id, version, created_by, created_at, updated_at) VALUES ('a', 'p', 'P', 'p', 'c', 'd', 1, 'u', 0, 0)",
    )
    .execute(unit.connection())
    .await
    .unwrap();
    let bind = "INSERT INTO microsoft_profile_consumer_bindings (tenant_id, consumer_type, profile_id, updated_by, \
                updated_at) VALUES ($1, 'msp_sso', 'p', 'u', 0)";
    let refused = sqlx::query(bind)
        .bind("b")
        .execute(unit.connection())
        .await
        .unwrap_err();
    assert!(
        refused
            .as_database_error()
            .unwrap()
            .is_foreign_key_violation(),
        "{refused}"
    );
    sqlx::query(bind)
        .bind("a")
        .execute(unit.connection())
        .await
        .unwrap();
}
