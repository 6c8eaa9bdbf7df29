//! The audit log on SQLite: what rights do on PostgreSQL, triggers do here (M-44).

use daybind_domain::ids::{AuditId, TenantId};
use daybind_storage::{AuditRow, Origin, Scope, Store as _, Tenant};
use daybind_storage_sqlite::{SqliteStore, SqliteUnit};
use uuid::Uuid;

#[tokio::test]
async fn audit_rows_are_neither_changed_nor_removed() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("test.sqlite3"))
        .await
        .unwrap();
    store.migrate().await.unwrap();
    let tenant_id = TenantId(Uuid::new_v4());
    let now = chrono::DateTime::from_timestamp(1_767_225_600, 0).unwrap();
    let row = AuditRow {
        tenant_id,
        audit_id: AuditId(Uuid::new_v4()),
        at: now,
        actor: None,
        action: "a.b".to_owned(),
        subject: "s".to_owned(),
        detail: serde_json::json!({}),
        request_id: None,
        note: None,
        origin: Origin::default(),
    };
    let mut unit = store.begin(Scope::Tenant(tenant_id)).await.unwrap();
    let tenant = Tenant {
        tenant_id,
        name: "MSP".to_owned(),
        time_zone: "UTC".to_owned(),
    };
    unit.add_tenant(&tenant, now).await.unwrap();
    unit.add_audit(&row).await.unwrap();
    unit.save().await.unwrap();
    for sql in [
        "UPDATE audit_log SET action = 'x'",
        "DELETE FROM audit_log",
        "INSERT OR REPLACE INTO audit_log SELECT * FROM audit_log",
        "DELETE FROM tenants",
    ] {
        let mut unit = store.begin(Scope::Tenant(tenant_id)).await.unwrap();
        let sqlite = (*unit).as_any_mut().downcast_mut::<SqliteUnit>().unwrap();
        let refused = sqlx::query(sql).execute(sqlite.connection()).await;
        assert!(
            refused.unwrap_err().to_string().contains("append-only"),
            "{sql}"
        );
    }
    let mut unit = store.read(Scope::Tenant(tenant_id)).await.unwrap();
    assert_eq!(unit.list_audit(tenant_id, 9).await.unwrap(), [row]);
}
