//! Tenants beside each other on one server.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use daybind_domain::ids::{ConnectionId, TenantId, UserId};
use daybind_domain::user::{Role, UserType};
use daybind_ee_storage::{Connection, calendar};
use daybind_fakes::{DuplicateTransaction, Fault, FaultKind};
use daybind_services::{CalendarPort, Provider, SecretPlace, demo, jobs};
use daybind_storage::{NewJob, NewUser, Tenant, User};
use tokio_util::sync::CancellationToken;

use crate::bench::{Database, World};

/// The busy tenant's connections.
const BUSY: usize = 40;

/// A second tenant with one technician.
pub async fn other_tenant(w: &World) -> (TenantId, UserId) {
    let (tenant_id, user_id) = (TenantId(w.services.new_id()), UserId(w.services.new_id()));
    let mut unit = w.services.begin(tenant_id).await.unwrap();
    let tenant = Tenant {
        tenant_id,
        name: "Other MSP".to_owned(),
        time_zone: "UTC".to_owned(),
    };
    unit.add_tenant(&tenant, w.services.now()).await.unwrap();
    let user = NewUser {
        user: User {
            tenant_id,
            user_id,
            email: "other@example.test".to_owned(),
            display_name: "Otto Other".to_owned(),
            user_type: UserType::Internal,
            role: Role::Technician,
            is_active: true,
            time_zone: "UTC".to_owned(),
        },
        email_normalized: "other@example.test".to_owned(),
        password_hash: None,
    };
    unit.add_user(&user, w.services.now()).await.unwrap();
    unit.save().await.unwrap();
    (tenant_id, user_id)
}

/// A connection like Tess's, whose sync is due since so many seconds.
pub async fn connection(
    w: &World,
    whose: (TenantId, UserId),
    number: usize,
    due: i64,
) -> ConnectionId {
    let like = w.row().await;
    let id = ConnectionId(w.services.new_id());
    let place = |tenant_id, row: ConnectionId, column| SecretPlace {
        tenant_id,
        table: "calendar_providers",
        row: row.0,
        column,
    };
    let moved = |sealed: &str, column| {
        let from = place(like.tenant_id, like.connection_id, column);
        let secret = w.services.keyring.open(&from, sealed).unwrap();
        let to = place(whose.0, id, column);
        w.services.keyring.seal(&to, &secret).unwrap()
    };
    let row = Connection {
        tenant_id: whose.0,
        connection_id: id,
        user_id: whose.1,
        account_id: format!("account {number}"),
        access_token_sealed: moved(&like.access_token_sealed, "access_token_sealed"),
        refresh_token_sealed: moved(&like.refresh_token_sealed, "refresh_token_sealed"),
        profile_id: None,
        last_sync_at: None,
        ..like.clone()
    };
    let now = w.services.now();
    let mut unit = w.services.begin(whose.0).await.unwrap();
    let rows = calendar(unit.as_mut()).unwrap();
    rows.add_connection(&row).await.unwrap();
    let job = NewJob {
        tenant_id: whose.0,
        kind: "calendar.sync",
        key: id.to_string(),
        payload: serde_json::json!({ "cause": "poll" }),
        run_at: now - TimeDelta::seconds(due),
        max_attempts: i32::MAX,
    };
    unit.enqueue_job(&job, now).await.unwrap();
    unit.save().await.unwrap();
    id
}

/// How many of the tenant's connections have been synced.
async fn synced(w: &World, tenant_id: TenantId) -> usize {
    let mut unit = w.services.read(tenant_id).await.unwrap();
    let rows = calendar(unit.as_mut()).unwrap();
    let all = rows.list_connections(tenant_id).await.unwrap();
    all.iter()
        .filter(|row| row.account_id.starts_with("account ") && row.last_sync_at.is_some())
        .count()
}

/// W42: forty connections of one tenant are due, and each of their calls takes long. Another tenant's one, due after all
/// of them, does not wait for them.
async fn a_slow_tenant_does_not_stop_the_others(database: Database) {
    let w = World::new(
        database,
        Provider::Microsoft,
        DuplicateTransaction::Existing,
    )
    .await;
    let tess = (demo::TENANT, w.tess.user_id());
    for number in 0..BUSY {
        connection(&w, tess, number, 100).await;
    }
    let other = other_tenant(&w).await;
    connection(&w, other, BUSY, 1).await;
    let slow = FaultKind::DelayBefore { ms: 3_000 };
    w.fakes.arm(Fault::new("microsoft.view.delta", 1000, slow));
    let stop = CancellationToken::new();
    let port = Arc::clone(&w.port) as Arc<dyn CalendarPort>;
    let worker = tokio::spawn(jobs::work(
        w.services.clone(),
        port,
        stop.clone(),
        Duration::from_secs(20),
    ));
    for _ in 0..300 {
        if synced(&w, other.0).await == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(synced(&w, other.0).await, 1);
    let before = synced(&w, demo::TENANT).await;
    assert!(before <= 20, "{before} of {BUSY} went first");
    stop.cancel();
    worker.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite() {
    a_slow_tenant_does_not_stop_the_others(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres() {
    a_slow_tenant_does_not_stop_the_others(Database::Postgres).await;
}
