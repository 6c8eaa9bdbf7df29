//! What the schema itself must guarantee.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use daybind_domain::ids::{AuditId, TenantId};
use daybind_storage::{AuditRow, Origin, Scope, Store as _, Tenant, UnitOfWork};
use daybind_storage_postgres::{PgStore, PgUnit, testing};
use sqlx::{Connection as _, PgConnection, Row as _};
use uuid::Uuid;

async fn catalog(url: &str, sql: &'static str) -> Vec<String> {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::query_scalar(sql)
        .fetch_all(&mut connection)
        .await
        .unwrap()
}

async fn tenant(store: &PgStore) -> TenantId {
    let tenant_id = TenantId(Uuid::new_v4());
    let mut unit = store.begin(Scope::Tenant(tenant_id)).await.unwrap();
    let row = Tenant {
        tenant_id,
        name: "MSP".to_owned(),
        time_zone: "UTC".to_owned(),
    };
    unit.add_tenant(&row, chrono::Utc::now()).await.unwrap();
    unit.save().await.unwrap();
    tenant_id
}

fn pg(unit: &mut Box<dyn UnitOfWork>) -> &mut PgUnit {
    (**unit).as_any_mut().downcast_mut().unwrap()
}

#[tokio::test]
async fn tenant_id_leads_every_key() {
    let (_store, url) = testing::store().await;
    let wrong = catalog(
        &url,
        "SELECT i.indrelid::regclass::text || ' ' || i.indexrelid::regclass::text FROM pg_index i \
         JOIN pg_class c ON c.oid = i.indrelid JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] \
         WHERE c.relnamespace = 'public'::regnamespace AND c.relname <> '_sqlx_migrations' \
         AND i.indisunique AND a.attname <> 'tenant_id' \
         UNION ALL SELECT f.conrelid::regclass::text || ' ' || f.conname FROM pg_constraint f \
         JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = f.conkey[1] \
         JOIN pg_attribute b ON b.attrelid = f.confrelid AND b.attnum = f.confkey[1] \
         WHERE f.contype = 'f' AND (a.attname <> 'tenant_id' OR b.attname <> 'tenant_id')",
    )
    .await;
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[tokio::test]
async fn row_level_security_is_forced_on_every_table() {
    let (_store, url) = testing::store().await;
    let wrong = catalog(
        &url,
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') \
         AND relname <> '_sqlx_migrations' AND NOT (relrowsecurity AND relforcerowsecurity)",
    )
    .await;
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[tokio::test]
async fn both_databases_have_the_same_columns_and_migrations() {
    let (_store, url) = testing::store().await;
    let postgres: BTreeSet<String> = catalog(
        &url,
        "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public' \
         AND table_name <> '_sqlx_migrations'",
    )
    .await
    .into_iter()
    .collect();
    let dir = tempfile::tempdir().unwrap();
    let store = daybind_storage_sqlite::SqliteStore::open(&dir.path().join("daybind.db"))
        .await
        .unwrap();
    store.migrate().await.unwrap();
    let mut unit = store.read(Scope::System).await.unwrap();
    let unit = (*unit)
        .as_any_mut()
        .downcast_mut::<daybind_storage_sqlite::SqliteUnit>()
        .unwrap();
    let sqlite: BTreeSet<String> = sqlx::query(
        "SELECT m.name || '.' || c.name AS name FROM sqlite_schema m, pragma_table_xinfo(m.name) c \
         WHERE m.type = 'table' AND m.name <> '_sqlx_migrations' AND m.name NOT LIKE 'sqlite%'",
    )
    .fetch_all(unit.connection())
    .await
    .unwrap()
    .iter()
    .map(|row| row.get("name"))
    .collect();
    assert_eq!(postgres, sqlite);
    let versions =
        |migrator: &sqlx::migrate::Migrator| migrator.iter().map(|m| m.version).collect::<Vec<_>>();
    assert_eq!(
        versions(&daybind_storage_postgres::MIGRATOR),
        versions(&daybind_storage_sqlite::MIGRATOR)
    );
}

#[tokio::test]
async fn a_unit_cannot_reach_another_tenant_even_by_asking() {
    let (store, _url) = testing::store().await;
    let (a, b) = (tenant(&store).await, tenant(&store).await);
    let mut unit = store.begin(Scope::Tenant(a)).await.unwrap();
    let seen: Vec<Uuid> = sqlx::query_scalar("SELECT tenant_id FROM tenants")
        .fetch_all(pg(&mut unit).connection())
        .await
        .unwrap();
    assert_eq!(seen, [a.0]);
    let touched = sqlx::query("UPDATE tenants SET name = 'x' WHERE tenant_id = $1")
        .bind(b.0)
        .execute(pg(&mut unit).connection())
        .await
        .unwrap();
    assert_eq!(touched.rows_affected(), 0);
    let row = Tenant {
        tenant_id: TenantId(Uuid::new_v4()),
        name: "C".to_owned(),
        time_zone: "UTC".to_owned(),
    };
    assert!(unit.add_tenant(&row, chrono::Utc::now()).await.is_err());
}

#[tokio::test]
async fn the_audit_log_is_append_only() {
    let (store, _url) = testing::store().await;
    let tenant_id = tenant(&store).await;
    let row = AuditRow {
        tenant_id,
        audit_id: AuditId(Uuid::new_v4()),
        at: chrono::Utc::now(),
        actor: None,
        action: "a".to_owned(),
        subject: "s".to_owned(),
        detail: serde_json::json!({}),
        request_id: None,
        note: None,
        origin: Origin::default(),
    };
    let mut unit = store.begin(Scope::Tenant(tenant_id)).await.unwrap();
    unit.add_audit(&row).await.unwrap();
    unit.save().await.unwrap();
    for sql in ["UPDATE audit_log SET action = 'b'", "DELETE FROM audit_log"] {
        let mut unit = store.begin(Scope::Tenant(tenant_id)).await.unwrap();
        let refused = sqlx::query(sql)
            .execute(pg(&mut unit).connection())
            .await
            .unwrap_err();
        assert_eq!(
            refused.as_database_error().unwrap().code().as_deref(),
            Some("42501")
        );
    }
}

#[tokio::test]
async fn a_database_that_is_not_migrated_is_not_ready() {
    let url = testing::database_url().await;
    let store = PgStore::connect(&url).await.unwrap();
    assert!(
        store
            .ready()
            .await
            .unwrap_err()
            .to_string()
            .contains("database failure")
    );
    store.migrate().await.unwrap();
    store.ready().await.unwrap();
}
